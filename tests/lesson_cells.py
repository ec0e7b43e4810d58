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

import numpy as np

from tinytorch.checks.cases import Case, check_cases

ROOT = Path(__file__).resolve().parents[1]


class LessonCells:
    """The cells of one notebook, and the lesson module that was exported from it."""

    def __init__(self, name: str, lesson: ModuleType) -> None:
        notebook = json.loads((ROOT / "modules" / name / f"{name}.ipynb").read_text(encoding="utf-8"))
        self.cells: list[dict[str, Any]] = notebook["cells"]
        self.lesson = lesson

    @property
    def blanks(self) -> list[str]:
        """The names of the functions that students write, in order."""
        sources = ["".join(cell["source"]) for cell in self.cells if _grading(cell).get("solution")]
        return [source.split("def ", 1)[1].split("(", 1)[0] for source in sources]

    @property
    def checks(self) -> list[str]:
        """The ids of the graded cells, in order."""
        return [cell["id"] for cell in self.cells if _grading(cell).get("grade")]

    def sizes(self) -> dict[str, int]:
        """The notebook's cells, words of prose, most lines of code in a cell, and most lines of a solution."""
        prose = ["".join(cell["source"]) for cell in self.cells if cell["cell_type"] == "markdown"]
        code = ["".join(cell["source"]) for cell in self.cells if cell["cell_type"] == "code"]
        solutions = [
            source.split("### BEGIN SOLUTION")[1].split("### END")[0] for source in code if "### BEGIN S" in source
        ]
        return {
            "cells": len(self.cells),
            "words": sum(len(text.split()) for text in prose),
            "code lines": max(_count_code_lines(source) for source in code),
            "solution lines": max(_count_code_lines(source) for source in solutions),
        }

    def run_check(self, check: str, **replaced: Callable[..., Any]) -> None:
        """Run one graded cell with some functions replaced; it raises what the student would see."""
        namespace = {**vars(self.lesson), "np": np, "Case": Case, "check_cases": check_cases}
        for name, function in replaced.items():
            function.__name__ = name
            namespace[name] = function
        cell = next(cell for cell in self.cells if cell["id"] == check)
        exec(compile("".join(cell["source"]), check, "exec"), namespace)


def unwritten(*arguments: Any, **named: Any) -> Any:
    """What a student's notebook holds before anything is written."""
    raise NotImplementedError("write this part")


def _count_code_lines(source: str) -> int:
    """Lines that are neither empty nor a comment nor a docstring of one line."""
    lines = [line.strip() for line in source.splitlines()]
    return sum(bool(line) and not line.startswith(("#", '"""')) for line in lines)


def _grading(cell: dict[str, Any]) -> dict[str, Any]:
    metadata: dict[str, Any] = cell["metadata"].get("nbgrader", {})
    return metadata
