"""Floor 5: `tinytorch check`, points for each blank in a second, on the student's own code. Imports no lesson."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tinytorch.adapters.terminal import show_table
from tinytorch.cli.at_work import LoopOutcome, lesson_at_work
from tinytorch.cli.invocation import find_modules, shown_step
from tinytorch.course.check import LessonResult, check_lessons, home_of
from tinytorch.course.check_cells import RIGHT, UNWRITTEN
from tinytorch.course.notebook import (
    LESSON_STAGES,
    LessonNotebook,
    find_notebooks,
    lesson_name,
    notebook_path,
    read_notebook,
)

EXIT_NOT_FINISHED = 1
# The course is complete with it; what follows is optional.
LAST_OF_THE_COURSE = "15c_retraining"
DESCRIPTION = """\
Reads your notebooks (save them first), writes tinytorch/mlops/*/lesson.py from them, and runs the check cells on your
own code, each with a time limit. A notebook that does not parse, or with which the package would no longer import, is
not exported: the lesson.py that you had stays.

A finished lesson is then shown at work, in the demo's loop: once together with your earlier lessons, as far as they
are finished, and once with the library's parts in their place. Where the two come out alike, one line says so.
"""
EPILOG = """\
example: tinytorch check 15a

exit codes: 0 all points of these lessons are earned, 1 not yet, 2 bad arguments
"""


def add_check(commands: Any) -> None:
    """Add `check` to the command line."""
    parser = commands.add_parser(
        "check",
        help="your points for each blank, in about two seconds",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("lesson", nargs="?", metavar="LESSON", help="15a, 15b, 15c or 15d (default: all)")
    parser.add_argument("--modules", type=Path, metavar="DIR", help="folder of the lessons (modules)")
    parser.add_argument(
        "--given", action="store_true", help="at work: the library's parts alone in place of your earlier lessons"
    )
    parser.add_argument("--json", action="store_true", help="print the result for a program")
    parser.set_defaults(run=run_check)


def run_check(options: argparse.Namespace) -> int:
    """Check the lessons and tell how they stand; return 0 if every point is earned."""
    modules = find_modules(options.modules)
    asked = [lesson_name(options.lesson)] if options.lesson else list(LESSON_STAGES)
    notebooks = find_notebooks(modules) if options.lesson is None else _read_around(modules, asked[0])
    if not notebooks:
        raise ValueError(f"--modules must be a folder with the lessons, got {str(modules)!r}, which holds none.")
    with tempfile.TemporaryDirectory(prefix="tinytorch-") as folder:
        results = check_lessons(notebooks, asked, Path(folder))
        if not options.json:
            _tell_points(results)
        loops = _newest_at_work(results, modules, Path(folder) / "tinytorch", given_only=options.given)
    step = next_step(results, modules)
    if options.json:
        print(json.dumps(_as_data(results, loops, step), indent=1))
    else:
        _tell_loops(loops)
        print(f"Next: {step}")
    return 0 if all(result.finished for result in results) else EXIT_NOT_FINISHED


def _newest_at_work(
    results: Sequence[LessonResult], modules: Path, lessons: Path, *, given_only: bool
) -> tuple[LoopOutcome, ...]:
    """Run the loop on the last lesson that is finished, if one is."""
    finished = [result.name for result in results if result.finished]
    return lesson_at_work(finished[-1], home_of(modules), lessons, given_only=given_only) if finished else ()


def next_step(results: Sequence[LessonResult], modules: Path) -> str:
    """Return what to do next, in one sentence with a command that can be typed.

    Examples
    --------
    >>> from tinytorch.course.check import BlankResult
    >>> blank = BlankResult("share", "share", "not yet written", 0.0, 2.0, "")
    >>> next_step([LessonResult("15a_monitoring", (blank,), "", "")], Path("modules")).split(";")[0]
    'write share (cell share of modules/15a_monitoring/15a_monitoring.ipynb)'
    """
    for result in results:
        if result.name > LAST_OF_THE_COURSE and not result.earned and len(results) > 1:
            return _next_lesson(LAST_OF_THE_COURSE)  # optional, and not begun
        if not result.finished:
            return _to_mend(result, notebook_path(modules, result.name).as_posix())
    return _next_lesson(results[-1].name)


def _to_mend(result: LessonResult, place: str) -> str:
    """Name the first blank of an unfinished lesson that earns less than its points."""
    again = f"save; {shown_step('check', result.name.split('_')[0])}"
    for blank in result.blanks:
        if blank.status != RIGHT:
            verb = "write" if blank.status == UNWRITTEN else "mend"
            return f"{verb} {blank.blank} (cell {blank.cell_id} of {place}); {again}"
    return f"mend what is said above of {place}; {again}"


def _next_lesson(name: str) -> str:
    """Say what comes after a finished lesson."""
    if name >= LAST_OF_THE_COURSE:
        more = " (then, if you like, lesson 15d)" if name == LAST_OF_THE_COURSE else ""
        return f"the whole loop on your own lessons: {shown_step('demo', '--mine')}{more}"
    names = tuple(LESSON_STAGES)
    following = names[names.index(name) + 1]
    return f"lesson {following}: open {following}/{following}.ipynb in Jupyter Lab (not running? {shown_step('lab')})"


def _read_around(modules: Path, name: str) -> tuple[LessonNotebook, ...]:
    """Read one notebook, and those of the others that can be read: the lessons work together."""
    notebooks = {name: read_notebook(notebook_path(modules, name))}
    for other in LESSON_STAGES:
        with suppress(ValueError):
            notebooks.setdefault(other, read_notebook(notebook_path(modules, other)))
    return tuple(notebooks[name] for name in LESSON_STAGES if name in notebooks)


def _tell_points(results: Sequence[LessonResult]) -> None:
    """Print the points of every lesson, before the loop takes its time."""
    for result in results:
        _tell_lesson(result)
    if len(results) > 1:
        print(f"total: {_points(_sum(results, 'earned'), _sum(results, 'points'))}\n")
    sys.stdout.flush()


def _tell_lesson(result: LessonResult) -> None:
    """Print the points of one lesson and the first message that helps."""
    print(f"{result.name}: {_points(result.earned, result.points)}")
    rows = [[blank.blank, _points(blank.earned, blank.points, unit=""), blank.status] for blank in result.blanks]
    show_table(["blank", "points", ""], rows)
    helpful = next((blank for blank in result.blanks if blank.status not in (RIGHT, UNWRITTEN)), None)
    if helpful is not None:
        print(f"\n  {helpful.blank}: {helpful.message}")
    if result.refused:
        reason = "" if helpful is not None and helpful.message == result.refused else f" {result.refused}"
        print(f"\n  Not exported, the lesson.py that you had stays.{reason}")
    print()


def _tell_loops(loops: Sequence[LoopOutcome]) -> None:
    """Print how the newest finished lesson does in the loop; twice only where that differs."""
    if not loops:
        return
    alike = len(loops) > 1 and len({loop.told for loop in loops}) == 1
    print(f"{loops[0].lesson} at work, in the demo's loop:")
    for loop in loops[:1] if alike else loops:
        lines = [f"{_who(loop)}: {loop.told or 'it did not come to its end'}", *loop.problems]
        print("  " + "\n    ".join(lines))
    print("  with the library's parts in place of your earlier lessons: the same\n" if alike else "")


def _who(loop: LoopOutcome) -> str:
    """Say whose parts ran beside the lesson."""
    earlier = [name.split("_")[0] for name in loop.own if name != loop.lesson]
    if loop.told and loop.lesson not in loop.own:
        return "without it, as it does not keep its contract"
    return f"with your {' and '.join(earlier)}" if earlier else "with the library's other parts"


def _as_data(results: Sequence[LessonResult], loops: Sequence[LoopOutcome], step: str) -> dict[str, Any]:
    return {
        "lessons": [result.to_dict() for result in results],
        "earned": _sum(results, "earned"),
        "points": _sum(results, "points"),
        "at_work": [loop.to_dict() for loop in loops],
        "next": step,
    }


def _sum(results: Sequence[LessonResult], name: str) -> float:
    return float(sum(getattr(result, name) for result in results))


def _points(earned: float, points: float, unit: str = " points") -> str:
    return f"{earned:g} of {points:g}{unit}"
