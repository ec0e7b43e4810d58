"""Floor 5: a student's lesson at work: the demo's loop with some lessons in it, in a process of its own.

`python -m tinytorch.cli.at_work` is started by `tinytorch check` with a time limit and no terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tinytorch.checks.calls import NOT_YET_WRITTEN
from tinytorch.course.check_cells import LessonFinder, error_in_words
from tinytorch.course.child import ChildOutcome, child_job, run_child
from tinytorch.course.notebook import LESSON_STAGES

# The demo's own default: a harmful drift, so that every stage has something to do.
DRIFT_KIND = "contrast"
SEED = 0
# The loop takes about two seconds; it was seen to need more than 30 beside eleven other busy processes on two cores.
TIME_LIMIT_S = 90.0
SECONDS_PER_HOUR = 3600.0
# What two loops are compared by, in the order in which it should happen.
TOLD_EVENTS = {
    "drift": "drift seen at hour {:.0f}",
    "alert": "alarm at hour {:.0f}",
    "retraining": "retrained at hour {:.0f}",
    "promoted": "new model in charge at hour {:.0f}",
    "rolled_back": "rolled back at hour {:.0f}",
}


@dataclass(frozen=True)
class LoopOutcome:
    """How the loop came out.

    Attributes
    ----------
    lesson : str
        The one that is looked at.
    own : tuple of str
        The lessons that took part; those of the others' stages are the library's parts.
    told : str
        What happened, in one line; empty if the loop did not come to its end.
    problems : tuple of str
        Why a lesson that should have taken part did not, or what stopped the loop.

    Examples
    --------
    >>> LoopOutcome("15a_monitoring", ("15a_monitoring",), "nothing happened; 97% right at the end", ()).own
    ('15a_monitoring',)
    """

    lesson: str
    own: tuple[str, ...]
    told: str
    problems: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return what a program might read."""
        return asdict(self)


def lesson_at_work(name: str, home: Path, lessons: Path, *, given_only: bool) -> tuple[LoopOutcome, ...]:
    """Run the loop with a finished lesson in it: with the student's earlier lessons, and with the library's parts.

    Parameters
    ----------
    name : str
        Of the lesson.
    home : Path
        The folder of the package.
    lessons : Path
        A folder laid out as the package, with the exported lessons.
    given_only : bool
        Leave the student's earlier lessons out.

    Returns
    -------
    tuple of LoopOutcome
        One, or two (the student's first) if there are earlier lessons that take part.
    """
    given = (name,)
    mine = tuple(LESSON_STAGES)[: tuple(LESSON_STAGES).index(name) + 1]
    wanted = [given] if given_only or mine == given else [mine, given]
    with ThreadPoolExecutor(len(wanted)) as pool:
        outcomes = tuple(pool.map(lambda names: _run_loop(names, home, lessons), wanted))
    return outcomes[-1:] if outcomes[0].own == given else outcomes


def _run_loop(names: tuple[str, ...], home: Path, lessons: Path) -> LoopOutcome:
    """Run the loop in a process of its own and read what became of it."""
    stages = [LESSON_STAGES[name] for name in names]
    outcome = run_child(
        "tinytorch.cli.at_work", [{"lessons": stages}], home, lessons=str(lessons), limit_s=TIME_LIMIT_S
    )
    if not outcome.results:
        return LoopOutcome(names[-1], names, "", (_no_result(outcome),))
    (result,) = outcome.results
    problems = result["problems"]
    own = tuple(name for name in names if LESSON_STAGES[name] not in problems)
    return LoopOutcome(names[-1], own, result["told"], tuple(problems.values()))


def _no_result(outcome: ChildOutcome) -> str:
    if outcome.late:
        return f"the loop did not finish within {TIME_LIMIT_S:g} s: is something in your class very slow?"
    return f"the loop ended its whole process (exit code {outcome.exit_code})."


def loop_in_words(lessons: Sequence[str]) -> dict[str, Any]:
    """Run the demo's loop with the lessons of these stages in it and the library's parts elsewhere.

    The stages are imported here and not at the top, so that the lessons which are on trial are the ones they get.

    Returns
    -------
    dict
        `told`, one line, and `problems`, for each stage whose lesson could not take part, why.
    """
    from tinytorch.cli.demo_run import DRIFT_START_STEP, Demo
    from tinytorch.cli.lesson_stages import LESSON_OF_PART, lesson_stages
    from tinytorch.cli.outcomes import JUDGED_LABELS
    from tinytorch.datasets import DriftPlan

    plan = DriftPlan(DRIFT_KIND, start_step=DRIFT_START_STEP)
    demo = Demo(plan, SEED, partial(lesson_stages, lessons=lessons))
    run = demo.start()
    for _ in demo.steps(run):
        pass
    right = run.correct_in_order()[-JUDGED_LABELS:].mean()
    reasons = [origin.split(": ", 1) for origin in run.origins if "because your" in origin]
    began = f"{DRIFT_KIND} fades from hour {DRIFT_START_STEP}"
    return {
        "told": f"{began}; {_events_in_words(run.first_event)}; {right:.1%} right at the end",
        "problems": {LESSON_OF_PART[part]: _why_not_own(part, reason) for part, reason in reversed(reasons)},
    }


def _why_not_own(part: str, reason: str) -> str:
    """Say in one line why the library's part stands in; of an unwritten blank the name is enough."""
    stands_in, _, unwritten = reason.partition(f"{NOT_YET_WRITTEN}: ")
    return f"{part}: {stands_in}{NOT_YET_WRITTEN}: {unwritten.split(',')[0]}" if unwritten else f"{part}: {reason}"


def _events_in_words(first_event: Callable[[str], float | None]) -> str:
    """Say when each kind of event first happened, the kinds in the order in which they should."""
    first = ((text, first_event(kind)) for kind, text in TOLD_EVENTS.items())
    told = [text.format(when / SECONDS_PER_HOUR) for text, when in first if when is not None]
    return ", ".join(told) or "nothing happened"


def main() -> None:
    """Run the loops of the job and report each."""
    job, report = child_job()
    sys.meta_path.insert(0, LessonFinder(Path(job["lessons"])))
    for task in job["tasks"]:
        report.begin()
        try:
            result = loop_in_words(task["lessons"])
        except BaseException as error:  # whatever a student's class can raise becomes a sentence
            stage = task["lessons"][-1]
            result = {"told": "", "problems": {stage: f"the loop stopped: {error_in_words(error)}"}}
        report.finish(**result)
    report.leave()


if __name__ == "__main__":
    main()
