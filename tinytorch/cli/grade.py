"""Floor 5: `tinytorch grade`, from a folder of submissions to points, pages and statistics."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinytorch._arguments import check_integer, check_positive
from tinytorch.adapters.terminal import show_table
from tinytorch.cli.invocation import find_modules
from tinytorch.cli.release import EXIT_MISSING_EXTRA, add_course_options, course_extra_is_there
from tinytorch.course.grade_pages import GRADES, PAGES, REPAIRS, STATISTICS, write_results
from tinytorch.course.grade_results import FAILED, BlankStatistics, LessonScore, class_statistics
from tinytorch.course.grade_walls import Limits
from tinytorch.course.notebook import LESSON_STAGES, find_notebooks, lesson_name
from tinytorch.course.submissions import Submission, find_submissions, handed_in

if TYPE_CHECKING:
    from tinytorch.course.grade import ClassResult

EXIT_SOME_FAILED = 1
GRADE_DESCRIPTION = """\
Grade the notebooks of a class. SUBMISSIONS holds a folder a student with the notebooks anywhere in it
(ada/15a_monitoring/15a_monitoring.ipynb, ada/15a_monitoring.ipynb, ada/modules/...), or files named
ada_15a_monitoring.ipynb.

Each submission is repaired (its check cells are put back as they were released), its code runs in a process of its
own with limits of time and memory, and its points go into nbgrader's gradebook. No submission stops the others.
"""
GRADE_EPILOG = """\
example: tinytorch grade submissions/

exit codes: 0 every notebook that was handed in is graded, 1 some could not be, 2 bad input
"""
# In the table; the whole message stands in statistics.csv.
SHOWN_MISTAKE = 70
WINDOWS = "grading runs students' code behind walls that Windows does not have: run it in WSL"
NOT_LOCKED = (
    "Note: no Landlock in this kernel: students' code ran in processes of their own, with limits and without forbidden "
    "calls, but behind Python's walls alone. Grade people you do not trust in a container, and never as root "
    "(INSTRUCTORS.md)."
)


def add_grade(commands: Any) -> None:
    """Add `grade` to the command line."""
    parser = commands.add_parser(
        "grade",
        help="grade a class: points, a feedback page a student, statistics by blank",
        description=GRADE_DESCRIPTION,
        epilog=GRADE_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("submissions", type=Path, metavar="SUBMISSIONS", help="what the class handed in")
    parser.add_argument("--lessons", nargs="+", metavar="LESSON", help="15a, ... (default: whatever was handed in)")
    add_course_options(parser)
    parser.add_argument("--seconds", type=float, default=Limits.seconds, help="for one call of a blank (%(default)g)")
    parser.add_argument(
        "--memory", type=int, default=Limits.memory_mb, metavar="MIB", help="for a student's process (%(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print the scores for a program")
    parser.set_defaults(run=run_grade)


def run_grade(options: argparse.Namespace) -> int:
    """Grade the class, write the results and tell them; return 0 if every notebook was graded."""
    if sys.platform == "win32":
        raise ValueError(f"{WINDOWS}.")
    if not course_extra_is_there("grades"):
        return EXIT_MISSING_EXTRA
    from tinytorch.course.grade import grade_class
    from tinytorch.course.gradebook import CourseFolder

    limits = Limits(
        check_positive(options.seconds, "--seconds"), check_integer(options.memory, "--memory", minimum=256)
    )
    notebooks = find_notebooks(find_modules(options.modules))
    submissions = _submissions(options, [notebook.name for notebook in notebooks])
    folder = CourseFolder(options.out)
    with _progress(len(submissions)) as step:
        result = grade_class(submissions, notebooks, folder, limits, step)
    statistics = class_statistics(result.scores)
    write_results(folder.results, result.scores, statistics)
    (_tell_as_json if options.json else _tell)(result, statistics, folder.results)
    return EXIT_SOME_FAILED if any(score.status == FAILED for score in result.scores) else 0


def _submissions(options: argparse.Namespace, lessons: Sequence[str]) -> tuple[Submission, ...]:
    """Every student with every lesson that is to be graded, handed in or not."""
    submissions = find_submissions(options.submissions, lessons)
    wanted = [lesson_name(text) for text in options.lessons or ()] or handed_in(submissions, lessons)
    chosen = tuple(submission for submission in submissions if submission.lesson in wanted)
    if not chosen:
        raise ValueError(
            f"SUBMISSIONS must hold notebooks named as the lessons ({', '.join(LESSON_STAGES)}), "
            f"got {str(options.submissions)!r} with none."
        )
    return chosen


@contextmanager
def _progress(total: int) -> Iterator[Callable[[LessonScore], None]]:
    """Yield a callback that moves a bar on stderr; rich leaves the bar out where nobody is watching."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("grading"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[who]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("grading", total=total, who="")
        yield lambda score: bar.update(task, advance=1, who=f"{score.student} {score.lesson}")


def _tell(result: ClassResult, statistics: Sequence[BlankStatistics], folder: Path) -> None:
    """Say how each student and each blank came out, and where everything stands."""
    if result.released:
        print(f"Released first, new or changed since: {', '.join(result.released)}")
    show_table(["student", "lesson", "points", "noted"], [_student_row(score) for score in result.scores])
    print()
    show_table(["lesson", "blank", "solved", "most common mistake"], [_blank_row(blank) for blank in statistics])
    print(f"\nTables: {folder / GRADES} {folder / STATISTICS}   repairs: {folder / REPAIRS}")
    if not result.locked:
        print(NOT_LOCKED)
    print(f"Next: send each student {folder / PAGES}/STUDENT.html, or look at their notebooks:")
    print(f"      cd {folder.parent}; jupyter lab; then Nbgrader > Formgrader in its menu")


def _tell_as_json(result: ClassResult, statistics: Sequence[BlankStatistics], folder: Path) -> None:
    scores = [
        {
            "student": score.student,
            "lesson": score.lesson,
            "status": score.status,
            "earned": score.earned,
            "points": score.points,
            "blanks": {blank.blank: blank.earned for blank in score.blanks},
            "repairs": score.repairs,
        }
        for score in result.scores
    ]
    shares = {f"{blank.lesson}.{blank.blank}": blank.share_solved for blank in statistics}
    print(
        json.dumps(
            {"scores": scores, "share_solved": shares, "locked": result.locked, "results": str(folder)}, indent=1
        )
    )


def _student_row(score: LessonScore) -> list[str]:
    """Points, and in a word what was odd."""
    count = len(score.repairs)
    noted = f"{count} in {REPAIRS}" if count else ""
    status = "" if score.status == "graded" else score.status
    return [
        score.student,
        score.lesson,
        f"{score.earned:g} of {score.points:g}",
        ", ".join(filter(None, [status, noted])),
    ]


def _blank_row(blank: BlankStatistics) -> list[str]:
    """The share that solved it, and the start of the most common message."""
    mistake = blank.common_mistake
    cut = mistake if len(mistake) <= SHOWN_MISTAKE else f"{mistake[: SHOWN_MISTAKE - 3]}..."
    times = f"{blank.common_count}x {cut}" if mistake else ""
    return [blank.lesson, blank.blank, f"{blank.solved} of {blank.submitted}", times]
