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


def _grading(cell: dict[str, Any]) -> dict[str, Any]:
    metadata: dict[str, Any] = cell["metadata"].get("nbgrader", {})
    return metadata
