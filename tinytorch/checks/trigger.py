"""Floor 3, the marking room: what every retraining trigger must do, tried on one. May import numpy and the records."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np

from tinytorch.checks.calls import must_refuse, require, watch
from tinytorch.mlops.contracts import Alert, DriftReport, RetrainDecision, Trigger

MakeTrigger = Callable[[float], Trigger]

COOLDOWN_S = 3600.0
# A time as good as any, in seconds since the epoch.
START = 1_000_000.0
# A trigger that starts its own cooldown when it is asked would say no from the second question on.
QUESTIONS = 3


def check_trigger(make_trigger: MakeTrigger) -> None:
    """Try a trigger: it retrains for a reason, not for drift alone, and not before the cooldown is over.

    Parameters
    ----------
    make_trigger : callable
        `make_trigger(cooldown_s)` returns a new trigger for which the alert "accuracy_low" is a reason and which
        allows at least two retrainings within two cooldowns.

    Raises
    ------
    ContractError
        With the first behaviour that is missing.

    Examples
    --------
    >>> from tinytorch.mlops.retrain import BudgetedTrigger
    >>> check_trigger(BudgetedTrigger)
    """
    for try_out in (_needs_a_reason, _retrains_for_a_reason, _changes_nothing_when_asked, _cools_down):
        try_out(make_trigger)
    for cooldown_s in (-1.0, float("nan")):
        call = f"make_trigger(cooldown_s={cooldown_s})"
        must_refuse(partial(watch(make_trigger, "make_trigger"), cooldown_s), call)


def accuracy_alert(state: Literal["firing", "resolved"] = "firing", rule: str = "accuracy_low") -> Alert:
    """Return an alert as a monitor would raise it.

    Examples
    --------
    >>> print(accuracy_alert())
    accuracy_low firing (critical): 0.8 is below 0.9
    """
    return Alert(rule, state, "critical", 0.8, 0.9, START, 1, "0.8 is below 0.9")


def _drift_report() -> DriftReport:
    """Return a report in which one of two features drifted."""
    return DriftReport(
        feature_names=("a", "b"),
        method="made up for the check",
        statistic=np.array([0.1, 0.9]),
        pvalue=np.array([0.4, 0.001]),
        adjusted_pvalue=np.array([0.4, 0.002]),
        effect_size=np.array([0.1, 0.9]),
        missing_rate=np.zeros(2),
        alpha=0.01,
        minimum_effect=0.2,
        n_reference=600,
        n_current=200,
        timestamp=START,
    )


def _new_trigger(make_trigger: MakeTrigger) -> Trigger:
    """Return a new trigger behind a guard."""
    return watch(watch(make_trigger, "make_trigger")(COOLDOWN_S), "trigger")


def _ask(
    trigger: Trigger, alerts: tuple[Alert, ...], now: float, situation: str, report: DriftReport | None = None
) -> RetrainDecision:
    """Return the decision, which must be a `RetrainDecision` that gives its reasons in words."""
    call = f"check_trigger_conditions {situation}"
    decision = trigger.check_trigger_conditions(alerts, report, now)
    require(isinstance(decision, RetrainDecision), call, "a RetrainDecision", decision)
    in_words = bool(decision.reasons) and all(isinstance(reason, str) and reason for reason in decision.reasons)
    require(in_words, call, "reasons in words, whether it says yes or no", decision.reasons)
    return decision


def _needs_a_reason(make_trigger: MakeTrigger) -> None:
    cases: dict[str, tuple[tuple[Alert, ...], DriftReport | None]] = {
        "without alerts": ((), None),
        "with an alert that is resolved": ((accuracy_alert("resolved"),), None),
        "with an alert that no new model can mend (latency_high)": ((accuracy_alert(rule="latency_high"),), None),
        "with drift alone, which is not yet damage": ((), _drift_report()),
    }
    for situation, (alerts, report) in cases.items():
        decision = _ask(_new_trigger(make_trigger), alerts, START, situation, report)
        require(not decision.should_retrain, f"check_trigger_conditions {situation}", "no retraining", decision)


def _retrains_for_a_reason(make_trigger: MakeTrigger) -> None:
    for situation, report in (("", None), (" and drift", _drift_report())):
        full = f"with accuracy_low firing{situation}"
        decision = _ask(_new_trigger(make_trigger), (accuracy_alert(),), START, full, report)
        require(decision.should_retrain, f"check_trigger_conditions {full}", "retraining", decision)
        named = any("accuracy_low" in reason for reason in decision.reasons)
        require(named, f"reasons {full}", "one that names accuracy_low", decision.reasons)


def _changes_nothing_when_asked(make_trigger: MakeTrigger) -> None:
    trigger = _new_trigger(make_trigger)
    for question in range(QUESTIONS):
        situation = f"with accuracy_low firing, question {question + 1}, with no retraining recorded"
        decision = _ask(trigger, (accuracy_alert(),), START + question, situation)
        require(decision.should_retrain, f"check_trigger_conditions {situation}", "retraining, as before", decision)


def _cools_down(make_trigger: MakeTrigger) -> None:
    trigger = _new_trigger(make_trigger)
    trigger.record_retraining(START)
    _require_rest(trigger, START)
    after = "with accuracy_low firing, when the cooldown is over"
    decision = _ask(trigger, (accuracy_alert(),), START + COOLDOWN_S, after)
    require(decision.should_retrain, f"check_trigger_conditions {after}", "retraining", decision)
    decision = _ask(trigger, (), START + COOLDOWN_S, "without alerts, when the cooldown is over")
    require(not decision.should_retrain, "check_trigger_conditions without alerts", "no retraining", decision)
    trigger.record_retraining(START + COOLDOWN_S)
    _require_rest(trigger, START + COOLDOWN_S)


def _require_rest(trigger: Trigger, begun: float) -> None:
    """Raise unless the trigger says no soon after a retraining that was begun then."""
    for later_s in (0.0, COOLDOWN_S / 2):
        situation = f"with accuracy_low firing, {later_s:g} s after a retraining (cooldown {COOLDOWN_S:g} s)"
        decision = _ask(trigger, (accuracy_alert(),), begun + later_s, situation)
        require(not decision.should_retrain, f"check_trigger_conditions {situation}", "no retraining", decision)
