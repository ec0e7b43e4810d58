"""The four stages: each re-exports every function and class of its files, by name."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest


@pytest.mark.parametrize("stage", ["monitor", "drift", "retrain", "deploy"])
def test_a_stage_re_exports_the_public_functions_and_classes_of_its_files(stage: str):
    package = importlib.import_module(f"tinytorch.mlops.{stage}")
    files = [item.name for item in pkgutil.iter_modules(package.__path__) if not item.name.startswith("_")]
    assert "lesson" in files
    wanted = {}
    for file in files:
        module = importlib.import_module(f"tinytorch.mlops.{stage}.{file}")
        for name, value in vars(module).items():
            made_here = (inspect.isfunction(value) or inspect.isclass(value)) and value.__module__ == module.__name__
            if made_here and not name.startswith("_"):
                wanted[name] = value
    assert {name: getattr(package, name, None) for name in wanted} == wanted
    assert set(wanted) <= set(package.__all__)
