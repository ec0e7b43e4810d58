"""Floor 4, the examiner's desk: what an audit found, and whether it reaches the bar.

Records only: they run nothing and read nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

# Fewer answers than these are no audit: the bar of the course.
FEWEST_WRONG = 5
FEWEST_RIGHT = 3


@dataclass(frozen=True)
class AuditVerdict:
    """What the checks said about one answer or mutant.

    Attributes
    ----------
    name, sentence : str
        Of the answer, or the mutant's identity and nothing.
    caught : bool
        A check refused it.
    message, written : str
        What the student reads, and the part of it that a person wrote about this mistake (`CheckFailed.written`):
        what was expected and what came back, an error's own words and the hints that come with every mistake of the
        blank do not count.

    Examples
    --------
    >>> AuditVerdict("turned", "turns the fraction round", True, "share(1, 2): expected 0.5, got 2.", "").caught
    True
    """

    name: str
    sentence: str
    caught: bool
    message: str
    written: str

    @property
    def said(self) -> str:
        """The message in one line."""
        return " ".join(self.message.split())


@dataclass(frozen=True)
class BlankAudit:
    """What was found about one blank.

    Examples
    --------
    >>> next(BlankAudit("share", (), (), (), {}).shortfalls())
    'share: 0 wrong answers are written, the bar is 5'
    """

    blank: str
    wrong: tuple[AuditVerdict, ...]
    right: tuple[AuditVerdict, ...]
    mutants: tuple[AuditVerdict, ...]
    reasons: dict[str, str]

    @property
    def survivors(self) -> tuple[str, ...]:
        """The mutants that the checks accept."""
        return tuple(mutant.name for mutant in self.mutants if not mutant.caught)

    @property
    def unexplained(self) -> tuple[str, ...]:
        """The surviving mutants without a reason."""
        return tuple(name for name in self.survivors if not self.reasons.get(name, "").strip())

    def counts(self) -> dict[str, int]:
        """Return the figures of the table."""
        return {
            "wrong": len(self.wrong),
            "wrong_caught": sum(answer.caught for answer in self.wrong),
            "with_message": sum(bool(answer.caught and answer.written) for answer in self.wrong),
            "right": len(self.right),
            "right_accepted": sum(not answer.caught for answer in self.right),
            "mutants": len(self.mutants),
            "mutants_caught": len(self.mutants) - len(self.survivors),
            "survivors_without_reason": len(self.unexplained),
        }

    def shortfalls(self) -> Iterator[str]:
        """Yield one sentence for each thing that is below the bar."""
        said = (self._too_few(), self._about_wrong(), self._about_right(), self._about_mutants())
        return (f"{self.blank}: {sentence}" for part in said for sentence in part)

    def _too_few(self) -> Iterator[str]:
        for kind, answers, fewest in (("wrong", self.wrong, FEWEST_WRONG), ("right", self.right, FEWEST_RIGHT)):
            if len(answers) < fewest:
                yield f"{len(answers)} {kind} answers are written, the bar is {fewest}"

    def _about_wrong(self) -> Iterator[str]:
        for answer in self.wrong:
            if not answer.caught:
                yield f"the wrong answer {answer.name} is accepted ({answer.sentence})"
            elif not answer.written:
                yield f"the wrong answer {answer.name} gets no written message ({answer.sentence}): {answer.said}"

    def _about_right(self) -> Iterator[str]:
        for answer in self.right:
            if answer.caught:
                yield f"the right answer {answer.name} is refused ({answer.sentence}): {answer.said}"

    def _about_mutants(self) -> Iterator[str]:
        for name in self.unexplained:
            yield f"a mutant survives without a reason: {name}"
        for name in self.reasons:
            if name not in self.survivors:
                yield f"survivors.json gives a reason for a mutant that does not survive: {name}"


@dataclass(frozen=True)
class LessonAudit:
    """What was found about one lesson; `strangers` are names in its files that are no blank.

    Examples
    --------
    >>> LessonAudit("15a_monitoring", (), ("shares",)).shortfalls
    ('shares is answered or explained, and is no blank',)
    """

    lesson: str
    blanks: tuple[BlankAudit, ...]
    strangers: tuple[str, ...]

    @property
    def shortfalls(self) -> tuple[str, ...]:
        """One sentence for each thing that is below the bar; none if the lesson reaches it."""
        found = [sentence for blank in self.blanks for sentence in blank.shortfalls()]
        return (*found, *(f"{name} is answered or explained, and is no blank" for name in self.strangers))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        blanks = [
            {**asdict(blank), "counts": blank.counts(), "survivors_without_reason": blank.unexplained}
            for blank in self.blanks
        ]
        return {"lesson": self.lesson, "blanks": blanks, "shortfalls": self.shortfalls}
