"""CloudFormation resource types that ministack lacks or knows in part, one file per service.

A handler is what ministack's private table wants: create(logical_id, properties, stack) → (physical id,
attributes), update(physical_id, old, new, stack) → the same, delete(physical_id, properties); an exception
fails the deploy with its text and rolls back. tests/local/test_emulator_contract.py names the table.
"""

from tunestack.local.authorization.enforcement import Enforcement
from tunestack.local.cloudformation.budgets import budget_handlers
from tunestack.local.cloudformation.conditions import join_in_conditions
from tunestack.local.cloudformation.custom_resources import (
    custom_resource_handlers,
    fail_unanswered_ones_soon,
)
from tunestack.local.cloudformation.ec2 import amend_ec2, ec2_handlers
from tunestack.local.cloudformation.events import event_handlers
from tunestack.local.cloudformation.execution_role import act_as_the_stacks_role
from tunestack.local.cloudformation.existing_names import refuse_existing_names
from tunestack.local.cloudformation.iam import amend_iam
from tunestack.local.cloudformation.imports import allow_imports
from tunestack.local.cloudformation.sagemaker import REPLACED_BY, sagemaker_handlers
from tunestack.local.cloudformation.signing import signing_handlers
from tunestack.local.emulator.caller import Service


def register_handlers(service: Service, enforcement: Enforcement) -> None:
    """Add our handlers to ministack's table; every other unknown type still fails the deploy."""
    from ministack.services.cloudformation import provisioners

    table = provisioners._RESOURCE_HANDLERS
    table.update(sagemaker_handlers(service))
    table.update(ec2_handlers())
    table.update(budget_handlers())
    table.update(event_handlers())
    table.update(signing_handlers())
    table.update(custom_resource_handlers())
    fail_unanswered_ones_soon()
    amend_ec2(table)
    amend_iam(table)
    refuse_existing_names(table)
    allow_imports(table, service)
    join_in_conditions()
    for kind, properties in REPLACED_BY.items():
        provisioners._REPLACING_PROPERTIES[kind] = properties
        provisioners._CUSTOM_NAME_REPLACEMENT[kind] = {"name": properties[0]}
        provisioners._STACK_TAG_PROPERTY[kind] = ("Tags", "list")
    act_as_the_stacks_role(table, enforcement)
