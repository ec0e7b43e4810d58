"""Floor 4, the course office: points for each blank of a student's own notebook, and its lesson.py, in a second.

Reads notebooks and writes lesson.py; the student's code runs in a process of its own (`check_cells`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import tinytorch
from tinytorch.course.check_cells import BROKEN, RIGHT
from tinytorch.course.child import DEFAULT_TIME_LIMIT_S, ChildOutcome, run_child
from tinytorch.course.export import export_aside, install_lesson, lesson_file, parse_problems
from tinytorch.course.notebook import Blank, LessonNotebook, read_notebook

_CELLS_MODULE = "tinytorch.course.check_cells"
_CELL = "<cell "


@dataclass(frozen=True)
class BlankResult:
    """The points of one blank.

    Attributes
    ----------
    blank : str
        Name of the function.
    cell_id : str
    status : str
        "right", "not yet written", "not right" or "stopped".
    earned, points : float
    message : str
        What the first failing check said; empty if there is none.

    Examples
    --------
    >>> BlankResult("share", "share", "right", 2.0, 2.0, "").status
    'right'
    """

    blank: str
    cell_id: str
    status: str
    earned: float
    points: float
    message: str


@dataclass(frozen=True)
class LessonResult:
    """The points of one lesson, and whether its lesson.py was written.

    Attributes
    ----------
    name : str
    blanks : tuple of BlankResult
    refused : str
        Why lesson.py was left as it was, in a sentence; empty if it is in step with the notebook.
    target : str
        The lesson.py; empty if no package stands beside the notebooks.

    Examples
    --------
    >>> LessonResult("15a_monitoring", (BlankResult("share", "share", "right", 2.0, 2.0, ""),), "", "").finished
    True
    """

    name: str
    blanks: tuple[BlankResult, ...]
    refused: str
    target: str

    @property
    def earned(self) -> float:
        """The points so far."""
        return sum(blank.earned for blank in self.blanks)

    @property
    def points(self) -> float:
        """The points that can be earned."""
        return sum(blank.points for blank in self.blanks)

    @property
    def finished(self) -> bool:
        """Tell whether every blank is right and the lesson could be exported."""
        return bool(self.blanks) and all(blank.status == RIGHT for blank in self.blanks) and not self.refused

    def to_dict(self) -> dict[str, Any]:
        """Return what a program might read."""
        return {**asdict(self), "earned": self.earned, "points": self.points, "finished": self.finished}


def check_lessons(
    notebooks: Sequence[LessonNotebook], asked: Sequence[str], folder: Path, limit_s: float = DEFAULT_TIME_LIMIT_S
) -> tuple[LessonResult, ...]:
    """Export every notebook that is sound, and run the checks of those that are asked for.

    Parameters
    ----------
    notebooks : sequence of LessonNotebook
        All that there are: the lessons work together.
    asked : sequence of str
        Names of lessons.
    folder : Path
        An empty folder; the exported lessons stand in its `tinytorch` afterwards.
    limit_s : float
        For one check.

    Returns
    -------
    tuple of LessonResult
        One for each notebook that is asked for.
    """
    refused = {notebook.name: export_aside(notebook, folder) for notebook in notebooks}
    sound = [notebook for notebook in notebooks if not refused[notebook.name]]
    wanted = [notebook for notebook in notebooks if notebook.name in asked]
    tasks = [*map(_import_task, sound), *chain.from_iterable(map(_cell_tasks, wanted))]
    results = iter(_run_all(tasks, folder / "tinytorch", limit_s))
    refused |= {notebook.name: _write_lesson(notebook, next(results), folder) for notebook in sound}
    return tuple(
        LessonResult(notebook.name, _judge_blanks(notebook, results), refused[notebook.name], _target(notebook))
        for notebook in wanted
    )


def package_beside(modules: Path) -> Path | None:
    """Return the package `tinytorch` that stands beside the folder of the notebooks, if there is one.

    Examples
    --------
    >>> package_beside(Path("nowhere/modules")) is None
    True
    """
    package = modules.resolve().parent / "tinytorch"
    return package if (package / "mlops").is_dir() else None


def home_of(modules: Path) -> Path:
    """Return the folder whose `tinytorch` runs with these notebooks: theirs, or else the one that is imported."""
    package = package_beside(modules)
    return (package or Path(tinytorch.__file__).parent).parent


def _import_task(notebook: LessonNotebook) -> dict[str, Any]:
    return {"kind": "import", "notebook": str(notebook.path.resolve()), "stage": notebook.stage}


def _cell_tasks(notebook: LessonNotebook) -> list[dict[str, Any]]:
    """The tasks of one notebook: load its cells, then each check."""
    path = str(notebook.path.resolve())
    checks = [check for blank in notebook.blanks for check in blank.check_ids]
    return [
        {"kind": "load", "notebook": path},
        *({"kind": "check", "notebook": path, "check": check} for check in checks),
    ]


def _run_all(tasks: list[dict[str, Any]], lessons: Path, limit_s: float) -> list[dict[str, Any]]:
    """Do every task; where one takes the process with it, go on behind it in a new process."""
    results: list[dict[str, Any]] = []
    home = home_of(Path(tasks[-1]["notebook"]).parents[1]) if tasks else lessons
    while len(results) < len(tasks):
        rest = tasks[len(results) :]
        outcome = run_child(_CELLS_MODULE, rest, home, lessons=str(lessons), limit_s=limit_s)
        results += outcome.results
        if len(outcome.results) == len(rest):
            break
        lost = tasks[len(results)]
        sentence = _what_was_lost(lost, outcome, limit_s)
        results.append({"lost": sentence})
        if lost["kind"] == "load":  # its checks would load it again, and be lost alike
            n_checks = sum(task["kind"] == "check" and task["notebook"] == lost["notebook"] for task in tasks)
            results += [{"lost": sentence}] * n_checks
    return results


def _what_was_lost(task: dict[str, Any], outcome: ChildOutcome, limit_s: float) -> str:
    """Say why a task has no result: its time was up, or it ended the process."""
    subject = {"check": task.get("check"), "load": "running the cells"}.get(task["kind"], "importing the lesson")
    if not outcome.late:
        return f"{subject} ended the whole process (exit code {outcome.exit_code}): a function ends with `return`."
    late = f"{subject} did not finish within {limit_s:g} s: is there a loop that never ends?"
    place = next((frame for frame in outcome.running if frame.file.startswith(_CELL)), None)
    if place is None:
        return late
    cell = read_notebook(Path(task["notebook"])).cell(place.file.removeprefix(_CELL).rstrip(">"))
    line = cell.source.splitlines()[place.line - 1].strip()
    return f"{late} It was at line {place.line} of cell {cell.id}: `{line}`."


def _write_lesson(notebook: LessonNotebook, result: dict[str, Any], folder: Path) -> str:
    """Write lesson.py if the package imports with it; return why it was left alone, or an empty text."""
    problem = result.get("lost") or result["problem"]
    if problem:
        return f"tinytorch.mlops.{notebook.stage} does not import with this lesson: {problem}"
    target = _target(notebook)
    return install_lesson(lesson_file(folder / "tinytorch", notebook.stage), Path(target)) if target else ""


def _target(notebook: LessonNotebook) -> str:
    """Return the lesson.py of the package beside the notebooks, or an empty text."""
    package = package_beside(notebook.path.parents[1])
    return str(lesson_file(package, notebook.stage)) if package else ""


def _judge_blanks(notebook: LessonNotebook, results: Iterator[dict[str, Any]]) -> tuple[BlankResult, ...]:
    """Take the results of one notebook and put them together, one for each blank."""
    loaded = next(results)
    problems = {**loaded.get("problems", {}), **parse_problems(notebook)}
    judged = []
    for blank in notebook.blanks:
        checked = [_as_checked(notebook.cell(check).points, next(results)) for check in blank.check_ids]
        judged.append(_judge_blank(blank, checked, problems.get(blank.cell_id, "")))
    return tuple(judged)


@dataclass(frozen=True)
class _Checked:
    """One check cell that ran."""

    points: float
    status: str
    message: str


def _as_checked(points: float, result: dict[str, Any]) -> _Checked:
    return _Checked(points, result.get("status", BROKEN), result.get("lost") or result["message"])


def _judge_blank(blank: Blank, checked: list[_Checked], problem: str) -> BlankResult:
    """Return a blank's points; the first check that fails has the word, a cell that does not run comes before it."""
    if not checked:
        problem = problem or "its check cell is missing: take the cell from a fresh copy of the notebook."
    if problem:
        return BlankResult(blank.name, blank.cell_id, BROKEN, 0.0, blank.points, problem)
    earned = sum(check.points for check in checked if check.status == RIGHT)
    first = next((check for check in checked if check.status != RIGHT), checked[0])
    return BlankResult(blank.name, blank.cell_id, first.status, earned, blank.points, first.message)
