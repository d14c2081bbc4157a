"""`constructs/` is an import root and never a package: PyPI's package of that name must be the one that is found."""

import constructs

from tests.conftest import ROOT


def test_constructs_is_pypis_package() -> None:
    # An __init__.py here would break every import of aws_cdk: "No module named 'constructs._jsii'".
    assert not (ROOT / "constructs" / "__init__.py").exists()
    assert not (ROOT / "tests" / "constructs").exists()
    assert constructs.__file__ is not None and "site-packages" in constructs.__file__
    assert hasattr(constructs, "Construct")
