"""`make demo` itself runs in CI's shell at most by hand: here it is at least whole."""

import importlib


def test_the_demo_imports_all_that_it_calls() -> None:
    assert callable(importlib.import_module("demo.__main__").main)
