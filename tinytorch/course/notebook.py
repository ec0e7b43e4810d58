"""Floor 4, the course office: reads a lesson's notebook and runs its check cells, without a kernel.

It reads files through a path handed in, whole or damaged by whoever edited them, and imports no lesson.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from tinytorch.checks.cases import Case, check_cases

LESSON_STAGES = {
    "15a_monitoring": "monitor",
    "15b_drift": "drift",
    "15c_retraining": "retrain",
    "15d_deployment": "deploy",
}
"""Notebook -> the folder below tinytorch/mlops whose lesson.py it makes, in the order of the course."""

_CHECKED_NAME = re.compile(r"^check_cases\((\w+)", re.MULTILINE)
_DEFINED_NAME = re.compile(r"^def (\w+)\(", re.MULTILINE)


@dataclass(frozen=True)
class Cell:
    """One cell: its id, its kind ("code" or "markdown"), its text, and what nbgrader knows about it.

    Attributes
    ----------
    id, kind, source : str
    graded : bool
        It gives `points` if it runs without an error.
    solution : bool
        It is a blank: students write in it.
    points : float

    Examples
    --------
    >>> Cell("check-share", "code", "check_cases(share, cases)", graded=True, solution=False, points=2.0).points
    2.0
    """

    id: str
    kind: str
    source: str
    graded: bool = False
    solution: bool = False
    points: float = 0.0

    @property
    def exported(self) -> bool:
        """Tell whether the cell becomes part of lesson.py."""
        return self.kind == "code" and re.search(r"^#\s*\|\s*exports?\b", self.source, re.MULTILINE) is not None


@dataclass(frozen=True)
class Blank:
    """One function that students write, and the check cells that grade it.

    Attributes
    ----------
    name : str
        Of the function.
    cell_id : str
    check_ids : tuple of str
        The graded cells that follow it, up to the next blank.
    points : float
        The sum of theirs.

    Examples
    --------
    >>> Blank("share", "share", ("check-share",), 2.0).name
    'share'
    """

    name: str
    cell_id: str
    check_ids: tuple[str, ...]
    points: float


@dataclass(frozen=True)
class LessonNotebook:
    """One lesson: its name ("15a_monitoring"), the path of its notebook, and its cells in order.

    Examples
    --------
    >>> blank = Cell("half", "code", "def half(x):\\n    return x / 2", solution=True)
    >>> check = Cell("check-half", "code", "check_cases(half, cases)", graded=True, points=2.0)
    >>> lesson = LessonNotebook("15a_monitoring", Path("15a_monitoring.ipynb"), (blank, check))
    >>> lesson.blanks
    (Blank(name='half', cell_id='half', check_ids=('check-half',), points=2.0),)
    >>> lesson.lesson_module
    'tinytorch.mlops.monitor.lesson'
    """

    name: str
    path: Path
    cells: tuple[Cell, ...]

    @property
    def stage(self) -> str:
        """The folder below tinytorch/mlops that the lesson fills."""
        return LESSON_STAGES[self.name]

    @property
    def lesson_module(self) -> str:
        """The module that the notebook is exported to."""
        return f"tinytorch.mlops.{self.stage}.lesson"

    @cached_property
    def blanks(self) -> tuple[Blank, ...]:
        """The functions that students write, in order."""
        groups: list[tuple[Cell, list[Cell]]] = []
        for cell in self.cells:
            if cell.solution:
                groups.append((cell, []))
            elif cell.graded and groups:
                groups[-1][1].append(cell)
        return tuple(_as_blank(cell, checks) for cell, checks in groups)

    def cell(self, cell_id: str) -> Cell:
        """Return the cell with this id; ValueError if there is none."""
        for cell in self.cells:
            if cell.id == cell_id:
                return cell
        raise ValueError(f"cell_id must name a cell of {self.path.name}, got {cell_id!r}.")


def read_notebook(path: Path) -> LessonNotebook:
    """Read one lesson's notebook.

    Parameters
    ----------
    path : Path
        Its file name without the ending must be the lesson's full name.

    Raises
    ------
    ValueError
        If the file cannot be read, is no notebook, or is no lesson of this course.

    Examples
    --------
    >>> read_notebook(Path("nowhere/15a_monitoring.ipynb"))
    Traceback (most recent call last):
    ...
    ValueError: path must be a notebook that can be read, got '15a_monitoring.ipynb' (No such file or directory).
    """
    name = lesson_name(path.stem)
    rule = f"path must be a notebook that can be read, got {path.name!r}"
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        cells = tuple(_as_cell(cell, number) for number, cell in enumerate(content["cells"], start=1))
    except OSError as error:
        raise ValueError(f"{rule} ({error.strerror}).") from None
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{rule} (it is not what Jupyter writes: {error}).") from None
    return LessonNotebook(name, path, cells)


def find_notebooks(modules: Path) -> tuple[LessonNotebook, ...]:
    """Read the lessons' notebooks in `modules`, in the order of the course; those that are missing are left out.

    Raises
    ------
    ValueError
        If one of them cannot be read.

    Examples
    --------
    >>> find_notebooks(Path("nowhere"))
    ()
    """
    paths = [notebook_path(modules, name) for name in LESSON_STAGES]
    return tuple(read_notebook(path) for path in paths if path.is_file())


def notebook_path(modules: Path, name: str) -> Path:
    """Return where the notebook of a lesson stands.

    Examples
    --------
    >>> notebook_path(Path("modules"), "15b_drift").as_posix()
    'modules/15b_drift/15b_drift.ipynb'
    """
    return modules / name / f"{name}.ipynb"


def lesson_name(text: str) -> str:
    """Return the full name of the lesson that `text` means: its number, its topic or its full name.

    Raises
    ------
    ValueError
        If there is no such lesson.

    Examples
    --------
    >>> lesson_name("15a"), lesson_name("drift"), lesson_name("15c_retraining")
    ('15a_monitoring', '15b_drift', '15c_retraining')
    >>> lesson_name("16")
    Traceback (most recent call last):
    ...
    ValueError: lesson must be one of 15a_monitoring, 15b_drift, 15c_retraining, 15d_deployment, got '16'.
    """
    wanted = text.lower()
    for name in LESSON_STAGES:
        if wanted in (name, *name.split("_")):
            return name
    raise ValueError(f"lesson must be one of {', '.join(LESSON_STAGES)}, got {text!r}.")


def check_namespace(lesson: ModuleType, **replaced: Callable[..., Any]) -> dict[str, Any]:
    """Return the names that a check cell sees: the lesson's, `np`, `Case` and `check_cases`.

    Parameters
    ----------
    lesson : module
        What was exported from the notebook.
    replaced : callable
        Functions that stand in for the lesson's of the same name. Each is given that name, which messages show.

    Examples
    --------
    >>> import math
    >>> check_namespace(math, sqrt=lambda number: 1.0)["sqrt"].__name__
    'sqrt'
    """
    for name, function in replaced.items():
        with contextlib.suppress(AttributeError, TypeError):  # what is built in keeps its name
            function.__name__ = name
    return {**vars(lesson), "np": np, "Case": Case, "check_cases": check_cases, **replaced}


def run_check_cell(notebook: LessonNotebook, check_id: str, namespace: dict[str, Any]) -> None:
    """Run one check cell in `namespace`, which it may add names to.

    Raises
    ------
    CheckFailed
        If the blank is unfinished or wrong, with the message that the student would see.
    ValueError
        If there is no such cell.

    Examples
    --------
    >>> import math
    >>> check = Cell("check-abs", "code", "check_cases(abs, [Case((-2,), 2)])", graded=True, points=1.0)
    >>> run_check_cell(LessonNotebook("15a_monitoring", Path(), (check,)), "check-abs", check_namespace(math))
    abs: right in 1 of 1 cases.
    """
    exec(compile(notebook.cell(check_id).source, check_id, "exec", dont_inherit=True), namespace)


def _as_cell(cell: dict[str, Any], number: int) -> Cell:
    """Read one cell; Jupyter writes the text as a list of lines, other editors as one text."""
    grading = cell.get("metadata", {}).get("nbgrader", {})
    source = cell.get("source", "")
    return Cell(
        id=cell.get("id") or grading.get("grade_id") or f"cell {number}",
        kind=cell["cell_type"],
        source=source if isinstance(source, str) else "".join(source),
        graded=bool(grading.get("grade")),
        solution=bool(grading.get("solution")),
        points=float(grading.get("points") or 0.0),
    )


def _as_blank(cell: Cell, checks: list[Cell]) -> Blank:
    """Name the blank as its first check calls it: whoever writes in the cell may add functions or rename one."""
    found = [name for check in checks for name in _CHECKED_NAME.findall(check.source)]
    found += [*_DEFINED_NAME.findall(cell.source), cell.id]
    return Blank(found[0], cell.id, tuple(check.id for check in checks), sum(check.points for check in checks))
