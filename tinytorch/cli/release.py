"""Floor 5: `tinytorch release`, the students' notebooks and nbgrader's gradebook."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from tinytorch.adapters.extras import MissingExtraError, require_extra
from tinytorch.cli.invocation import find_modules, shown_command
from tinytorch.course.notebook import LESSON_STAGES, LessonNotebook, find_notebooks, lesson_name

DEFAULT_FOLDER = Path("grading")
EXIT_MISSING_EXTRA = 2
RELEASE_EPILOG = """\
examples:
  tinytorch release              all four lessons, into grading/release
  tinytorch release 15a 15b      two of them

exit codes: 0 released, 2 bad input
"""


def add_release(commands: Any) -> None:
    """Add `release` to the command line."""
    parser = commands.add_parser(
        "release",
        help="make the students' notebooks and the gradebook, by nbgrader",
        description="Take solutions and hidden tests out of the lessons' notebooks and enter their points into a "
        "gradebook, both by nbgrader. DIR becomes a course folder in which nbgrader's own commands work.",
        epilog=RELEASE_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("lessons", nargs="*", metavar="LESSON", help="15a, 15b, 15c or 15d (default: all)")
    add_course_options(parser)
    parser.set_defaults(run=run_release)


def add_course_options(parser: argparse.ArgumentParser) -> None:
    """Add what `release` and `grade` both ask for."""
    parser.add_argument(
        "--out", type=Path, metavar="DIR", default=DEFAULT_FOLDER, help="course folder of nbgrader (%(default)s)"
    )
    parser.add_argument("--modules", type=Path, metavar="DIR", help="folder of the solved lessons (modules)")


def run_release(options: argparse.Namespace) -> int:
    """Release the lessons and name the next step."""
    if not course_extra_is_there("releases"):
        return EXIT_MISSING_EXTRA
    from tinytorch.course.gradebook import CourseFolder, release_lessons

    notebooks = _asked_for(options)
    for notebook, path in zip(notebooks, release_lessons(notebooks, CourseFolder(options.out)), strict=True):
        points = sum(blank.points for blank in notebook.blanks)
        print(f"{notebook.name}: {len(notebook.blanks)} blanks, {points:g} points: {path}")
    print(f"Next: hand out {options.out / 'release'} (or a whole tree: {shown_command()} kit DIR), collect, then")
    print(f"      {shown_command()} grade SUBMISSIONS --out {options.out}")
    return 0


def _asked_for(options: argparse.Namespace) -> tuple[LessonNotebook, ...]:
    """The notebooks of the lessons that were named, or all."""
    wanted = [lesson_name(text) for text in options.lessons] or list(LESSON_STAGES)
    found = tuple(notebook for notebook in find_notebooks(find_modules(options.modules)) if notebook.name in wanted)
    if not found:
        raise ValueError(f"LESSON must be a lesson in the folder of the lessons, got {', '.join(wanted)}.")
    return found


def course_extra_is_there(subject: str) -> bool:
    """Tell whether nbgrader and its company are installed; say what installs them if not."""
    try:
        require_extra("course", ["nbgrader", "nbformat", "nbconvert", "rich"], subject)
    except MissingExtraError as error:
        print(error, file=sys.stderr)
        return False
    return True
