"""How often gates blame a version that is as good, and catch one that is worse: simulated counts, real gates.

The setting of the table in docs/rollout_gates.md: 2,000 requests a minute, 200 of them to the canary, a look a minute
for half an hour, all labels known; 2% of the champion's answers are wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from batches import answered
from scipy.stats import norm

from tinytorch.mlops.deploy import (
    Gate,
    GateVerdict,
    RolloutPlan,
    SequentialGate,
    StagedRollout,
    ThresholdFailureGate,
    VersionEvidence,
)

N_LOOKS, N_REQUESTS, N_CHALLENGER = 30, 2_000, 200
BASE_ERROR, RISE = 0.02, 0.01
PEEKING_ALPHA = 0.05
PLAN = RolloutPlan(step_s=600.0, minimum_labels=200)
"""Of the whole rollouts: ten looks a step at least, so 40 looks in all if nothing is held."""
MOST_LOOKS = 120
LEVEL_MS = 1.0
CLASS_SHARES, FAILURE_SHARE = np.full(10, 0.1), 0.01
"""Of the busy setting: ten classes, and one request in a hundred of either version fails."""


@dataclass(frozen=True)
class Outcome:
    """How many runs ended in a rollback, of how many, and the look at which they did, on average."""

    n_rolled_back: int
    n_runs: int
    mean_look: float

    @property
    def rate(self) -> float:
        return self.n_rolled_back / self.n_runs


class Counts:
    """Draws what a version does, and adds it up."""

    def __init__(self, rng: np.random.Generator, error_rate: float, failure_share: float = 0.0) -> None:
        self.rng, self.error_rate, self.failure_share = rng, error_rate, failure_share
        self.n_requests = self.n_failed = self.n_errors = 0
        self.classes = np.zeros(len(CLASS_SHARES), dtype=int)

    def draw(self, n_requests: int) -> None:
        n_failed = int(self.rng.binomial(n_requests, self.failure_share)) if self.failure_share else 0
        self.n_requests += n_requests
        self.n_failed += n_failed
        self.n_errors += int(self.rng.binomial(n_requests - n_failed, self.error_rate))
        self.classes += self.rng.multinomial(n_requests - n_failed, CLASS_SHARES)

    def evidence(self) -> VersionEvidence:
        n_answered, classes = self.n_requests - self.n_failed, tuple(self.classes.tolist())
        return VersionEvidence(
            self.n_requests, self.n_failed, n_answered, self.n_errors, LEVEL_MS, LEVEL_MS, class_counts=classes
        )


def first_blame(gate: Gate, champion: Counts, challenger: Counts) -> int | None:
    """The first look at which a gate fails the challenger."""
    for look in range(N_LOOKS):
        champion.draw(N_REQUESTS - N_CHALLENGER)
        challenger.draw(N_CHALLENGER)
        if gate.judge(champion.evidence(), challenger.evidence()).outcome == "fail":
            return look + 1
    return None


def simulate(
    make_gate: Callable[[], Gate], challenger_error: float, n_runs: int, seed: int, failure_share: float = 0.0
) -> Outcome:
    """Run a gate over freshly drawn counts, again and again."""
    rng = np.random.default_rng(seed)
    looks = [
        first_blame(make_gate(), Counts(rng, BASE_ERROR, failure_share), Counts(rng, challenger_error, failure_share))
        for _ in range(n_runs)
    ]
    return summed_up(looks)


def summed_up(looks: list[int | None]) -> Outcome:
    ended = [look for look in looks if look is not None]
    return Outcome(len(ended), len(looks), float(np.mean(ended)) if ended else float("nan"))


class CountedEvidence:
    """Stands in for a rollout's evidence, so that a simulation need not make two thousand requests a look."""

    def __init__(self, champion: Counts, challenger: Counts) -> None:
        self.versions = (champion, challenger)

    def add(self, *batches: object) -> None:
        """Nothing: the counts were drawn."""

    def summary(self) -> tuple[VersionEvidence, VersionEvidence]:
        return self.versions[0].evidence(), self.versions[1].evidence()


def roll_out(rng: np.random.Generator, challenger_error: float) -> int | None:
    """Run a whole rollout; return the look at which it rolled back, or None if it reached all traffic."""
    champion, challenger = Counts(rng, BASE_ERROR), Counts(rng, challenger_error)
    rollout = StagedRollout(PLAN)
    rollout._evidence = CountedEvidence(champion, challenger)  # type: ignore[assignment]
    for look in range(MOST_LOOKS):
        n_challenger = round(N_REQUESTS * rollout.challenger_weight)
        champion.draw(N_REQUESTS - n_challenger)
        challenger.draw(n_challenger)
        decision = rollout.step(answered([]), answered([], version=2), now=60.0 * look)
        if decision.action == "roll_back":
            return look + 1
        if decision.challenger_weight == 1.0:
            return None
    raise AssertionError(f"no end after {MOST_LOOKS} looks")


def simulate_rollouts(challenger_error: float, n_runs: int, seed: int) -> Outcome:
    """Run whole rollouts, steps and patience and all."""
    rng = np.random.default_rng(seed)
    return summed_up([roll_out(rng, challenger_error) for _ in range(n_runs)])


class LookingGate:
    """A z-test at a level of its own at each look: what many tools do. For comparison only."""

    def __init__(self, levels: list[float]) -> None:
        self.levels = iter(levels)

    def judge(self, champion: VersionEvidence, challenger: VersionEvidence) -> GateVerdict:
        pooled = (champion.n_errors + challenger.n_errors) / (champion.n_labelled + challenger.n_labelled)
        spread = np.sqrt(pooled * (1 - pooled) * (1 / champion.n_labelled + 1 / challenger.n_labelled))
        z = (challenger.error_rate - champion.error_rate) / spread if spread > 0 else 0.0
        return GateVerdict("fail" if norm.sf(z) <= next(self.levels) else "pass", f"z = {z:.2f}")


GATES: dict[str, Callable[[], Gate]] = {
    "`SequentialGate` (default)": SequentialGate,
    "`ThresholdFailureGate`: errors above 4%, five bad looks": ThresholdFailureGate,
    "z-test at 5%, peeked at every look": lambda: LookingGate([PEEKING_ALPHA] * N_LOOKS),
    "z-test at 5%, at the last look only": lambda: LookingGate([0.0] * (N_LOOKS - 1) + [PEEKING_ALPHA]),
    "z-test, 5% shared out over the looks (Bonferroni)": lambda: LookingGate([PEEKING_ALPHA / N_LOOKS] * N_LOOKS),
}
