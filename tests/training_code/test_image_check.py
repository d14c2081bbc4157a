"""The image's own check: a base that doesn't fit fails the build, and not a paid job."""

from pathlib import Path

import pytest
import torch
from tunestack_training import image_check

PINS = (Path(__file__).parents[2] / "training_code" / "requirements.txt").read_text()


def test_this_environment_passes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(PINS)
    build = f"cu{torch.version.cuda.replace('.', '')}" if torch.version.cuda else "cpu"
    code = image_check.main([str(tmp_path / "requirements.txt"), build])
    said = capsys.readouterr().out
    assert code == 0 or all("compiler" in line or "compile" in line for line in said.splitlines()), said


def test_another_python_is_named() -> None:
    (problem,) = image_check.python_problems((3, 12))
    assert "must have Python 3.11" in problem and "it has 3.12" in problem


def test_a_pin_that_isn_t_met_is_named_and_a_build_s_suffix_is_no_other_version() -> None:
    wanted = torch.__version__.partition("+")[0]
    pins = f"# comment\ntorch=={wanted}\ntrl==0.1\nno-such-package==1.0\n"
    assert list(image_check.pin_problems(pins)) == [
        f"trl must be 0.1, is {__import__('trl').__version__}",
        "no-such-package must be 1.0; it isn't installed",
    ]


def test_every_import_that_fails_is_named() -> None:
    (problem,) = image_check.import_problems(("json", "no_such_module"))
    assert problem.startswith("no_such_module can't be imported: ModuleNotFoundError")


def test_torch_for_other_hosts_is_named() -> None:
    (problem,) = image_check.build_problems("cu999")
    assert "must be the cu999 build" in problem


def test_a_missing_compiler_is_named() -> None:
    (problem,) = image_check.compiler_problems("no-such-compiler")
    assert problem.startswith("no C compiler (no-such-compiler)")


def test_headers_that_are_missing_are_named(tmp_path: Path) -> None:
    broken = tmp_path / "gcc"
    broken.write_text("#!/bin/sh\necho 'Python.h: No such file' >&2\nexit 1\n")
    broken.chmod(0o755)
    (problem,) = image_check.compiler_problems(str(broken))
    assert "can't compile against Python's headers" in problem and "Python.h" in problem
