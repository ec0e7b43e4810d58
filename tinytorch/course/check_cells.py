"""Floor 4, the course office: the process in which a student's cells and their checks run.

`python -m tinytorch.course.check_cells` is started by `tinytorch.course.check` with a time limit and no terminal.
"""

from __future__ import annotations

import importlib
import linecache
import re
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from tinytorch.checks.cases import CheckFailed
from tinytorch.course.child import child_job
from tinytorch.course.export import lesson_file
from tinytorch.course.notebook import (
    LESSON_STAGES,
    LessonNotebook,
    check_namespace,
    read_notebook,
    run_check_cell,
)

UNWRITTEN, WRONG, BROKEN, RIGHT = "not yet written", "not right", "does not run", "right"

_LOST_NAME = re.compile(r"cannot import name '(\w+)' from 'tinytorch\.mlops\.\w+\.lesson'")


class LessonFinder(MetaPathFinder):
    """Finds the lessons in another folder than the package's own, so that they are tried before they are written.

    Parameters
    ----------
    package : Path
        A folder laid out as the package; where it has no lesson of a stage, the package's own is found.

    Examples
    --------
    >>> LessonFinder(Path("nowhere")).find_spec("tinytorch.mlops.drift.lesson") is None
    True
    """

    def __init__(self, package: Path) -> None:
        self._files = {
            f"tinytorch.mlops.{stage}.lesson": lesson_file(package, stage) for stage in LESSON_STAGES.values()
        }

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the lesson's own file, or None for whatever else is imported."""
        file = self._files.get(name)
        return spec_from_file_location(name, file) if file is not None and file.is_file() else None


def load_cells(notebook: LessonNotebook) -> tuple[ModuleType, dict[str, str]]:
    """Run the exported cells one by one, as Jupyter does: one that fails does not take the others along.

    Returns
    -------
    module, problems
        Cell id -> what it raised, in a sentence.
    """
    module = ModuleType(f"{notebook.stage}_cells")
    sys.modules[module.__name__] = module  # dataclasses look themselves up there
    problems = {}
    for cell in notebook.cells:
        if not (cell.exported or cell.solution):
            continue
        file = cell_file(cell.id)
        linecache.cache[file] = (len(cell.source), None, cell.source.splitlines(keepends=True), file)
        try:
            exec(compile(cell.source, file, "exec", dont_inherit=True), vars(module))
        except BaseException as error:  # a sys.exit in a cell must not end the check
            problems[cell.id] = f"cell {cell.id} stopped: {error_in_words(error)}"
    return module, problems


def cell_file(cell_id: str) -> str:
    """Return the file name that stands for a cell in a traceback.

    Examples
    --------
    >>> cell_file("check-alert")
    '<cell check-alert>'
    """
    return f"<cell {cell_id}>"


def judge_check(notebook: LessonNotebook, check_id: str, lesson: ModuleType) -> tuple[str, str]:
    """Run one check cell; return how it went (`RIGHT`, `UNWRITTEN`, `WRONG` or `BROKEN`) and a sentence."""
    try:
        run_check_cell(notebook, check_id, check_namespace(lesson))
    except CheckFailed as error:
        return (UNWRITTEN if "is not yet written" in str(error) else WRONG), str(error)
    except NameError as error:
        return BROKEN, f"{error.name} is not defined: is its cell still there, and its name unchanged?"
    except SyntaxError as error:
        return BROKEN, f"{check_id} does not parse (line {error.lineno}: {error.msg}): take this cell from the kit."
    except BaseException as error:  # whatever a student's code can raise becomes a sentence
        return BROKEN, f"{check_id} stopped: {error_in_words(error)}"
    return RIGHT, ""


def error_in_words(error: BaseException) -> str:
    """Return one sentence for what code raised.

    Examples
    --------
    >>> error_in_words(ZeroDivisionError("division by zero"))
    'ZeroDivisionError: division by zero.'
    >>> error_in_words(SystemExit())
    'the code called sys.exit, which ends the whole program; a function ends with `return`.'
    """
    if isinstance(error, SystemExit):
        return "the code called sys.exit, which ends the whole program; a function ends with `return`."
    if isinstance(error, SyntaxError):
        return f"it does not parse, line {error.lineno}: {error.msg}."
    return f"{type(error).__name__}: {error}.".replace("..", ".")


def import_problem(stage: str) -> str:
    """Import a stage with the student's lesson in it; return why that failed in a sentence, or an empty text."""
    try:
        importlib.import_module(f"tinytorch.mlops.{stage}")
    except BaseException as error:  # whatever a lesson raises on import
        lost = _LOST_NAME.search(str(error)) if isinstance(error, ImportError) else None
        return (
            f"it no longer defines {lost[1]}: was a cell deleted, or a name changed?" if lost else error_in_words(error)
        )
    return ""


class _Checker:
    """Does the tasks, and keeps the lessons that are loaded."""

    def __init__(self) -> None:
        self._loaded: dict[str, tuple[LessonNotebook, ModuleType]] = {}

    def do(self, task: dict[str, Any]) -> dict[str, Any]:
        """Do one task: load a notebook's cells, run one check, or import a stage."""
        if task["kind"] == "import":
            return {"problem": import_problem(task["stage"])}
        if task["kind"] == "load":
            return {"problems": self._load(task["notebook"])}
        if task["notebook"] not in self._loaded:
            self._load(task["notebook"])
        notebook, module = self._loaded[task["notebook"]]
        status, message = judge_check(notebook, task["check"], module)
        return {"status": status, "message": message}

    def _load(self, path: str) -> dict[str, str]:
        notebook = read_notebook(Path(path))
        module, problems = load_cells(notebook)
        self._loaded[path] = notebook, module
        return problems


def main() -> None:
    """Do every task of the job and report each."""
    job, report = child_job()
    sys.meta_path.insert(0, LessonFinder(Path(job["lessons"])))
    checker = _Checker()
    for task in job["tasks"]:
        report.begin()
        report.finish(**checker.do(task))
    report.leave()


if __name__ == "__main__":
    main()
