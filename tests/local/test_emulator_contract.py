"""What we hook into ministack and moto by, named once: an upgrade that moves one of them fails here, with its name."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

MAPPING, TUPLE, CALL = "mapping", "tuple", "call"
# Module → name → what it is: a mapping (of one account, or of all), a tuple, or a call with so many arguments.
CONTRACT: dict[str, dict[str, str]] = {
    "ministack.app": {
        "SERVICE_HANDLERS": MAPPING,
        "_build_persistence_save_dict": f"{CALL} 0",
        "_load_persisted_state": f"{CALL} 0",
        "app": f"{CALL} 3",
        "pin_request_origin": f"{CALL} 2",
    },
    "ministack.core.iam_actions": {
        "_s3_action": f"{CALL} 3",
        "extract_resource_arn": f"{CALL} 8",
        "identity_denial_message": f"{CALL} 4",
        "request_tag_context": f"{CALL} 4",
        "s3_service_context": f"{CALL} 4",
    },
    "ministack.core.iam_evaluator": {
        "AuthError": f"{CALL} 2",
        "EvalContext": f"{CALL} 6",
        "_resolve_condition_key": f"{CALL} 2",
        "_resource_policy": f"{CALL} 2",
        "caller_arn": f"{CALL} 0",
        "enforce": f"{CALL} 6",
        "evaluate": f"{CALL} 2",
        "evaluate_resource_policy": f"{CALL} 3",
        "parse_policy_document": f"{CALL} 1",
        "pin_request_caller": f"{CALL} 2",
        "pin_request_origin": f"{CALL} 2",
    },
    "ministack.core.persistence": {"save_all": f"{CALL} 1"},
    "ministack.core.responses": {
        "get_account_id": f"{CALL} 0",
        "get_region": f"{CALL} 0",
        "request_scope": f"{CALL} 2",
    },
    "ministack.core.router": {"SERVICE_PATTERNS": MAPPING, "extract_access_key_id": f"{CALL} 2"},
    "ministack.services.budgets": {"_create_budget": f"{CALL} 1", "_delete_budget": f"{CALL} 1"},
    "ministack.services.cloudformation": {"_stacks": MAPPING},
    "ministack.services.cloudformation.changesets": {
        "_IMPORT_LOOKUPS": MAPPING,
        "_evaluate_conditions": f"{CALL} 2",
    },
    "ministack.services.cloudformation.engine": {"_evaluate_conditions": f"{CALL} 2"},
    "ministack.services.cloudformation.handlers": {"_evaluate_conditions": f"{CALL} 2"},
    "ministack.services.cloudformation.stacks": {"_evaluate_conditions": f"{CALL} 2"},
    "ministack.services.cloudformation.custom_resource": {"invoke_custom_resource": f"{CALL} 6"},
    "ministack.services.cloudformation.provisioners": {
        "_CUSTOM_NAME_REPLACEMENT": MAPPING,
        "_REPLACING_PROPERTIES": MAPPING,
        "_RESOURCE_HANDLERS": MAPPING,
        "_S3_BUCKET_CONFIGURATIONS": TUPLE,
        "_STACK_TAG_PROPERTY": MAPPING,
        "_ec2_apply_tags": f"{CALL} 2",
        "_ec2_sg_permissions": f"{CALL} 1",
    },
    "ministack.services.ec2": {
        "_flow_logs": MAPPING,
        "_now_ts": f"{CALL} 0",
        "_security_groups": MAPPING,
        "_tags": MAPPING,
        "_vpce_fields_xml": f"{CALL} 1",
        "_vpcs": MAPPING,
    },
    "ministack.services.cloudwatch_logs": {"_log_groups": MAPPING, "_log_records": MAPPING},
    "ministack.services.ecr": {"_put_image": f"{CALL} 1", "_repositories": MAPPING},
    "ministack.services.eventbridge": {
        "_dispatch_event": f"{CALL} 1",
        "_dispatch_to_event_bus": f"{CALL} 5",
        "_event_bus_policies": MAPPING,
        "_put_events": f"{CALL} 2",
        "_rule_key": f"{CALL} 2",
        "_targets": MAPPING,
    },
    "ministack.services.iam": {"_roles": MAPPING},
    "ministack.services.kms": {"_alias_arn": f"{CALL} 1", "_aliases": MAPPING, "_resolve_key": f"{CALL} 1"},
    "ministack.services.s3": {
        "_account_from_access_key": f"{CALL} 1",
        "_bucket_lifecycle": MAPPING,
        "_bucket_logging_config": MAPPING,
        "_bucket_owner_account": f"{CALL} 1",
        "_bucket_policies": MAPPING,
        "_bucket_tags": MAPPING,
        "_buckets": MAPPING,
        "_check_sse_c_copy_source": f"{CALL} 2",
        "_check_sse_c_part": f"{CALL} 2",
        "_check_sse_read_headers": f"{CALL} 2",
        "_delete_bucket_encryption": f"{CALL} 1",
        "_delete_bucket_tagging": f"{CALL} 1",
        "_delete_persisted_bucket": f"{CALL} 1",
        "_delete_persisted_object": f"{CALL} 2",
        "_ensure_bucket": f"{CALL} 1",
        "_error": f"{CALL} 3",
        "_foreign_bucket_allows": f"{CALL} 7",
        "_get_object": f"{CALL} 4",
        "_object_versions": MAPPING,
        "_persist_object": f"{CALL} 3",
        "_put_bucket_encryption": f"{CALL} 2",
        "_put_bucket_lifecycle": f"{CALL} 2",
        "_put_bucket_logging": f"{CALL} 2",
        "_put_bucket_tagging": f"{CALL} 2",
        "_read_body": f"{CALL} 3",
        "_resolve_sse_write_headers": f"{CALL} 2",
    },
    "ministack.services.sts": {"_sessions": MAPPING, "register_session": f"{CALL} 2"},
    "moto.sagemaker.models": {"sagemaker_backends": MAPPING},
    "moto.server": {"create_backend_app": f"{CALL} 1"},
}
# Assigned where they are there, and done without otherwise.
OPTIONAL = {("ministack.services.cloudformation.provisioners", "invoke_custom_resource")}
PACKAGES = ("ministack", "moto")
# Run apart: ministack reads its settings when it is imported.
PROBE = """
import importlib, inspect, json, sys
def kind(value):
    if callable(value):
        return "call"
    if isinstance(value, tuple):
        return "tuple"
    return "mapping" if hasattr(value, "get") and hasattr(value, "items") else type(value).__name__
def takes(value, count):
    try:
        inspect.signature(value).bind(*[None] * count)
    except TypeError:
        return False
    return True
problems = []
for module, names in json.loads(sys.argv[1]).items():
    try:
        found = importlib.import_module(module)
    except ImportError as error:
        problems.append(f"{module}: {error}")
        continue
    for name, wanted in names.items():
        what, _, count = wanted.partition(" ")
        value = getattr(found, name, None)
        if value is None:
            problems.append(f"{module}.{name}: gone")
        elif kind(value) != what and not (what == "mapping" and hasattr(value, "_data")):
            problems.append(f"{module}.{name}: must be a {what}, is a {kind(value)}")
        elif count and not takes(value, int(count)):
            problems.append(f"{module}.{name}: must take {count} arguments, is {name}{inspect.signature(value)}")
print(json.dumps(problems))
"""


def probe(contract: dict[str, dict[str, str]], folder: Path) -> list[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "STATE_DIR": str(folder), "PERSIST_STATE": "0"}
    command = [sys.executable, "-c", PROBE, json.dumps(contract)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr[-2000:]
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_everything_that_we_hook_into_is_there_and_is_what_it_was(tmp_path: Path) -> None:
    assert probe(CONTRACT, tmp_path) == []


@pytest.mark.parametrize(
    ("name", "what", "problem"),
    [
        ("_bukkets", MAPPING, "ministack.services.s3._bukkets: gone"),
        ("_buckets", TUPLE, "ministack.services.s3._buckets: must be a tuple"),
        ("_put_bucket_logging", f"{CALL} 9", "ministack.services.s3._put_bucket_logging: must take 9 arguments"),
    ],
)
def test_what_has_moved_is_named(name: str, what: str, problem: str, tmp_path: Path) -> None:
    (found,) = probe({"ministack.services.s3": {name: what}}, tmp_path)
    assert found.startswith(problem)


def used() -> set[tuple[str, str]]:
    """(module, name) of every name of the two packages that the kit imports or reaches through a module."""
    found = set()
    for file in (ROOT / "tunestack").rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        modules = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in PACKAGES:
                for alias in node.names:
                    modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            elif isinstance(node, ast.Import):
                modules |= {item.asname: item.name for item in node.names if item.asname and item.name.split(".")[0] in PACKAGES}  # fmt: skip
        for module in modules.values():
            if module not in CONTRACT:
                found.add((module.rpartition(".")[0], module.rpartition(".")[2]))
        reached = (
            (modules.get(node.value.id, ""), node.attr)
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        )
        found |= {(module, name) for module, name in reached if module in CONTRACT}
    return found


def test_nothing_else_of_theirs_is_hooked_into() -> None:
    named = {(module, name) for module, names in CONTRACT.items() for name in names}
    assert used() - named - OPTIONAL == set()
    assert named - used() == set()
