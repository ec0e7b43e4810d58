"""Floor 5: what each kind of drift should lead to in the demo, and whether it did. Reads a finished run, no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tinytorch._arguments import check_choice
from tinytorch.cli.demo_run import DemoRun
from tinytorch.stats import wilson_interval

Outcome = Literal["harmful", "harmless", "none"]
# Measured on many cameras and networks: at its default severity each kind is clearly of one sort.
EXPECTED_OUTCOMES: dict[str, Outcome] = {
    "brightness": "harmful",
    "contrast": "harmful",
    "shift": "harmful",
    "rotation": "harmful",
    "dead_pixels": "harmful",
    "occlusion": "harmful",
    "stretch": "harmful",
    "noise": "harmless",
    "blur": "harmless",
    "class_mix": "harmless",
    "none": "none",
}
# Accuracy is judged on the newest answers: the wider the window, the later a recovery shows in it.
JUDGED_LABELS = 200
# Recovered means: within five points of where it began, as far as 200 labels can tell (95%).
TOLERATED_LOSS = 0.05
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Verdict:
    """Whether a run came out as declared, with every check in words.

    Examples
    --------
    >>> print(Verdict("none", (("no alarm was raised", True),)))
    as declared (none)
    """

    expected: Outcome
    checks: tuple[tuple[str, bool], ...]

    @property
    def as_declared(self) -> bool:
        """Whether every check holds."""
        return all(holds for _, holds in self.checks)

    @property
    def failed(self) -> tuple[str, ...]:
        """What should have held and did not."""
        return tuple(sentence for sentence, holds in self.checks if not holds)

    def __str__(self) -> str:
        if self.as_declared:
            return f"as declared ({self.expected})"
        return f"not as declared ({self.expected}): not true that {'; nor that '.join(self.failed)}"


def judge(run: DemoRun) -> Verdict:
    """Compare what happened with what the kind of drift declares.

    Raises
    ------
    ValueError
        If the kind declares nothing.
    """
    check_choice(run.kind, "kind", tuple(EXPECTED_OUTCOMES))
    expected = EXPECTED_OUTCOMES[run.kind]
    checks = {"harmful": _harmful, "harmless": _harmless, "none": _none}[expected](run)
    return Verdict(expected, checks)


def starting_accuracy(run: DemoRun) -> float:
    """Return the share of right answers before the drift: on the validation rows and on the clean traffic together.

    Validation alone is 197 rows, and two points of luck there would move the goal by two points.
    """
    clean = [part for part in run.labelled() if part.served_at[0] < run.drift_began_at]
    n_right = run.baseline_accuracy * run.n_baseline + sum(int(part.correct.sum()) for part in clean)
    return n_right / (run.n_baseline + sum(len(part) for part in clean))


def final_accuracy_interval(run: DemoRun) -> tuple[float, float]:
    """Return Wilson's interval of the accuracy on the newest labelled answers."""
    correct = run.correct_in_order()[-JUDGED_LABELS:]
    low, high = wilson_interval(np.array([correct.sum()]), np.array([correct.size]), CONFIDENCE)
    return float(low[0]), float(high[0])


def _harmful(run: DemoRun) -> tuple[tuple[str, bool], ...]:
    """Drift seen before its damage; damage; a better model in charge; accuracy back."""
    drift, damage = run.first_event("drift"), run.first_event("alert")
    return (
        *_drift_checks(run),
        ("accuracy fell", damage is not None),
        ("drift was flagged before the labels showed the damage", _is_before(drift, damage)),
        ("the challenger was promoted", run.first_event("promoted") is not None),
        ("accuracy came back", _accuracy_holds(run)),
    )


def _harmless(run: DemoRun) -> tuple[tuple[str, bool], ...]:
    """Drift seen, no damage, nothing changed."""
    return (
        *_drift_checks(run),
        ("no accuracy alert fired", run.first_event("alert") is None),
        ("the champion stayed", run.first_event("promoted") is None),
        ("accuracy held", _accuracy_holds(run)),
    )


def _none(run: DemoRun) -> tuple[tuple[str, bool], ...]:
    """Nothing at all."""
    quiet = all(run.first_event(kind) is None for kind in ("drift", "alert"))
    return (
        ("no alarm was raised", quiet),
        ("nothing was retrained", run.first_event("retraining") is None),
        ("accuracy held", _accuracy_holds(run)),
    )


def _drift_checks(run: DemoRun) -> tuple[tuple[str, bool], ...]:
    """Drift is flagged, and not before it begins."""
    flagged = run.first_event("drift")
    return (
        ("drift was flagged", flagged is not None),
        ("drift was not flagged before it began", flagged is None or flagged >= run.drift_began_at),
    )


def _is_before(earlier: float | None, later: float | None) -> bool:
    """Tell whether both happened, in this order."""
    return earlier is not None and later is not None and earlier < later


def _accuracy_holds(run: DemoRun) -> bool:
    """Tell whether the newest accuracy reaches the starting accuracy less the tolerated loss."""
    return final_accuracy_interval(run)[1] >= starting_accuracy(run) - TOLERATED_LOSS
