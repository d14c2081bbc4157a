"""`tunestack definition`: what is shown is what is deployed, and any file is answered with a line per problem."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from tests.conftest import ROOT
from tunestack.cli.main import tunestack
from tunestack.definition.template import definition_of_template


def show(cwd: Path) -> bytes:
    command = [sys.executable, "-m", "tunestack.cli.main", "definition", "show", "--env", "dev"]
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True).stdout


def test_show_gives_the_templates_definition_with_the_same_bytes_each_time_and_everywhere(
    assembly: Any, tmp_path: Path
) -> None:
    first = show(ROOT)
    assert first == show(tmp_path)
    assert json.loads(first) == json.loads(definition_of_template(assembly("dev").template("pipeline")))
    assert b"${AWS::AccountId}" in first


def test_validate_says_one_line_for_a_good_file_and_one_per_problem_for_a_bad_one(
    assembly: Any, tmp_path: Path
) -> None:
    file = tmp_path / "definition.json"
    definition = json.loads(definition_of_template(assembly("dev").template("pipeline")))
    file.write_text(json.dumps(definition))
    good = CliRunner().invoke(tunestack, ["definition", "validate", str(file)])
    assert (good.exit_code, len(good.output.splitlines())) == (0, 1)
    del definition["Steps"][0]["Arguments"]["RoleArn"]
    definition["Version"] = "1"
    file.write_text(json.dumps(definition))
    bad = CliRunner().invoke(tunestack, ["definition", "validate", str(file)])
    assert bad.exit_code == 1
    assert bad.output.splitlines() == [
        "invalid: Version: must be '2020-12-01', got '1'",
        "invalid: PrepareData: missing RoleArn",
    ]


def test_what_the_service_takes_and_a_policy_does_not_is_listed_and_refused_only_where_it_is_asked_for(
    assembly: Any, tmp_path: Path
) -> None:
    file = tmp_path / "definition.json"
    definition = json.loads(definition_of_template(assembly("dev").template("pipeline")))
    del definition["Steps"][0]["Arguments"]["ProcessingOutputConfig"]["KmsKeyId"]
    file.write_text(json.dumps(definition))
    answer = CliRunner().invoke(tunestack, ["definition", "validate", str(file)])
    assert answer.exit_code == 0
    policy = "policy output_key: PrepareData.ProcessingOutputConfig.KmsKeyId: missing"
    assert answer.output.startswith(policy) and "a valid definition" in answer.output
    assert CliRunner().invoke(tunestack, ["definition", "validate", "--strict", str(file)]).exit_code == 1


def test_a_file_that_is_not_json_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    for name, message in (("a.json", "not JSON"), ("b.json", "no such file")):
        answer = CliRunner().invoke(tunestack, ["definition", "validate", str(tmp_path / name)])
        assert answer.exit_code == 1 and message in str(answer.output) + str(answer.exception)
