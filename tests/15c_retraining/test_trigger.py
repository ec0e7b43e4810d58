"""When to retrain: a reason, outside the cooldown, within the budget; and asking changes nothing."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytorch.mlops.contracts import Alert, DriftReport
from tinytorch.mlops.retrain import BudgetedTrigger

NAN = float("nan")


def an_alert(rule: str = "accuracy_low", state: Any = "firing") -> Alert:
    return Alert(rule, state, "critical", 0.8, 0.9, timestamp=0.0, model_version=1, message="0.8 is below 0.9")


def a_report(pvalue: float) -> DriftReport:
    return DriftReport(("ink",), "KS", [0.9], [pvalue], [pvalue], [0.9], [0.0], 0.05, 0.1, 600, 120, 0.0)


def asks(trigger: BudgetedTrigger, now: float, *alerts: Alert, report: DriftReport | None = None) -> Any:
    return trigger.check_trigger_conditions(alerts or (an_alert(),), report, now)


def test_only_a_firing_alert_of_a_watched_rule_is_a_reason():
    trigger = BudgetedTrigger(rules=("accuracy_low", "calibration"))
    assert asks(trigger, 0.0).should_retrain
    assert asks(trigger, 0.0, an_alert("calibration")).should_retrain
    assert not asks(trigger, 0.0, an_alert("latency_high")).should_retrain
    assert not asks(trigger, 0.0, an_alert(state="resolved")).should_retrain
    assert not trigger.check_trigger_conditions((), None, 0.0).should_retrain


def test_drift_alone_is_watched_and_beside_an_alert_it_is_told():
    trigger = BudgetedTrigger()
    alone = trigger.check_trigger_conditions((), a_report(0.001), 0.0)
    assert not alone.should_retrain
    assert alone.reasons == ("drift (high) in 1 of 1 features: ink, to be watched", "accuracy holds")
    assert trigger.check_trigger_conditions((), a_report(0.5), 0.0).reasons == ("accuracy holds",)
    both = asks(trigger, 0.0, report=a_report(0.001))
    assert both.should_retrain
    assert both.reasons[0] == "accuracy_low is firing"
    assert len(both.reasons) == 2


def test_nobody_retrains_during_the_cooldown_and_at_its_end_one_may():
    trigger = BudgetedTrigger(cooldown_s=100.0)
    trigger.record_retraining(now=1000.0)
    refused = asks(trigger, 1099.0)
    assert not refused.should_retrain
    assert refused.reasons == ("accuracy_low is firing", "cooling down for 1 s more")
    assert asks(trigger, 1100.0).should_retrain


def test_a_cooldown_longer_than_the_period_holds_all_the_same():
    trigger = BudgetedTrigger(cooldown_s=100.0, period_s=10.0)
    trigger.record_retraining(now=0.0)
    assert not asks(trigger, 50.0).should_retrain
    assert asks(trigger, 100.0).should_retrain


def test_the_newest_retraining_counts_in_whatever_order_they_were_recorded():
    trigger = BudgetedTrigger(cooldown_s=100.0)
    trigger.record_retraining(now=500.0)
    trigger.record_retraining(now=0.0)
    assert not asks(trigger, 550.0).should_retrain


def test_the_budget_is_counted_over_the_period_that_slides():
    trigger = BudgetedTrigger(cooldown_s=1.0, budget=2, period_s=100.0)
    trigger.record_retraining(now=0.0)
    assert asks(trigger, 50.0).should_retrain
    trigger.record_retraining(now=50.0)
    refused = asks(trigger, 99.0)
    assert refused.reasons[-1] == "the budget of 2 retrainings in 100 s is used up"
    assert not refused.should_retrain
    assert asks(trigger, 100.0).should_retrain


@given(st.lists(st.floats(0, 1e4), max_size=60), st.integers(1, 3))
def test_whoever_asks_before_each_retraining_keeps_cooldown_and_budget(moments: list[float], budget: int):
    trigger = BudgetedTrigger(cooldown_s=50.0, budget=budget, period_s=1000.0)
    begun: list[float] = []
    for now in sorted(moments):
        if asks(trigger, now).should_retrain:
            trigger.record_retraining(now)
            begun.append(now)
    assert all(later - earlier >= 50.0 for earlier, later in itertools.pairwise(begun))
    assert all(sum(now - 1000.0 < other <= now for other in begun) <= budget for now in begun)
    assert bool(begun) == bool(moments)


def test_asking_changes_nothing():
    trigger = BudgetedTrigger()
    assert [asks(trigger, 0.0) for _ in range(3)] == [asks(trigger, 0.0)] * 3


@pytest.mark.parametrize("bad", [NAN, float("inf")])
def test_a_time_that_is_none_is_refused_and_nothing_is_remembered(bad: float):
    trigger = BudgetedTrigger()
    with pytest.raises(ValueError, match="now must be in"):
        trigger.record_retraining(bad)
    with pytest.raises(ValueError, match="now must be in"):
        asks(trigger, bad)
    assert asks(trigger, 0.0).should_retrain


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cooldown_s": 0.0}, "cooldown_s must be > 0"),
        ({"budget": 0}, "budget must be an integer >= 1"),
        ({"period_s": -1.0}, "period_s must be > 0"),
    ],
)
def test_a_trigger_is_checked_when_it_is_made(options: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        BudgetedTrigger(**options)


@pytest.mark.parametrize("now", [float("nan"), "a", None])
@pytest.mark.parametrize("alerts", [(), (an_alert(),)])
def test_conditions_are_checked_at_a_moment_whether_or_not_an_alert_fires(alerts: Any, now: Any):
    with pytest.raises(ValueError, match="now must be in"):
        BudgetedTrigger().check_trigger_conditions(alerts, None, now=now)
