"""Run the check cells of a lesson's notebook on any function in place of a blank, without a kernel.

The check cells are the ones students are graded by: the tests of each lesson hand them typical wrong answers and
right answers written differently, and read the messages.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from tinytorch.course.notebook import check_namespace, notebook_path, read_notebook, run_check_cell

ROOT = Path(__file__).resolve().parents[1]


class LessonCells:
    """The cells of one notebook, and the lesson module that was exported from it."""

    def __init__(self, name: str, lesson: ModuleType) -> None:
        self.notebook = read_notebook(notebook_path(ROOT / "modules", name))
        self.cells: list[dict[str, Any]] = json.loads(self.notebook.path.read_text(encoding="utf-8"))["cells"]
        self.lesson = lesson

    @property
    def blanks(self) -> list[str]:
        """The names of the functions that students write, in order."""
        return [blank.name for blank in self.notebook.blanks]

    @property
    def checks(self) -> list[str]:
        """The ids of the graded cells, in order."""
        return [cell.id for cell in self.notebook.cells if cell.graded]

    def sizes(self) -> dict[str, int]:
        """The notebook's cells, words of prose, most lines of code in a cell, and most lines of a solution."""
        prose = [cell.source for cell in self.notebook.cells if cell.kind == "markdown"]
        code = [cell.source for cell in self.notebook.cells if cell.kind == "code"]
        solutions = [
            source.split("### BEGIN SOLUTION")[1].split("### END")[0] for source in code if "### BEGIN S" in source
        ]
        return {
            "cells": len(self.notebook.cells),
            "words": sum(len(text.split()) for text in prose),
            "code lines": max(_count_code_lines(source) for source in code),
            "solution lines": max(_count_code_lines(source) for source in solutions),
        }

    def run_check(self, check: str, **replaced: Callable[..., Any]) -> None:
        """Run one graded cell with some functions replaced; it raises what the student would see."""
        run_check_cell(self.notebook, check, check_namespace(self.lesson, **replaced))


def unwritten(*arguments: Any, **named: Any) -> Any:
    """What a student's notebook holds before anything is written."""
    raise NotImplementedError("write this part")


def _count_code_lines(source: str) -> int:
    """Lines that are neither empty nor a comment nor a docstring of one line."""
    lines = [line.strip() for line in source.splitlines()]
    return sum(bool(line) and not line.startswith(("#", '"""')) for line in lines)
