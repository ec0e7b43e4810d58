"""The next steps that commands print are what the README beside them names, and can be typed as they stand."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tinytorch.cli import invocation
from tinytorch.cli.invocation import shown_step, with_shown_steps

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder whose own .venv runs, entered, on a machine with make and no `tinytorch` on the path."""
    python = tmp_path / ".venv" / "bin" / "python"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/make" if name == "make" else None)
    return tmp_path


@pytest.fixture
def kit(folder):
    shutil.copyfile(ROOT / "kit" / "Makefile", folder / "Makefile")
    return folder


def test_in_a_kit_the_steps_are_those_of_its_readme(kit):
    readme = (ROOT / "kit" / "README.md").read_text(encoding="utf-8").split()
    steps = [shown_step("check"), shown_step("check", "15a"), shown_step("demo", "--mine"), shown_step("doctor")]
    assert [*steps, shown_step("lab")] == ["make check", "make check ARGS=15a", "make demo", "make doctor", "make lab"]
    for step in steps:
        assert " ".join(step.split()) in " ".join(readme)


def test_more_words_are_quoted_for_make(kit):
    assert shown_step("demo", "--mine", "--drift", "blur") == "make demo ARGS='--drift blur'"


def test_what_make_would_do_otherwise_is_shown_in_full(kit):
    assert shown_step("demo", "--drift", "blur").endswith("python -m tinytorch.cli demo --drift blur")
    assert shown_step("grade", "submissions").endswith("python -m tinytorch.cli grade submissions")


def test_in_the_repository_make_does_the_lab_and_the_demo_alone(folder):
    shutil.copyfile(ROOT / "Makefile", folder / "Makefile")
    assert (shown_step("lab"), shown_step("demo")) == ("make lab", "make demo")
    assert shown_step("check", "15a").endswith("python -m tinytorch.cli check 15a")


def test_without_make_or_from_another_python_the_step_is_shown_in_full(kit, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(kit / "elsewhere"))
    assert shown_step("lab").endswith("python -m tinytorch.cli lab")
    monkeypatch.setattr(sys, "prefix", str(kit / ".venv"))
    monkeypatch.setattr(invocation.shutil, "which", lambda name: None)
    assert shown_step("lab").endswith("python -m tinytorch.cli lab")


def test_advice_names_the_step_as_it_can_be_typed_here(kit):
    assert with_shown_steps("save the notebook; tinytorch check 15a") == "save the notebook; make check ARGS=15a"
    assert with_shown_steps("tinytorch check says what is wrong") == "make check says what is wrong"
