"""`tinytorch lab` finds the lessons, or says what is missing."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from tinytorch.cli.lab import FIRST_LESSON
from tinytorch.cli.main import main


def test_a_folder_that_is_not_there_is_named(tmp_path, capsys):
    assert main(["lab", "--modules", str(tmp_path / "nowhere")]) == 2
    assert "--modules must be a folder with the lessons, got" in capsys.readouterr().err


@pytest.fixture
def calls(monkeypatch) -> list[list[str]]:
    """The commands that would have been started."""
    commands: list[list[str]] = []
    monkeypatch.setattr(subprocess, "call", lambda command: commands.append(command) or 7)
    return commands


def test_jupyter_lab_is_started_above_the_lessons_and_its_exit_code_handed_on(tmp_path, calls):
    (tmp_path / "modules").mkdir()
    assert main(["lab", "--modules", str(tmp_path / "modules")]) == 7
    root, url = f"--ServerApp.root_dir={tmp_path.resolve()}", "--LabApp.default_url=/lab/tree/modules/"
    assert calls == [[sys.executable, "-m", "jupyterlab", root, url]]


def test_the_first_lesson_is_opened_where_it_is_there(tmp_path, calls):
    lesson = tmp_path / "modules" / FIRST_LESSON
    lesson.parent.mkdir(parents=True)
    lesson.touch()
    main(["lab", "--modules", str(tmp_path / "modules"), "--port", "8899", "--no-browser"])
    assert calls[0][-3:] == [
        f"--LabApp.default_url=/lab/tree/modules/{FIRST_LESSON}", "--ServerApp.port=8899", "--no-browser",
    ]  # fmt: skip


def test_without_jupyter_lab_the_line_that_installs_it_is_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["lab", "--modules", str(tmp_path)]) == 2
    assert 'pip install "tinytorch-mlops[course]"' in capsys.readouterr().err
