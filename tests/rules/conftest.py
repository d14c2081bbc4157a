"""The templates that prod deploys, to be changed for the worse."""

from typing import Any

import pytest


@pytest.fixture(scope="session")
def templates(assembly: Any) -> dict[str, Any]:
    """Prod's templates by their stacks' names; a test that changes them copies them first."""
    found: dict[str, Any] = assembly("prod").templates
    return found
