"""Floor 4, the results of a class: points by blank, and what they say about each blank."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

GRADED, MISSING, FAILED = "graded", "missing", "could not be graded"
_UNWRITTEN = "is not yet written"


@dataclass(frozen=True)
class BlankScore:
    """The points of one blank in one submission, and the first message of its checks.

    Examples
    --------
    >>> BlankScore("share", 2.0, 2.0, "").solved
    True
    """

    blank: str
    earned: float
    points: float
    message: str

    @property
    def solved(self) -> bool:
        """Whether it earned all its points."""
        return self.earned >= self.points

    @property
    def unwritten(self) -> bool:
        """Whether nothing was written."""
        return _UNWRITTEN in self.message


@dataclass(frozen=True)
class LessonScore:
    """One lesson of one student.

    Attributes
    ----------
    student, lesson, status : str
        The status is "graded", "missing" or "could not be graded".
    blanks : tuple of BlankScore
    repairs : tuple of str
        What was mended or odd, in sentences.

    Examples
    --------
    >>> LessonScore("ada", "15a_monitoring", "graded", (BlankScore("share", 2.0, 2.0, ""),), ()).earned
    2.0
    """

    student: str
    lesson: str
    status: str
    blanks: tuple[BlankScore, ...]
    repairs: tuple[str, ...]

    @property
    def earned(self) -> float:
        """The points of all blanks."""
        return sum(blank.earned for blank in self.blanks)

    @property
    def points(self) -> float:
        """What they could have been."""
        return sum(blank.points for blank in self.blanks)


@dataclass(frozen=True)
class BlankStatistics:
    """What a class made of one blank.

    Attributes
    ----------
    lesson, blank : str
    submitted, solved, unwritten : int
        Counts of students; those who handed nothing in do not count.
    common_mistake : str
        The message that most of the other students got: the call, what was expected, what came back.
    common_count : int
        How many they were.

    Examples
    --------
    >>> BlankStatistics("15a_monitoring", "share", 4, 3, 1, "", 0).share_solved
    0.75
    """

    lesson: str
    blank: str
    submitted: int
    solved: int
    unwritten: int
    common_mistake: str
    common_count: int

    @property
    def share_solved(self) -> float:
        """From 0 to 1; 0 if nobody handed it in."""
        return self.solved / self.submitted if self.submitted else 0.0


def class_statistics(scores: Sequence[LessonScore]) -> tuple[BlankStatistics, ...]:
    """Return the statistics of every blank, in the order of the lessons.

    Examples
    --------
    >>> blank = BlankScore("share", 0.0, 2.0, "expected 1, got 2.")
    >>> mine = LessonScore("ada", "15a_monitoring", "graded", (blank,), ())
    >>> class_statistics([mine])[0].common_mistake
    'expected 1, got 2.'
    """
    groups: dict[tuple[str, str], list[BlankScore]] = {}
    for score in scores:
        for blank in score.blanks:
            groups.setdefault((score.lesson, blank.blank), [])
            if score.status != MISSING:
                groups[score.lesson, blank.blank].append(blank)
    return tuple(_summarise(lesson, name, blanks) for (lesson, name), blanks in sorted(groups.items(), key=_lesson_of))


def _lesson_of(group: tuple[tuple[str, str], list[BlankScore]]) -> str:
    """Sorting by lesson alone keeps the blanks in their order."""
    return group[0][0]


def _summarise(lesson: str, name: str, blanks: Sequence[BlankScore]) -> BlankStatistics:
    wrong = Counter(blank.message for blank in blanks if not (blank.solved or blank.unwritten))
    (mistake, count) = wrong.most_common(1)[0] if wrong else ("", 0)
    solved = sum(blank.solved for blank in blanks)
    unwritten = sum(blank.unwritten for blank in blanks)
    return BlankStatistics(lesson, name, len(blanks), solved, unwritten, mistake, count)
