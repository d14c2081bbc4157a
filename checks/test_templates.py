"""The team's templates and definitions are as they were accepted: `make check` compares, `make snapshots` accepts.

They lie beside the settings, in `config/snapshots/`: commit them, and a reviewer sees what a change deploys.
"""

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation

from tunestack.layout import StackName
from tunestack.settings.recipe import CONFIG_FOLDER
from tunestack.template.assembly import Assembly
from tunestack.template.readable import ReadableStack, as_yaml

ACCEPTED = CONFIG_FOLDER / "snapshots"


class _Accepted(SingleFileSnapshotExtension):
    _write_mode = WriteMode.TEXT
    file_extension = "yaml"

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        return str(ACCEPTED / test_location.basename)


def test_template(
    env: str, assembly: Assembly, part: str, snapshot: SnapshotAssertion, pytestconfig: pytest.Config
) -> None:
    if not ACCEPTED.is_dir() and not pytestconfig.option.update_snapshots:
        pytest.skip("no template was accepted yet: `make snapshots` keeps them in config/snapshots/")
    if part == "definition":
        found = ReadableStack(assembly, env, StackName.PIPELINE).definition()
    else:
        found = ReadableStack(assembly, env, part).template()
    assert as_yaml(found) == snapshot(extension_class=_Accepted)
