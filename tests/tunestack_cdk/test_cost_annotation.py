"""annotate_costs: the same figures in annotation, metadata, outputs and the answer."""

import json
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Annotations, Match
from tunestack_cdk.cost_annotation import annotate_costs

from tests.changed_settings import changed_blueprint


def test_four_places_agree(stack: Stack, key: kms.Key, template: Any) -> None:
    report = annotate_costs(stack, region="us-east-1", run=changed_blueprint("prod").run, waived=("waived: budget",))
    found = template()
    figures = found.to_json()["Metadata"]["tunestack:cost"]
    assert figures["StandingUsdPerMonth"] == "1.00" == f"{report.standing.usd_per_month:.2f}"
    assert figures["Waived"] == ["waived: budget"]
    for output in ("StandingUsdPerMonth", "RunLowUsd", "RunExpectedUsd", "RunCeilingUsd"):
        found.has_output(output, {"Value": figures[output]})
    line = rf"standing cost \$1\.00 a month; a run \${figures['RunExpectedUsd']}.*waived: budget"
    Annotations.from_stack(stack).has_info("*", Match.string_like_regexp(line))


def test_a_price_that_is_not_known_is_said(stack: Stack, key: kms.Key, template: Any) -> None:
    annotate_costs(stack, region="mars-north-1")
    assert json.dumps(template().to_json()["Metadata"]).count("AWS::KMS::Key") == 1
