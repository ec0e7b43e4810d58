"""Floor 2, deploy: rollouts that raise the challenger's share in steps of weight and time, judged by a gate.

May import contracts, the evidence and the gates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tinytorch._arguments import check_choice, check_in_range, check_integer
from tinytorch.mlops.contracts import LabelBatch, PredictionBatch, RolloutDecision
from tinytorch.mlops.deploy.evidence import EvidenceLog
from tinytorch.mlops.deploy.gates import Gate, GateVerdict, SequentialGate
from tinytorch.mlops.validate import check_moment

# A share that hurts few if the challenger is bad, then a quarter, then half, then everyone.
DEFAULT_STEPS = (0.1, 0.25, 0.5, 1.0)
# Each version must have answered this many requests in a step; with fewer a pass would mean "nothing seen".
DEFAULT_MINIMUM_REQUESTS = 50
# As many looks without a verdict in one step end the waiting.
DEFAULT_PATIENCE = 20
ALL_TRAFFIC = 1.0


@dataclass(frozen=True)
class RolloutPlan:
    """How a challenger is brought into traffic.

    Attributes
    ----------
    weights : tuple of float
        The challenger's share at each step, rising to 1.
    step_s : float
        Seconds that each step lasts at least.
    minimum_requests, minimum_labels : int
        Answers, and labelled ones, that each version needs in a step before it can advance. Without labels (0) the
        step is judged by failures, latency and the classes answered.
    patience : int
        Inconclusive looks in one step before `when_undecided`.
    when_undecided : "roll_back" or "freeze"
        Freezing keeps the share as it is and waits for a person.

    Raises
    ------
    ValueError
        If the weights do not rise to 1, or a number breaks its rule.

    Examples
    --------
    >>> RolloutPlan(weights=(0.5, 1.0), minimum_labels=20).weights
    (0.5, 1.0)
    """

    weights: tuple[float, ...] = DEFAULT_STEPS
    step_s: float = 0.0
    minimum_requests: int = DEFAULT_MINIMUM_REQUESTS
    minimum_labels: int = 0
    patience: int = DEFAULT_PATIENCE
    when_undecided: Literal["roll_back", "freeze"] = "roll_back"

    def __post_init__(self) -> None:
        for weight in self.weights:
            check_in_range(weight, "weights", 0.0, ALL_TRAFFIC)
        if not self.weights or list(self.weights) != sorted(set(self.weights)) or self.weights[-1] != ALL_TRAFFIC:
            raise ValueError(f"weights must rise and end with 1.0, got {self.weights!r}.")
        check_in_range(self.step_s, "step_s", 0.0, float("inf"))
        check_integer(self.minimum_requests, "minimum_requests", minimum=1)
        check_integer(self.minimum_labels, "minimum_labels", minimum=0)
        check_integer(self.patience, "patience", minimum=1)
        check_choice(self.when_undecided, "when_undecided", ("roll_back", "freeze"))


DEFAULT_PLAN = RolloutPlan()


class StagedRollout:
    """A canary: step by step more traffic, as long as a gate finds nothing against the challenger.

    At every step it takes: fail, roll back at once and for good; pass, advance once the step has lasted long enough
    and both versions have answered enough; inconclusive, hold, and after `patience` such looks roll back or freeze.
    Without new answers from both versions it never advances.

    Parameters
    ----------
    plan : RolloutPlan
    gate : Gate, optional
        A new `SequentialGate` when not given. A gate may remember, so each rollout needs its own.

    Examples
    --------
    >>> rollout = StagedRollout(RolloutPlan(weights=(0.5, 1.0), minimum_requests=10))
    >>> import numpy as np
    >>> def answers(ids, version):
    ...     n = len(ids)
    ...     return PredictionBatch(ids, np.zeros((n, 1)), np.zeros(n), None, np.ones(n), 0.0, version)
    >>> print(rollout.step(answers(np.arange(20), 1), answers(np.arange(20, 40), 2), now=0.0))
    advance to 100% of traffic: no labels yet, and nothing else against the challenger
    """

    def __init__(self, plan: RolloutPlan = DEFAULT_PLAN, gate: Gate | None = None) -> None:
        self.plan = plan
        self.gate = SequentialGate() if gate is None else gate
        self._evidence = EvidenceLog()
        self._position = self._undecided = 0
        self._step_began: float | None = None
        self._before_step = ((0, 0), (0, 0))
        self._ended: RolloutDecision | None = None

    @property
    def challenger_weight(self) -> float:
        """The challenger's share of traffic now."""
        return self.plan.weights[self._position] if self._ended is None else self._ended.challenger_weight

    def step(self, champion_batch: PredictionBatch, challenger_batch: PredictionBatch, now: float) -> RolloutDecision:
        """Take in what both versions answered since the last step, and decide.

        Raises
        ------
        ValueError
            If the batches cannot be taken (see `EvidenceLog.add`) or `now` is no moment; nothing is changed then.
        """
        check_moment(now, "now")
        self._evidence.add(champion_batch, challenger_batch)
        self._step_began = now if self._step_began is None else self._step_began
        if self._ended is not None:
            return self._ended
        champion, challenger = self._evidence.summary()
        return self._act(self.gate.judge(champion, challenger), now)

    def record_labels(self, label_batch: LabelBatch) -> None:
        """Take in labels of batches given to `step` before; others are left out."""
        self._evidence.record_labels(label_batch)

    def record_failures(self, n_champion: int, n_challenger: int) -> None:
        """Count requests that a version was sent since the last step and did not answer."""
        self._evidence.record_failures(n_champion, n_challenger)

    def roll_back(self, reason: str) -> RolloutDecision:
        """End the rollout now, whatever the analysis says, as on a person's command."""
        return self._end("roll_back", 0.0, reason)

    def freeze(self, reason: str) -> RolloutDecision:
        """Keep the shares as they are and decide nothing more."""
        return self._end("hold", self.challenger_weight, f"frozen: {reason}")

    def _act(self, verdict: GateVerdict, now: float) -> RolloutDecision:
        """Turn the gate's verdict into a decision."""
        if verdict.outcome == "fail":
            return self._end("roll_back", 0.0, verdict.reason)
        missing = self._missing(now)
        if missing:
            return RolloutDecision("hold", self.challenger_weight, (missing,))
        if verdict.outcome == "inconclusive":
            return self._wait(verdict.reason)
        return self._advance(verdict.reason, now)

    def _missing(self, now: float) -> str:
        """Say what this step still needs before it can advance, or nothing."""
        fresh = [(n[0] - old[0], n[1] - old[1]) for n, old in zip(self._counts(), self._before_step, strict=True)]
        for (n_champion, n_challenger), least, what in (
            (fresh[0], self.plan.minimum_requests, "answers"),
            (fresh[1], self.plan.minimum_labels, "labels"),
        ):
            if min(n_champion, n_challenger) < least and self.challenger_weight < ALL_TRAFFIC:
                return f"{n_champion} and {n_challenger} {what} in this step, {least} needed from each version"
        lasted_s = now - (now if self._step_began is None else self._step_began)
        return "" if lasted_s >= self.plan.step_s else f"{lasted_s:g} s in this step, {self.plan.step_s:g} needed"

    def _counts(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return answers and labels of both versions so far."""
        champion, challenger = self._evidence.summary()
        return (champion.n_requests, challenger.n_requests), (champion.n_labelled, challenger.n_labelled)

    def _wait(self, reason: str) -> RolloutDecision:
        """Hold, or lose patience."""
        self._undecided += 1
        if self._undecided <= self.plan.patience:
            return RolloutDecision("hold", self.challenger_weight, (reason,))
        undecided = f"no verdict after {self.plan.patience} looks: {reason}"
        return self.roll_back(undecided) if self.plan.when_undecided == "roll_back" else self.freeze(undecided)

    def _advance(self, reason: str, now: float) -> RolloutDecision:
        """Go one step on; at the last step there is nothing left but to stay."""
        self._position = min(self._position + 1, len(self.plan.weights) - 1)
        self._step_began, self._undecided, self._before_step = now, 0, self._counts()
        return RolloutDecision("advance", self.challenger_weight, (reason,))

    def _end(self, action: Literal["hold", "roll_back"], weight: float, reason: str) -> RolloutDecision:
        """Decide for good."""
        self._ended = RolloutDecision(action, weight, (reason,))
        return self._ended
