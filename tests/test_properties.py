"""Whatever a file or an option holds: it is taken, or refused with a message of the place; never a traceback."""

import json
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conftest import CONFIG
from tunestack.cli.run_options import parse_params
from tunestack.definition.validation import validate
from tunestack.errors import UserError
from tunestack.executions.parameters import declared_parameters, parameter_values, wrong_parameters
from tunestack.planning.blueprint import blueprint_of
from tunestack.settings.loading import Settings, load_settings
from tunestack.settings.problems import SettingsError
from tunestack.uploads import UploadError, inspect_data_set, inspect_questions

often = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
DEV = load_settings("dev")
DEFINITION = blueprint_of(DEV).definition
SHIPPED = {
    "dev.yaml": (CONFIG / "dev.yaml").read_text(),
    "recipes/smollm2-135m-qlora.yaml": (CONFIG / "recipes" / "smollm2-135m-qlora.yaml").read_text(),
}

texts = st.text(max_size=30)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(), texts,
    st.sampled_from(["", " ", "..", "../x", "s3://", "s3://a", "１２", "1e3", "null", "ml.g5.2xlarge", "\x00", "\ud800"]),
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)


def load(files: dict[str, bytes]) -> Settings | None:
    """An environment of these files, or None where it is refused as it should be."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder)
        (config / "recipes").mkdir()
        for name, content in {**{name: text.encode() for name, text in SHIPPED.items()}, **files}.items():
            (config / name).write_bytes(content)
        try:
            return load_settings("dev", config=config)
        except SettingsError as error:
            lines = str(error).splitlines()
            assert lines and all(line.startswith("config/") and len(line) < 1000 for line in lines), lines
            return None


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], new)
    return copy


@often
@given(st.sampled_from(sorted(SHIPPED)), st.data(), values)
def test_any_value_at_any_place_of_a_settings_file(name: str, data: st.DataObject, value: Any) -> None:
    good = yaml.safe_load(SHIPPED[name])
    changed = replaced(good, data.draw(st.sampled_from(places(good))), value)
    try:
        text = yaml.safe_dump(changed)
    except (yaml.YAMLError, UnicodeError):
        return
    found = load({name: text.encode(errors="surrogatepass")})
    if found is not None:
        # What is taken is synthesized, or refused with a reason.
        with suppress(UserError):
            blueprint_of(found)


@often
@given(st.sampled_from(sorted(SHIPPED)), st.binary(max_size=60), st.integers(0, 400))
@example("dev.yaml", b"\x00", 0)
@example("dev.yaml", b"&a [*a]", 0)
@example("dev.yaml", b"? {a: b}\n: c\n", 0)
@example("dev.yaml", b"- ", 0)
@example("dev.yaml", b"<<: 1\n", 0)
@example("dev.yaml", b"!!python/object:x {}\n", 0)
def test_any_bytes_in_a_settings_file(name: str, junk: bytes, place: int) -> None:
    text = SHIPPED[name].encode()
    load({name: text[:place] + junk + text[place:]})


@often
@given(st.lists(st.one_of(values.map(lambda value: json.dumps(value).encode()), st.binary(max_size=40)), max_size=12))
@example([b'{"instruction": 1e999, "response": "a"}'])
@example([b"[" * 3000])
@example([b'{"messages": [{"role": "user", "content": "\\ud800"}]}'])
def test_any_lines_of_a_data_file_and_of_questions(lines: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for suffix in (".jsonl", ".csv"):
            file = Path(folder) / f"data{suffix}"
            file.write_bytes(b"\n".join(lines))
            try:
                view = inspect_data_set([file], DEV.recipe)
            except UploadError as error:
                assert str(error)
            else:
                assert view is not None and sum(view.splits.values()) == view.rows
        questions = Path(folder) / "data.jsonl"
        try:
            found = inspect_questions(questions)
        except UploadError as error:
            assert str(error)
        else:
            assert sum(found.reasons.values()) < found.lines


@often
@given(st.sampled_from(sorted(declared_parameters(DEFINITION))), st.one_of(texts, scalars.map(str)))
@example("MaxSteps", "１２")
@example("MaxSteps", "1_0")
@example("LearningRate", "nan")
@example("LearningRate", "inf")
@example("DataUri", "s3://bucket/\x00")
def test_any_value_of_any_parameter(name: str, value: str) -> None:
    declared = declared_parameters(DEFINITION)
    try:
        chosen = parse_params((f"{name}={value}",))
        problems = list(wrong_parameters(declared, chosen, DEV.recipe))
    except UserError as error:
        problems = [str(error)]
    if not problems:
        # What is taken is what was meant: the definition's type reads it, in plain digits.
        read = parameter_values(declared, chosen)[name]
        assert declared[name]["Type"] == "String" or (value.isascii() and "_" not in value and read == read)
    assert all(name in problem for problem in problems)


@often
@given(st.data(), values)
def test_any_value_at_any_place_of_a_definition(data: st.DataObject, value: Any) -> None:
    place = data.draw(st.sampled_from(places(json.loads(json.dumps(DEFINITION)))))
    changed = replaced(json.loads(json.dumps(DEFINITION)), place, value)
    assert all(str(finding) for finding in validate(changed))
