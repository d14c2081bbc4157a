"""A user's mistake, and what the machine or AWS refuses: one message with what helps, and never a traceback."""

import errno
import json
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
)
from click.testing import CliRunner

from tunestack.catalogue.models import model_configs
from tunestack.cli import main as cli
from tunestack.cli.aws_errors import in_words
from tunestack.cli.main import tunestack
from tunestack.errors import UserError
from tunestack.local import lifecycle, local_aws
from tunestack.settings.loading import load_settings
from tunestack.settings.problems import SettingsError
from tunestack.sizing.model.model_source import find_model
from tunestack.uploads import UploadError
from tunestack.uploads.data_set import check_data_file

SMALL = "HuggingFaceTB/SmolLM2-135M-Instruct"


def refused(*arguments: str) -> str:
    answer = CliRunner().invoke(tunestack, arguments)
    assert answer.exit_code == 2 and not isinstance(answer.exception, (TypeError, KeyError)), answer.output
    return answer.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tunr"], "no such command 'tunr'; did you mean 'tune'?"),
        (["models", "aprove"], "no such command 'aprove'; did you mean 'approve'?"),
        (["local", "up", "--port", "99999"], "99999 is not in the range 1<=x<=65535"),
        (["run", "--alow", "memory"], "Did you mean"),
        (["executions", "--limit", "0"], "0 is not in the range"),
        (["tune"], "Missing argument"),
    ],
)
def test_a_wrong_command_line_is_answered_with_what_would_be_right(arguments: list[str], message: str) -> None:
    assert message in refused(*arguments)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (NoCredentialsError(), "aws sso login"),
        (ProfileNotFound(profile="mine"), "aws configure list-profiles"),
        (PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), "set both, or neither"),
        (ProxyConnectionError(proxy_url="http://p:1"), "HTTPS_PROXY names a proxy that doesn't answer"),
        (ClientError({"Error": {"Code": "RequestTimeTooSkewed", "Message": "old"}}, "GetObject"), "clock is off"),
        (ClientError({"Error": {"Code": "SignatureDoesNotMatch", "Message": "Signature expired: now"}}, "A"), "clock is off"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:4566"), "`tunestack local up`"),
        (EndpointConnectionError(endpoint_url="https://s3.eu-west-1.amazonaws.com"), "is there a way to the internet"),
        (ClientError({"Error": {"Code": "ExpiredToken", "Message": "old"}}, "GetObject"), "the session has ended"),
        (ClientError({"Error": {"Code": "InvalidClientTokenId", "Message": "no"}}, "GetCallerIdentity"), "of no account"),
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject"), "docs/permissions.md"),
    ],
)  # fmt: skip
def test_what_aws_refuses_says_what_helps(error: Exception, message: str) -> None:
    words = in_words(error)
    assert words.startswith("AWS says: ") and message in words


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device", "/full/file"),
        IsADirectoryError(errno.EISDIR, "Is a directory", "/a/folder"),
        PermissionError(errno.EACCES, "Permission denied", "/read/only"),
    ],
)
def test_what_the_machine_refuses_is_one_line_with_the_place(error: OSError, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise error

    monkeypatch.setattr(cli, "tunestack", broken)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == f"error: {error.strerror}: {error.filename}"


def test_a_bug_is_still_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing: dict[str, str] = {}
    monkeypatch.setattr(cli, "tunestack", lambda: nothing["bug"])
    with pytest.raises(KeyError):
        cli.main()


def test_a_folder_where_a_file_belongs_is_said(tmp_path: Path) -> None:
    with pytest.raises(UploadError, match="is a folder: name the files in it"):
        check_data_file(tmp_path)


def test_the_local_aws_says_where_it_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(lifecycle.LocalAwsError, match="the local AWS runs on Linux"):
        lifecycle.up(local_aws(tmp_path), port=1)


def test_every_command_has_a_line_of_help_and_is_imported() -> None:
    context = click.Context(tunestack)
    for name in tunestack.list_commands(context):
        command = tunestack.get_command(context, name)
        assert command is not None and command.get_short_help_str(), name


def said(*arguments: str) -> str:
    answer = CliRunner().invoke(tunestack, arguments)
    assert answer.exit_code == 1 and isinstance(answer.exception, UserError), answer.output
    return str(answer.exception)


@pytest.mark.parametrize(
    ("content", "message"), [("[" * 100_000, "nested too deeply"), ("{", "not JSON"), ("", "not JSON")]
)
def test_a_definition_that_is_none_is_said_to_be(content: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "definition.json"
    file.write_text(content)
    assert message in said("definition", "validate", str(file))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"Resources": {}, "Metadata": {"tunestack:cost": {}}}', "isn't what this version of the kit writes"),
    ],
)
def test_an_assembly_of_another_kit_is_said_to_be(content: str, message: str, tmp_path: Path) -> None:
    artifact = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "m.template.json"}}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"m": artifact}}))
    (tmp_path / "m.template.json").write_text(content)
    assert message in said("cost", "diff", str(tmp_path), str(tmp_path))


def test_without_node_it_is_node_that_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "node isn't on the PATH" in said("definition", "show", "--env", "dev")


def test_an_endpoint_that_is_none_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost:4566")
    assert "AWS_ENDPOINT_URL must be http://HOST" in said("executions", "--env", "dev")


@pytest.mark.parametrize("content", [b"PAR1" + bytes(50) + b"PAR1", b'{"a": 1}\n' * 9, b"PAR1"])
def test_what_is_called_parquet_is_looked_at(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    file.write_bytes(content)
    with pytest.raises(UploadError, match="is not Parquet, or only a part of it"):
        check_data_file(file)


@pytest.mark.parametrize("name", ["Z_z", "../dev", "dev.old"])
def test_an_environment_s_name_can_be_in_a_stack_s_name(name: str, tmp_path: Path) -> None:
    (tmp_path / f"{Path(name).name}.yaml").write_text("")
    with pytest.raises(SettingsError, match="lower-case letters, digits and '-'|no environment"):
        load_settings(name, config=tmp_path)


def test_what_fills_a_screen_is_said_in_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["tunestack", "plan", "--model", "x" * 5000])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert "xxx…" in str(ended.value) and len(str(ended.value)) < 400


def test_a_config_json_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    config = dict(model_configs()["meta-llama/Llama-3.2-1B"])
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(config).encode())
    assert find_model(str(file)).depth == 16


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["memory", "--model", "no/such.json"], "no such file: 'no/such.json'; name the model's config.json"),
        (["memory", "--model", "."], "a folder without a config.json: '.'"),
        (["memory", "--model", SMALL, "--method", "frozen"], "--method frozen needs --trainable-layers"),
        (["memory", "--model", SMALL, "--sync-each-batch"], "--sync-each-batch goes with --sharding fsdp"),
        (["plan", "--model", SMALL, "--instance-type", "ml.G5.2xlarge"], "did you mean 'ml.g5.2xlarge'?"),
    ],
)
def test_what_sizing_can_t_take_says_what_it_takes(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in str(CliRunner().invoke(tunestack, arguments).exception)


@pytest.mark.parametrize("content", ["[]", "null", "1"])
def test_a_definition_is_an_object(content: str, tmp_path: Path) -> None:
    file = tmp_path / "definition.json"
    file.write_text(content)
    answer = CliRunner().invoke(tunestack, ["definition", "validate", str(file)])
    assert f"{file}: must be a JSON object, got {content}" in str(answer.exception)


def test_a_device_is_no_data_file() -> None:
    with pytest.raises(UploadError, match="/dev/null: is no regular file"):
        check_data_file(Path("/dev/null"))
