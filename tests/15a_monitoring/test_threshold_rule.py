"""Alert rules in time: the state machine is Prometheus', and hysteresis is added to it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.mlops.monitor import RuleState, ThresholdRule

STEP_S = 60.0
N_SERIES, N_STEPS = 30, 40


def states(rule: ThresholdRule, values: list[float | None]) -> list[str]:
    """The rule's state after each value, one a minute."""
    machine = RuleState(rule)
    return [machine.step(value, STEP_S * place).state for place, value in enumerate(values)]


def random_rule(rng: np.random.Generator, number: int) -> tuple[ThresholdRule, list[float | None]]:
    """A rule that Prometheus has too, and values that keep crossing it, with gaps."""
    waits = rng.choice([0.0, 60.0, 90.0, 180.0, 300.0], size=2)
    rule = ThresholdRule(
        f"rule_{number}",
        **{"fire_above" if rng.random() < 0.5 else "fire_below": float(rng.integers(0, 4))},
        for_s=float(waits[0]),
        keep_firing_s=float(waits[1]),
    )
    steadiness = rng.uniform(0.3, 0.95)
    values: list[float | None] = [float(rng.integers(0, 5))]
    for _ in range(N_STEPS - 1):
        values.append(values[-1] if rng.random() < steadiness else rng.choice([0.0, 1.0, 2.0, 3.0, 4.0, None]))
    return rule, [None if value is None else float(value) for value in values]


def promtool_test(rule: ThresholdRule, values: list[float | None]) -> dict:
    """What our machine says, as an expectation for `promtool test rules`: firing or not, at every minute.

    "stale" ends a series at once; a plain gap would let Prometheus look back at the value before it.
    """
    written = " ".join("stale" if value is None else f"{value:g}" for value in values)
    labels = [{"exp_labels": {"severity": rule.severity}}]
    return {
        "interval": "1m",
        "input_series": [{"series": rule.name, "values": written}],
        "alert_rule_test": [
            {"eval_time": f"{place}m", "alertname": rule.name, "exp_alerts": labels if state == "firing" else []}
            for place, state in enumerate(states(rule, values))
        ],
    }


def promtool_rule(rule: ThresholdRule) -> dict:
    comparison = ">" if rule.direction == "above" else "<"
    return {
        "alert": rule.name,
        "expr": f"{rule.name} {comparison} {rule.fire_at:g}",
        "for": f"{rule.for_s:.0f}s",
        "keep_firing_for": f"{rule.keep_firing_s:.0f}s",
        "labels": {"severity": rule.severity},
    }


def run_promtool(folder: Path, pairs: list[tuple[ThresholdRule, dict]]) -> str:
    """Run `promtool test rules` (JSON is YAML) and return what it complains of."""
    rules = [promtool_rule(rule) for rule, _ in pairs]
    (folder / "rules.yml").write_text(json.dumps({"groups": [{"name": "ours", "rules": rules}]}), encoding="utf-8")
    tests = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test for _, test in pairs]}
    (folder / "tests.yml").write_text(json.dumps(tests), encoding="utf-8")
    outcome = subprocess.run(
        ["promtool", "test", "rules", "tests.yml"], cwd=folder, capture_output=True, text=True, check=False
    )
    return "" if outcome.returncode == 0 else outcome.stdout + outcome.stderr


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian's package prometheus)")
def test_on_random_series_the_states_are_those_of_promtool(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pairs = [random_rule(rng, number) for number in range(N_SERIES)]
    fired = sum("firing" in states(rule, values) for rule, values in pairs)
    assert 10 < fired < N_SERIES, "the series must exercise both outcomes"
    assert run_promtool(tmp_path, [(rule, promtool_test(rule, values)) for rule, values in pairs]) == ""


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian's package prometheus)")
def test_promtool_notices_a_state_that_is_not_its_own(tmp_path: Path) -> None:
    rule = ThresholdRule("errors", fire_above=1.0, for_s=120.0)
    expectation = promtool_test(rule, [2.0] * 5)
    expectation["alert_rule_test"][1]["exp_alerts"] = [{"exp_labels": {"severity": rule.severity}}]
    assert "errors" in run_promtool(tmp_path, [(rule, expectation)])


@settings(deadline=None, derandomize=True, max_examples=100)
@given(
    values=st.lists(st.sampled_from([None, 0.0, 1.0, 2.0, 3.0]), max_size=30),
    wait=st.sampled_from([0.0, 60.0, 150.0]),
    keep=st.sampled_from([0.0, 60.0, 150.0]),
)
def test_the_states_are_those_of_a_slow_reading_of_the_rule(values: list, wait: float, keep: float) -> None:
    """Firing at a moment if, since it last was quiet, bad values lasted `for_s`, and since then no good ones lasted
    `keep_firing_s`: written as a search backwards."""
    rule = ThresholdRule("r", fire_above=1.0, for_s=wait, keep_firing_s=keep)
    bad = [value is not None and value > 1.0 for value in values]
    firing_before = False
    for place, state in enumerate(states(rule, values)):
        run = next((k for k in range(place + 1) if bad[place - k] != bad[place]), place + 1)
        lasting = STEP_S * (run - 1)
        if bad[place]:
            firing_before = firing_before or lasting >= wait
        else:
            firing_before = firing_before and keep > 0 and lasting < keep
        assert (state == "firing") == firing_before


def test_a_value_that_wavers_about_one_threshold_does_not_clear_with_two() -> None:
    wavering = [4.0, 2.9, 3.1, 2.9, 3.1, 1.9]
    assert states(ThresholdRule("r", fire_above=3.0), wavering) == [
        "firing", "inactive", "firing", "inactive", "firing", "inactive",
    ]  # fmt: skip
    assert states(ThresholdRule("r", fire_above=3.0, clear_below=2.0), wavering) == ["firing"] * 5 + ["inactive"]


def test_time_does_not_run_backwards() -> None:
    machine = RuleState(ThresholdRule("r", fire_above=3.0)).step(4.0, 60.0)
    with pytest.raises(ValueError, match=r"now must be >= 60.0, the moment of the last value, got 0.0\."):
        machine.step(0.0, 0.0)
    assert (machine.state, machine.now) == ("firing", 60.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fire_above": None}, "one of fire_above and fire_below must be given, got None, None."),
        ({"fire_below": 1.0}, "one of fire_above and fire_below must be given, got 3.0, 1.0."),
        ({"clear_below": 4.0}, "clear_below must not lie above fire_above, got 4.0 and 3.0."),
        ({"fire_above": None, "fire_below": 3.0, "clear_above": 2.0}, "clear_above must not lie below fire_below"),
        ({"clear_above": 2.0}, "clear_above must not stand with fire_above, got 2.0."),
        ({"for_s": -1.0}, "for_s must be"),
        ({"fire_above": float("nan")}, "fire_above must be"),
        ({"severity": "loud"}, "severity must be one of"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ThresholdRule(**{"name": "r", "fire_above": 3.0, **change})
