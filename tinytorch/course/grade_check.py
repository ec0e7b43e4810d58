"""Floor 4, the examiner: runs a notebook's check cells here, with a student's blanks answering from their own process.

The checks, their expected answers and numpy are the grader's own; a student's process sees the arguments of each call
and nothing else. Given classes run here too, with the student's functions in the place of the blanks.
"""

from __future__ import annotations

import contextlib
import functools
import io
import linecache
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from tinytorch.checks.cases import forget_failures
from tinytorch.course.grade_answer import StudentStopped
from tinytorch.course.grade_student import NOT_DEFINED, StudentProcess
from tinytorch.course.notebook import Cell, LessonNotebook, check_namespace, run_check_cell


@dataclass(frozen=True)
class CheckVerdict:
    """What one check cell said.

    Attributes
    ----------
    passed : bool
    said : str
        What it printed, or the message of what it raised.
    raised : str
        Name of the exception; empty if it passed.

    Examples
    --------
    >>> CheckVerdict(True, "share: right in 3 of 3 cases.", "").passed
    True
    """

    passed: bool
    said: str
    raised: str


def judge_cells(cells: Sequence[Cell], source: LessonNotebook, student: StudentProcess) -> dict[str, CheckVerdict]:
    """Go through a submitted notebook from top to bottom; return the verdict of each check cell by its id.

    Parameters
    ----------
    cells : sequence of Cell
        As submitted and repaired; their check cells are not looked at.
    source : LessonNotebook
        The instructor's, with its check cells.
    student : StudentProcess
        Runs the submitted code: exported cells and blanks whole, changed and added cells as far as they define
        something. Given cells that are not exported (training, plots) are left out: no blank needs them.
    """
    forget_failures()
    given = {cell.id: cell for cell in source.cells}
    lesson = _Lesson(source, student)
    verdicts = {}
    for cell in cells:
        original = given.get(cell.id)
        if original is not None and original.graded:
            verdicts[cell.id] = lesson.check(cell.id)
        elif cell.kind == "code":
            lesson.take(cell, original)
    return verdicts


class _Lesson:
    """The instructor's exported cells in this process, and the submitted ones in the student's, kept in step."""

    def __init__(self, source: LessonNotebook, student: StudentProcess) -> None:
        self._source = source
        self._student = student
        self._blanks = {blank.cell_id: blank.name for blank in source.blanks}
        self._problems: dict[str, str] = {}
        self._module = ModuleType(f"{source.stage}_graded")
        sys.modules[self._module.__name__] = self._module  # dataclasses look themselves up there

    def take(self, cell: Cell, original: Cell | None) -> None:
        """Run a submitted cell in the student's process, and the instructor's of the same id here."""
        if original is None or not (original.exported or original.solution):
            if original is None or cell.source != original.source:
                self._student.run_cell(cell.id, cell.source, definitions_only=True)
            return
        problem = self._student.run_cell(cell.id, cell.source)
        if problem is not None and cell.id in self._blanks:
            self._problems[self._blanks[cell.id]] = problem
        self._run_here(original)

    def check(self, check_id: str) -> CheckVerdict:
        """Run one check cell in a namespace of its own; whatever it raises is the verdict."""
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
                run_check_cell(self._source, check_id, check_namespace(self._module))
        except (Exception, StudentStopped) as error:  # the cells are the instructor's, what comes back into them is not
            return CheckVerdict(False, str(error), type(error).__name__)
        return CheckVerdict(True, printed.getvalue().strip(), "")

    def _run_here(self, original: Cell) -> None:
        """Run an exported cell of the instructor's; a blank in it is at once replaced by the student's."""
        place = f"<cell {original.id} of {self._source.name}>"
        linecache.cache[place] = (len(original.source), None, original.source.splitlines(keepends=True), place)
        exec(compile(original.source, place, "exec", dont_inherit=True), vars(self._module))
        if original.id in self._blanks:
            name = self._blanks[original.id]
            setattr(self._module, name, self._stand_in(name, getattr(self._module, name)))

    def _stand_in(self, name: str, solution: Callable[..., Any]) -> Callable[..., Any]:
        """A function that is called in the grader and answers from the student's process."""

        @functools.wraps(solution)
        def answer(*arguments: Any, **named: Any) -> Any:
            """Ask the student's process; what stopped it is told with the name of the function."""
            try:
                return self._student.call(name, arguments, named)
            except StudentStopped as error:
                raise StudentStopped(f"{name} {error}{self._why(name, str(error))}.") from None

        return answer

    def _why(self, name: str, reason: str) -> str:
        """Say why a function is missing: its cell failed, or there is none."""
        if reason != NOT_DEFINED:
            return ""
        return f": its cell {self._problems[name]}" if name in self._problems else ", in no cell"
