"""The rollout's check finds what is wrong with wrong rollouts, and names it."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from tinytorch.checks.calls import ContractError
from tinytorch.checks.rollout import check_rollout
from tinytorch.mlops.contracts import LabelBatch, RolloutDecision
from tinytorch.mlops.deploy import CanaryRollout, ThresholdGate


class FollowsTheCalendar(CanaryRollout):
    """Advances with time, whatever the labels say."""

    n_steps = 0

    def step(self, champion_batch, challenger_batch, now):
        self.n_steps += 1
        return RolloutDecision("advance", min(1.0, 0.25 * self.n_steps), ("a step is over",))


class NeverDares(CanaryRollout):
    def step(self, champion_batch, challenger_batch, now):
        super().step(champion_batch, challenger_batch, now)
        return RolloutDecision("hold", self.weights[0], ("better safe than sorry",))


class CannotSayNo(CanaryRollout):
    def step(self, champion_batch, challenger_batch, now):
        decision = super().step(champion_batch, challenger_batch, now)
        if decision.action == "roll_back":
            return RolloutDecision("hold", self.weights[0], decision.evidence)
        return decision


class KeepsItsTraffic(CanaryRollout):
    """Says that it rolls back, and does not."""

    def step(self, champion_batch, challenger_batch, now):
        decision = super().step(champion_batch, challenger_batch, now)
        if decision.action == "roll_back":
            return RolloutDecision("roll_back", self.weights[0], decision.evidence)
        return decision


class CountsLabelsTwice(CanaryRollout):
    """Lets answers wait again after their label has come."""

    def __init__(self):
        super().__init__()
        self.n_labels = 0

    def record_labels(self, label_batch):
        super().record_labels(label_batch)
        self.n_labels += len(label_batch)

    def step(self, champion_batch, challenger_batch, now):
        decision = super().step(champion_batch, challenger_batch, now)
        if decision.action == "hold" and self.n_labels > 100:
            return RolloutDecision("advance", 1.0, (f"{self.n_labels} labels",))
        return decision


class CannotTakeForeignLabels(ThresholdGate):
    def record_labels(self, label_batch):
        if (np.asarray(label_batch.request_ids) < 0).any():
            raise KeyError(int(label_batch.request_ids[0]))
        super().record_labels(label_batch)


class BeginsWithEverybody(CanaryRollout):
    def step(self, champion_batch, challenger_batch, now):
        super().step(champion_batch, challenger_batch, now)
        return RolloutDecision("hold", 1.0, ("all at once",))


class TakesOneVersionForTwo(ThresholdGate):
    def step(self, champion_batch, challenger_batch, now):
        if champion_batch.model_version == challenger_batch.model_version:
            return RolloutDecision("hold", self.challenger_weight, ("one version",))
        return super().step(champion_batch, challenger_batch, now)


class GivesNoEvidence(CanaryRollout):
    def step(self, champion_batch, challenger_batch, now):
        decision = super().step(champion_batch, challenger_batch, now)
        return RolloutDecision(decision.action, decision.challenger_weight, ())


class WithdrawsEquals(ThresholdGate):
    """Wants the challenger to be better, and calls everything else worse."""

    def record_labels(self, label_batch):
        worse = np.where(label_batch.request_ids % 200 >= 100, 0, label_batch.labels)
        super().record_labels(LabelBatch(label_batch.request_ids, worse, label_batch.timestamp))


@pytest.mark.parametrize(
    ("make_rollout", "sentence"),
    [
        (FollowsTheCalendar, "rollout.step without any labels: expected no advance, got advance to"),
        (NeverDares, r"challenger_weight where the champion has 40 errors .* after 10 steps: expected 1, got \[0.25"),
        (CannotSayNo, "the challenger 40: expected a rollback to weight 0 within 10 steps, got hold"),
        (KeepsItsTraffic, "expected a rollback to weight 0 within 10 steps, got roll back to 25% of traffic"),
        (CountsLabelsTwice, "a few labels that came thirty times: expected hold, as none of these count, got advance"),
        (CannotTakeForeignLabels, r"rollout.record_labels\(100 labels\): expected an answer, but KeyError was raised"),
        (BeginsWithEverybody, "rollout.step, the first: expected a challenger_weight below 1"),
        (TakesOneVersionForTwo, "rollout.step with two batches of the same version: expected a ValueError"),
        (GivesNoEvidence, r"rollout.step without any labels: expected evidence in words, got \(\)"),
        (partial(CanaryRollout, minimum_labels=1), "with 4 labels of each version, .*: expected no advance"),
        (WithdrawsEquals, "rollout.step .*: expected no rollback, got roll back"),
    ],
)
def test_a_wrong_rollout_is_told_what_is_wrong(make_rollout, sentence):
    with pytest.raises(ContractError, match=sentence):
        check_rollout(make_rollout)
