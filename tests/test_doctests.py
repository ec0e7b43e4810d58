"""Every example in a docstring of the package is true."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path
from types import ModuleType

import architecture_rules as rules
import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(rules.SourceTree(ROOT).modules - {"tinytorch.__main__", "tinytorch.cli.__main__"})
NEED_EXTRAS = ("tinytorch.adapters", "tinytorch.course", "tinytorch.cli")
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def load(name: str) -> ModuleType:
    """Import a module; skip one of an upper floor whose extra is not installed here."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing == "tinytorch" or not name.startswith(NEED_EXTRAS):
            raise
        pytest.skip(f"{missing} is not installed (an extra brings it)")


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_are_true(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load(name)
    monkeypatch.chdir(tmp_path)  # an example that writes a file leaves nothing behind
    assert doctest.testmod(module, optionflags=OPTIONS).failed == 0


def test_examples_are_found() -> None:
    assert doctest.testmod(load("tinytorch._arguments"), optionflags=OPTIONS).attempted > 0


def test_a_false_example_fails() -> None:
    module = ModuleType("wrong")
    module.__doc__ = ">>> 1 + 1\n3\n"
    assert doctest.testmod(module, optionflags=OPTIONS).failed == 1
