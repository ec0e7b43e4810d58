"""An alert needs several breaches in a row to fire, and several good looks at a better value to clear."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytorch.mlops.monitor.alert_rule import AlertRule, Look


def look(value: float, fire_at: float = 0.9, clear_at: float = 0.93, at: float = 0.0) -> Look:
    return Look(value, fire_at, clear_at, timestamp=at, model_version=3)


def states(rule: AlertRule, values: Any) -> list[str | None]:
    alerts = [rule.update(look(value)) for value in values]
    return [None if alert is None else alert.state for alert in alerts]


def test_one_breach_is_not_enough_and_a_good_look_starts_the_count_anew():
    rule = AlertRule("accuracy_low", "below")
    assert states(rule, [0.8, 0.95, 0.8, 0.9, 0.8]) == [None] * 5  # 0.9 is not below 0.9
    assert rule.firing is None
    assert states(rule, [0.8]) == ["firing"]


def test_between_both_thresholds_a_firing_alert_neither_clears_nor_fires_again():
    rule = AlertRule("accuracy_low", "below")
    assert states(rule, [0.8, 0.8]) == [None, "firing"]
    assert states(rule, [0.91, 0.92, 0.8, 0.95, 0.92, 0.95]) == [None] * 6
    assert states(rule, [0.93]) == ["resolved"]  # exactly at the threshold is clear
    assert rule.firing is None


def test_an_alert_may_fire_again_after_it_cleared():
    rule = AlertRule("accuracy_low", "below", breaches_to_fire=1, looks_to_clear=1)
    assert states(rule, [0.8, 0.95, 0.8]) == ["firing", "resolved", "firing"]


def test_above_is_the_mirror_image():
    rule = AlertRule("latency_high", "above", "warning")
    looks = [Look(value, 100.0, 80.0, float(value), 1) for value in (101, 101, 90, 80, 79)]
    alerts = [rule.update(item) for item in looks]
    assert [alert and alert.state for alert in alerts] == [None, "firing", None, None, "resolved"]
    assert str(alerts[1]) == "latency_high firing (warning): 101 is above 100, 2 looks in a row"


def test_an_alert_says_when_what_and_how_far():
    rule = AlertRule("accuracy_low", "below")
    rule.update(look(0.8, at=1.0))
    fired = rule.update(look(0.7, at=2.0))
    assert fired is not None
    assert (fired.value, fired.threshold, fired.timestamp, fired.model_version) == (0.7, 0.9, 2.0, 3)
    assert rule.firing == fired
    rule.update(look(0.95, at=3.0))
    resolved = rule.update(look(0.97, at=4.0))
    assert resolved is not None
    assert (resolved.value, resolved.threshold, resolved.timestamp) == (0.97, 0.93, 4.0)


def test_reset_forgets_the_alert_and_the_count():
    rule = AlertRule("accuracy_low", "below")
    states(rule, [0.8, 0.8])
    rule.reset()
    assert rule.firing is None
    assert states(rule, [0.8]) == [None]
    rule.reset()
    assert states(rule, [0.8, 0.8]) == [None, "firing"]


@given(st.lists(st.floats(0.5, 1.0), max_size=60), st.integers(1, 4), st.integers(1, 4))
def test_firing_and_resolved_take_turns_and_each_has_its_run_before_it(values: list[float], breaches: int, clears: int):
    rule = AlertRule("accuracy_low", "below", breaches_to_fire=breaches, looks_to_clear=clears)
    seen = states(rule, values)
    changes = [(index, state) for index, state in enumerate(seen) if state is not None]
    assert [state for _, state in changes] == (["firing", "resolved"] * len(changes))[: len(changes)]
    for index, state in changes:
        count, holds = (breaches, lambda v: v < 0.9) if state == "firing" else (clears, lambda v: v >= 0.93)
        assert all(holds(value) for value in values[index - count + 1 : index + 1])
        assert index - count + 1 >= 0


@pytest.mark.parametrize("name", ["value", "fire_at", "clear_at", "timestamp"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_look_that_is_no_number_is_refused(name: str, bad: float):
    fields = {"value": 0.8, "fire_at": 0.9, "clear_at": 0.93, "timestamp": 0.0, "model_version": 1}
    with pytest.raises(ValueError, match=f"{name} must be in"):
        Look(**(fields | {name: bad}))


@pytest.mark.parametrize(("direction", "clear_at"), [("below", 0.8), ("above", 1.0)])
def test_clearing_on_the_bad_side_is_refused_and_changes_nothing(direction: Any, clear_at: float):
    rule = AlertRule("rule", direction)
    bad = 0.5 if direction == "below" else 1.5
    rule.update(look(bad, 0.9, 0.9))
    with pytest.raises(ValueError, match=f"clear_at must not lie {direction} fire_at, got {clear_at} and 0.9"):
        rule.update(look(bad, 0.9, clear_at))
    assert rule.update(look(bad, 0.9, 0.9)) is not None  # the second breach in a row


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"direction": "left"}, "direction must be one of 'below', 'above', got 'left'"),
        ({"severity": "bad"}, "severity must be one of"),
        ({"breaches_to_fire": 0}, "breaches_to_fire must be an integer >= 1, got 0"),
        ({"looks_to_clear": 0}, "looks_to_clear must be an integer >= 1, got 0"),
    ],
)
def test_a_rule_is_checked_when_it_is_made(arguments: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        AlertRule(**({"name": "rule", "direction": "below"} | arguments))
