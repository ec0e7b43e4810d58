"""Floor 2, deploy: rollouts that raise the challenger's share in steps of weight and time, judged by a gate.

May import contracts, the plan, the evidence and the gates.
"""

from __future__ import annotations

from tinytorch.mlops.contracts import LabelBatch, PredictionBatch, RolloutDecision
from tinytorch.mlops.deploy.evidence import EvidenceLog
from tinytorch.mlops.deploy.gates import Gate, GateVerdict, SequentialGate
from tinytorch.mlops.deploy.plan import ALL_TRAFFIC, DEFAULT_PLAN, RolloutPlan
from tinytorch.mlops.validate import check_moment, check_text


class StagedRollout:
    """A canary: step by step more traffic, as long as a gate finds nothing against the challenger.

    At every look: fail, roll back at once and for good; pass, advance once the step has lasted long enough and both
    versions have answered enough; inconclusive, hold, and after `patience` such looks roll back or freeze. Without new
    answers from both versions it never advances. A gate that breaks counts as inconclusive. With all traffic on the
    challenger only a failing gate changes anything.

    Parameters
    ----------
    plan : RolloutPlan
    gate : Gate, optional
        A new `SequentialGate` when not given. A gate may remember, so each rollout needs its own.
    mirrored : bool
        Whether both versions answer the same requests.

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

    def __init__(self, plan: RolloutPlan = DEFAULT_PLAN, gate: Gate | None = None, *, mirrored: bool = False) -> None:
        self.plan = plan
        self.gate = SequentialGate() if gate is None else gate
        self._evidence = EvidenceLog(mirrored)
        self._position = self._undecided = 0
        self._step_began: float | None = None
        self._lasted_s = 0.0
        self._before_step = ((0, 0), (0, 0))
        self._ended: RolloutDecision | None = None

    @property
    def challenger_weight(self) -> float:
        """The challenger's share of traffic now."""
        return self.plan.weights[self._position] if self._ended is None else self._ended.challenger_weight

    @property
    def finished(self) -> bool:
        """Whether nothing is left to decide: rolled back, or all traffic moved and watched for `watch_s`."""
        if self._ended is not None:
            return self._ended.action == "roll_back" or self._ended.challenger_weight == ALL_TRAFFIC
        return self.challenger_weight == ALL_TRAFFIC and self._lasted_s >= self.plan.watch_s

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
        self._lasted_s = now - self._step_began
        return self._act(self._judge(), now) if self._ended is None else self._ended

    def record_labels(self, label_batch: LabelBatch) -> None:
        """Take in labels of batches given to `step` before; others are left out."""
        self._evidence.record_labels(label_batch)

    def record_failures(self, n_champion: int, n_challenger: int) -> None:
        """Count requests that a version was sent since the last step and did not answer."""
        self._evidence.record_failures(n_champion, n_challenger)

    def roll_back(self, reason: str) -> RolloutDecision:
        """End the rollout now, whatever the analysis says, as on a person's command.

        Raises
        ------
        ValueError
            If the reason is no text.
        """
        self._ended = RolloutDecision("roll_back", 0.0, (check_text(reason, "reason"),))
        return self._ended

    def freeze(self, reason: str) -> RolloutDecision:
        """Keep the shares as they are and decide nothing more until a person rolls back or promotes.

        Raises
        ------
        ValueError
            If the reason is no text, or the rollout was rolled back; nothing is changed then.
        """
        return self._stay(self.challenger_weight, f"frozen: {self._checked(reason)}")

    def promote(self, reason: str) -> RolloutDecision:
        """Give the challenger all traffic now, whatever the analysis says, as on a person's command.

        Raises
        ------
        ValueError
            If the reason is no text, or the rollout was rolled back; nothing is changed then.
        """
        self._stay(ALL_TRAFFIC, f"promoted on command: {self._checked(reason)}")
        return RolloutDecision("advance", ALL_TRAFFIC, (reason,))

    def _checked(self, reason: str) -> str:
        """Return the reason, unless the rollout is over."""
        if self._ended is not None and self._ended.action == "roll_back":
            raise ValueError(f"rollout must not be rolled back, got one that was: {self._ended.evidence[0]}.")
        return check_text(reason, "reason")

    def _judge(self) -> GateVerdict:
        """Ask the gate. One that breaks says nothing for the challenger, and must not stop the rollout's caller."""
        try:
            verdict: object = self.gate.judge(*self._evidence.summary())
        except Exception as error:
            return GateVerdict("inconclusive", f"the analysis failed: {type(error).__name__}: {error}")
        if isinstance(verdict, GateVerdict):
            return verdict
        return GateVerdict("inconclusive", f"the analysis gave no verdict but {verdict!r}")

    def _act(self, verdict: GateVerdict, now: float) -> RolloutDecision:
        """Turn the gate's verdict into a decision."""
        if verdict.outcome == "fail":
            return self.roll_back(verdict.reason)
        if self.challenger_weight == ALL_TRAFFIC:
            watched = f"all traffic for {self._lasted_s:g} s, watched for {self.plan.watch_s:g} s"
            return RolloutDecision("hold", ALL_TRAFFIC, (watched,))
        missing = self._missing()
        if missing:
            return RolloutDecision("hold", self.challenger_weight, (missing,))
        if verdict.outcome == "inconclusive":
            return self._wait(verdict.reason)
        return self._advance(verdict.reason, now)

    def _missing(self) -> str:
        """Say what this step still needs before it can advance, or nothing."""
        fresh = [
            tuple(n - before for n, before in zip(*pair, strict=True))
            for pair in zip(self._counts(), self._before_step, strict=True)
        ]
        for (n_champion, n_challenger), least, what in (
            (fresh[0], self.plan.minimum_requests, "answers"),
            (fresh[1], self.plan.minimum_labels, "labels"),
        ):
            if min(n_champion, n_challenger) < least:
                return f"{n_champion} and {n_challenger} {what} in this step, {least} needed from each version"
        too_early = f"{self._lasted_s:g} s in this step, {self.plan.step_s:g} needed"
        return "" if self._lasted_s >= self.plan.step_s else too_early

    def _counts(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return answers and labels of both versions so far."""
        champion, challenger = self._evidence.summary()
        return (champion.n_answered, challenger.n_answered), (champion.n_labelled, challenger.n_labelled)

    def _wait(self, reason: str) -> RolloutDecision:
        """Hold, or lose patience."""
        self._undecided += 1
        if self._undecided < self.plan.patience:
            return RolloutDecision("hold", self.challenger_weight, (reason,))
        undecided = f"no verdict in {self.plan.patience} looks: {reason}"
        return self.roll_back(undecided) if self.plan.when_undecided == "roll_back" else self.freeze(undecided)

    def _advance(self, reason: str, now: float) -> RolloutDecision:
        """Go one step on."""
        self._position += 1
        self._step_began, self._lasted_s, self._undecided, self._before_step = now, 0.0, 0, self._counts()
        return RolloutDecision("advance", self.challenger_weight, (reason,))

    def _stay(self, weight: float, reason: str) -> RolloutDecision:
        """Decide for good, until a person says otherwise."""
        self._ended = RolloutDecision("hold", weight, (reason,))
        return self._ended
