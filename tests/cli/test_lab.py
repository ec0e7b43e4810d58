"""`tinytorch lab` finds the lessons, or says what is missing."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

from tinytorch.cli.main import main


def test_a_folder_that_is_not_there_is_named(tmp_path, capsys):
    assert main(["lab", "--modules", str(tmp_path / "nowhere")]) == 2
    assert "--modules must be a folder with the lessons, got" in capsys.readouterr().err


def test_jupyter_lab_is_started_on_the_lessons_and_its_exit_code_handed_on(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(subprocess, "call", lambda command: calls.append(command) or 7)
    assert main(["lab", "--modules", str(tmp_path)]) == 7
    assert calls == [[sys.executable, "-m", "jupyterlab", str(tmp_path)]]


def test_without_jupyter_lab_the_line_that_installs_it_is_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["lab", "--modules", str(tmp_path)]) == 2
    assert 'pip install "tinytorch-mlops[course]"' in capsys.readouterr().err
