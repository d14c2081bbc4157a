"""A stack's costs where people look: annotation, template metadata, outputs."""

from aws_cdk import Annotations, CfnOutput, CfnResource, Stack
from aws_cdk import aws_ec2 as ec2

from tunestack.costs import CostReport, ResourceUse, RunCost, standing_cost
from tunestack.costs.stack_cost import METADATA_KEY
from tunestack.costs.usage import Usage
from tunestack.layout import RUN_CEILING_USD_OUTPUT, RUN_EXPECTED_USD_OUTPUT, RUN_LOW_USD_OUTPUT, STANDING_USD_OUTPUT

OUTPUTS = {
    STANDING_USD_OUTPUT: "What this stack costs a month before anything runs",
    RUN_LOW_USD_OUTPUT: "What an execution costs at best",
    RUN_EXPECTED_USD_OUTPUT: "What an execution is expected to cost",
    RUN_CEILING_USD_OUTPUT: "What an execution can cost at the most, when every job runs into its time limit",
}


def annotate_costs(
    stack: Stack,
    *,
    region: str,
    usage: tuple[Usage, ...] = (),
    run: RunCost | None = None,
    waived: tuple[str, ...] = (),
) -> CostReport:
    """Price what the stack holds, say it in four agreeing places, and return the report.

    Call it last: it counts the resources that are there.
    """
    resources = [_use(node) for node in stack.node.find_all() if isinstance(node, CfnResource)]
    report = CostReport(standing=standing_cost(resources, region=region, usage=usage), run=run, waived=waived)
    figures = report.figures().metadata()
    Annotations.of(stack).add_info_v2(METADATA_KEY, report.line())
    stack.template_options.metadata = {METADATA_KEY: figures}
    for output, description in OUTPUTS.items():
        CfnOutput(stack, output, value=figures[output], description=description)
    return report


def _use(resource: CfnResource) -> ResourceUse:
    if isinstance(resource, ec2.CfnVPCEndpoint):
        zones = len(resource.subnet_ids or []) if resource.vpc_endpoint_type == "Interface" else 0
        return ResourceUse(type=resource.cfn_resource_type, units=zones)
    return ResourceUse(type=resource.cfn_resource_type)
