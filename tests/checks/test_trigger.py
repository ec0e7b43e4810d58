"""The trigger's check finds what is wrong with wrong triggers, and names it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tinytorch.checks.calls import ContractError
from tinytorch.checks.trigger import check_trigger
from tinytorch.mlops.contracts import RetrainDecision
from tinytorch.mlops.retrain import BudgetedTrigger


class Always(BudgetedTrigger):
    def check_trigger_conditions(self, alerts, report, now):
        return RetrainDecision(True, ("a new model is always welcome",))


class Never(BudgetedTrigger):
    def check_trigger_conditions(self, alerts, report, now):
        return RetrainDecision(False, ("the old model is good enough",))


class TakesDriftForDamage(BudgetedTrigger):
    def check_trigger_conditions(self, alerts, report, now):
        decision = super().check_trigger_conditions(alerts, report, now)
        return replace(decision, should_retrain=decision.should_retrain or report is not None)


class TakesAnyAlert(BudgetedTrigger):
    def __init__(self, cooldown_s):
        super().__init__(cooldown_s, rules=("accuracy_low", "latency_high"))


class OverlooksResolved(BudgetedTrigger):
    def check_trigger_conditions(self, alerts, report, now):
        return super().check_trigger_conditions(tuple(replace(alert, state="firing") for alert in alerts), report, now)


class CoolsDownWhenAsked(BudgetedTrigger):
    def check_trigger_conditions(self, alerts, report, now):
        decision = super().check_trigger_conditions(alerts, report, now)
        if decision.should_retrain:
            self.record_retraining(now)
        return decision


class NeverCoolsDown(BudgetedTrigger):
    def record_retraining(self, now):
        pass


class CoolsDownForEver(BudgetedTrigger):
    def __init__(self, cooldown_s):
        super().__init__(1000 * cooldown_s)


class CoolsDownOnce(BudgetedTrigger):
    done = False

    def record_retraining(self, now):
        if not self.done:
            super().record_retraining(now)
        self.done = True


class GivesNoReason(BudgetedTrigger):
    def check_trigger_conditions(self, alerts, report, now):
        return replace(super().check_trigger_conditions(alerts, report, now), reasons=())


class AnswersYesOrNo(BudgetedTrigger):
    def check_trigger_conditions(self, alerts, report, now):
        return super().check_trigger_conditions(alerts, report, now).should_retrain


@pytest.mark.parametrize(
    ("make_trigger", "sentence"),
    [
        (Always, "without alerts: expected no retraining, got retrain: a new model is always welcome"),
        (Never, "with accuracy_low firing: expected retraining, got keep the champion"),
        (TakesDriftForDamage, "with drift alone, which is not yet damage: expected no retraining"),
        (TakesAnyAlert, r"no new model can mend \(latency_high\): expected no retraining"),
        (OverlooksResolved, "with an alert that is resolved: expected no retraining"),
        (CoolsDownWhenAsked, "question 2, with no retraining recorded: expected retraining, as before"),
        (NeverCoolsDown, r"0 s after a retraining \(cooldown 3600 s\): expected no retraining"),
        (CoolsDownForEver, "when the cooldown is over: expected retraining"),
        (CoolsDownOnce, r"0 s after a retraining \(cooldown 3600 s\): expected no retraining"),
        (GivesNoReason, r"expected reasons in words, whether it says yes or no, got \(\)"),
        (AnswersYesOrNo, "expected a RetrainDecision, got False"),
        (lambda cooldown_s: BudgetedTrigger(3600.0), r"make_trigger\(cooldown_s=-1.0\): expected a ValueError"),
    ],
)
def test_a_wrong_trigger_is_told_what_is_wrong(make_trigger, sentence):
    with pytest.raises(ContractError, match=sentence):
        check_trigger(make_trigger)
