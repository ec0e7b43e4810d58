"""Floor 4, the grading of a class: every submission is repaired, graded and entered; none stops the others."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinytorch.course.grade_answer import StudentStopped
from tinytorch.course.grade_results import FAILED, GRADED, MISSING, BlankScore, LessonScore
from tinytorch.course.grade_stage import build_stage
from tinytorch.course.grade_student import StudentProcess
from tinytorch.course.grade_walls import Limits
from tinytorch.course.gradebook import CourseFolder, Register, release_lessons
from tinytorch.course.notebook import Blank, LessonNotebook, notebook_path, read_notebook
from tinytorch.course.repair import repair_file
from tinytorch.course.stubs import make_stub_notebook
from tinytorch.course.submissions import Submission


@dataclass(frozen=True)
class ClassResult:
    """The scores of a class.

    Attributes
    ----------
    scores : tuple of LessonScore
        By student, each in the order of the lessons.
    released : tuple of str
        Lessons that had to be released first, or anew because their notebook had changed.
    locked : bool
        Whether the kernel itself kept the students' processes from files and network (Landlock).

    Examples
    --------
    >>> ClassResult((), (), locked=True).scores
    ()
    """

    scores: tuple[LessonScore, ...]
    released: tuple[str, ...]
    locked: bool


def grade_class(
    submissions: Sequence[Submission],
    notebooks: Sequence[LessonNotebook],
    folder: CourseFolder,
    limits: Limits,
    progress: Callable[[LessonScore], None],
) -> ClassResult:
    """Grade every submission into nbgrader's gradebook.

    Parameters
    ----------
    submissions : sequence of Submission
    notebooks : sequence of LessonNotebook
        The instructor's, all that there are.
    folder : CourseFolder
    limits : Limits
        For each student's process.
    progress : callable
        Called with each score as it is known.
    """
    wanted = {submission.lesson for submission in submissions}
    sources = {notebook.name: notebook for notebook in notebooks if notebook.name in wanted}
    released = _release_what_changed(tuple(sources.values()), folder)
    with tempfile.TemporaryDirectory(prefix="tinytorch-stage-") as name:
        stage = _stage_of(notebooks, Path(name))
        locked = _try_a_process(stage, limits)
        desk = _GradingDesk(folder, Register(folder, stage, limits), sources)
        scores = []
        for submission in submissions:
            scores.append(desk.grade(submission))
            progress(scores[-1])
    return ClassResult(tuple(scores), released, locked)


def _release_what_changed(sources: Sequence[LessonNotebook], folder: CourseFolder) -> tuple[str, ...]:
    """Release the lessons that were not released as they are now; return their names."""
    register = Register(folder)
    changed = [notebook for notebook in sources if not register.is_released(notebook)]
    release_lessons(changed, folder)
    return tuple(notebook.name for notebook in changed)


def _try_a_process(stage: Path, limits: Limits) -> bool:
    """Start a student's process with nobody's code in it; return whether the kernel has locked it."""
    try:
        with StudentProcess(stage, limits) as trial:
            trial.start()
            return trial.locked
    except StudentStopped as error:
        raise ValueError(f"limits must let a student's process start, got {limits}: it {error}.") from None


class _GradingDesk:
    """Grades one submission after the other."""

    def __init__(self, folder: CourseFolder, register: Register, sources: dict[str, LessonNotebook]) -> None:
        self._register = register
        self._sources = sources
        self._released = {name: _read_released(notebook_path(folder.released, name)) for name in sources}

    def grade(self, submission: Submission) -> LessonScore:
        """Repair, enter and read the score. Whatever a submission brings about, it ends with its own score."""
        source = self._sources[submission.lesson]
        if submission.path is None:
            return _without_points(submission, source, MISSING, submission.notes)
        repaired = repair_file(submission.path, self._released[source.name], _names(source))
        notes = (*submission.notes, *repaired.repairs)
        try:
            problem = self._register.enter(submission.student, source.name, repaired.content)
        except Exception as error:  # nbgrader raises whatever it meets; the rest of the class is still to be graded
            problem = f"{type(error).__name__}: {error}"
        if problem is not None:
            return _without_points(submission, source, FAILED, (*notes, f"nbgrader could not grade it: {problem}"))
        earned = self._register.scores(submission.student, source.name)
        said = self._register.messages(submission.student, source.name)
        blanks = tuple(_score(blank, earned, said) for blank in source.blanks)
        return LessonScore(submission.student, source.name, GRADED, blanks, notes)


def _score(blank: Blank, earned: dict[str, float], said: dict[str, str]) -> BlankScore:
    """Add up the check cells of a blank; the first message is the one to read."""
    messages = [said[check] for check in blank.check_ids if check in said]
    return BlankScore(
        blank.name, sum(earned[check] for check in blank.check_ids), blank.points, messages[0] if messages else ""
    )


def _without_points(submission: Submission, source: LessonNotebook, status: str, notes: tuple[str, ...]) -> LessonScore:
    blanks = tuple(BlankScore(blank.name, 0.0, blank.points, status) for blank in source.blanks)
    return LessonScore(submission.student, submission.lesson, status, blanks, notes)


def _names(source: LessonNotebook) -> dict[str, str]:
    return {blank.cell_id: blank.name for blank in source.blanks}


def _read_released(path: Path) -> dict[str, Any]:
    """The released notebook, each cell's text in one piece."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        cell["source"] = "".join(cell["source"])
    return content


def _stage_of(notebooks: Sequence[LessonNotebook], folder: Path) -> Path:
    """Make the package for the students' processes, with every lesson unwritten, whether it is graded or not."""
    stubs = []
    for notebook in notebooks:
        path = folder / "stubs" / f"{notebook.name}.ipynb"
        path.parent.mkdir(exist_ok=True)
        path.write_text(make_stub_notebook(notebook.path), encoding="utf-8", newline="\n")
        stubs.append(read_notebook(path))
    (folder / "stage").mkdir()
    return build_stage(folder / "stage", stubs)
