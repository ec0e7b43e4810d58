"""How often gates blame a version that is as good, and catch one that is worse: simulated counts, real gates.

The setting of the table in docs/rollout_gates.md: 2,000 requests a minute, 200 of them to the canary, a look a minute
for half an hour, all labels known; 2% of the champion's answers are wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from tinytorch.mlops.deploy import Gate, SequentialGate, ThresholdFailureGate, VersionEvidence

N_LOOKS, N_CHAMPION, N_CHALLENGER = 30, 1_800, 200
BASE_ERROR = 0.02
PEEKING_ALPHA = 0.05


@dataclass(frozen=True)
class Outcome:
    """Share of runs that ended in a rollback, and the look at which they did, on average."""

    rolled_back: float
    mean_look: float


def counted(errors: np.ndarray, per_look: int, look: int) -> VersionEvidence:
    n = per_look * (look + 1)
    return VersionEvidence(n, 0, n, int(errors[: look + 1].sum()), 1.0, 1.0, (n,))


def first_blame(gate: Gate, champion: np.ndarray, challenger: np.ndarray) -> int | None:
    """The first look at which a gate fails the challenger."""
    for look in range(N_LOOKS):
        evidence = counted(champion, N_CHAMPION, look), counted(challenger, N_CHALLENGER, look)
        if gate.judge(*evidence).outcome == "fail":
            return look + 1
    return None


def simulate(make_gate: Callable[[], Gate], challenger_error: float, n_runs: int, seed: int = 0) -> Outcome:
    """Run a gate over freshly drawn errors, again and again."""
    rng = np.random.default_rng(seed)
    looks = []
    for _ in range(n_runs):
        champion = rng.binomial(N_CHAMPION, BASE_ERROR, N_LOOKS)
        challenger = rng.binomial(N_CHALLENGER, challenger_error, N_LOOKS)
        looks.append(first_blame(make_gate(), champion, challenger))
    ended = [look for look in looks if look is not None]
    return Outcome(len(ended) / n_runs, float(np.mean(ended)) if ended else float("nan"))


class PeekingGate:
    """What many tools do: an ordinary z-test at 5%, at every look. Stands in the table for comparison only."""

    def judge(self, champion: VersionEvidence, challenger: VersionEvidence):
        pooled = (champion.n_errors + challenger.n_errors) / (champion.n_labelled + challenger.n_labelled)
        spread = np.sqrt(pooled * (1 - pooled) * (1 / champion.n_labelled + 1 / challenger.n_labelled))
        z = (challenger.error_rate - champion.error_rate) / spread if spread > 0 else 0.0
        return type("Verdict", (), {"outcome": "fail" if norm.sf(z) <= PEEKING_ALPHA else "pass"})


GATES: dict[str, Callable[[], Gate]] = {
    "sequential (default)": SequentialGate,
    "threshold, five failures": ThresholdFailureGate,
    "z-test at 5%, peeked at every look": PeekingGate,
}
