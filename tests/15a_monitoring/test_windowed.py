"""The windowed monitor: quiet on a healthy model, quick on a broken one, and never half changed."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from batches import answered, labelled
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from tinytorch.mlops.contracts import Alert
from tinytorch.mlops.monitor import WindowedMonitor
from tinytorch.mlops.monitor.windowed import DEFAULT_MAXIMUM_LATENCY_MS, DEFAULT_WINDOW_SIZE, TREND_LOOKS


def a_monitor(baseline: float = 0.95, n_baseline: int = 200, **options: Any) -> WindowedMonitor:
    return WindowedMonitor("digits", baseline, n_baseline, **options)


def feed(monitor: WindowedMonitor, correct: Any, batch_size: int, first_id: int = 0) -> list[Alert]:
    """Serve answers, right or wrong as told, and hand in their labels batch by batch."""
    alerts: list[Alert] = []
    for start in range(0, len(correct), batch_size):
        part = np.asarray(correct[start : start + batch_size], dtype=int)
        ids = first_id + start + np.arange(len(part))
        monitor.observe(answered(ids, 1))
        alerts += monitor.record_labels(labelled(ids, part, at=float(start)))
    return alerts


def one_batch(monitor: WindowedMonitor, n_right: int, n_wrong: int, first_id: int) -> tuple[Alert, ...]:
    correct = np.repeat([1, 0], [n_right, n_wrong])
    ids = first_id + np.arange(len(correct))
    monitor.observe(answered(ids, 1))
    return monitor.record_labels(labelled(ids, correct))


def state(monitor: WindowedMonitor) -> Any:
    kept = copy.deepcopy(vars(monitor))
    log, rules = kept.pop("_log"), kept.pop("_rules")
    return repr(kept), sorted(log._waiting), [repr(vars(rule)) for rule in rules]


@pytest.mark.parametrize("n_baseline", [100, 200])
@pytest.mark.parametrize("accuracy", [0.5, 0.8, 0.9, 0.95, 0.98, 0.99])
def test_chance_makes_a_breach_of_less_than_one_look_in_ten_thousand(n_baseline: int, accuracy: float):
    # Worked out, not simulated: the baseline is binomial (n_baseline, accuracy), the full window (120, accuracy).
    probability = 0.0
    for right in range(n_baseline + 1):
        monitor = a_monitor(right / n_baseline, n_baseline)
        weight = binom(n_baseline, accuracy).pmf(right)
        if weight < 1e-9:
            continue
        one_batch(monitor, DEFAULT_WINDOW_SIZE, 0, first_id=0)
        fire_at = monitor._threshold(monitor.standard_errors)
        most_wrong = np.ceil(fire_at * DEFAULT_WINDOW_SIZE - 1e-9) - 1  # right answers of the best breach
        probability += weight * binom(DEFAULT_WINDOW_SIZE, accuracy).cdf(most_wrong)
    assert probability < 1e-4


@pytest.mark.parametrize(("batch_size", "n_labels"), [(10, 600), (40, 1200)])
def test_a_healthy_model_is_left_in_peace(batch_size: int, n_labels: int):
    rng, n_runs = np.random.default_rng(1), 100
    loud = 0
    for _ in range(n_runs):
        monitor = a_monitor(rng.binomial(200, 0.95) / 200)  # measured as in life: on 200 rows of the same model
        loud += bool(feed(monitor, rng.random(n_labels) < 0.95, batch_size))
    # One loud run of a hundred is allowed; the count is binomial, and beyond 5 of 100 chance goes 5 times in 10,000.
    assert binom(n_runs, 0.01).sf(5) < 1e-3
    assert loud <= 5


def test_a_fall_of_twenty_points_is_noticed_within_two_windows():
    rng, n_runs = np.random.default_rng(2), 100
    noticed = 0
    for _ in range(n_runs):
        monitor = a_monitor()
        healthy, broken = rng.random(240) < 0.95, rng.random(240) < 0.75
        noticed += bool(feed(monitor, np.r_[healthy, broken], 40))
    # Asked for: nine of ten; the count is binomial, and below 80 of 100 chance goes once in a thousand.
    assert binom(n_runs, 0.9).cdf(79) < 2e-3
    assert noticed >= 80


def test_two_looks_in_a_row_fire_and_two_good_ones_clear():
    monitor = a_monitor(window_size=40)
    assert one_batch(monitor, 20, 20, first_id=0) == ()
    (fired,) = one_batch(monitor, 20, 20, first_id=100)
    assert (fired.rule, fired.state, fired.value, fired.model_version) == ("accuracy_low", "firing", 0.5, 1)
    assert monitor.firing_alerts() == (fired,)
    assert one_batch(monitor, 40, 0, first_id=200) == ()
    (resolved,) = one_batch(monitor, 40, 0, first_id=300)
    assert (resolved.state, resolved.value) == ("resolved", 1.0)
    assert resolved.threshold > fired.threshold
    assert monitor.firing_alerts() == ()


@settings(max_examples=30)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_the_window_does_not_depend_on_how_labels_are_cut_into_batches(sizes: list[int], draw: Any):
    correct = [draw.random() < 0.9 for _ in range(sum(sizes))]
    cut, whole = a_monitor(), a_monitor()
    start = 0
    for size in sizes:
        feed(cut, correct[start : start + size], size, first_id=start)
        start += size
    feed(whole, correct, len(correct))
    newest = correct[-DEFAULT_WINDOW_SIZE:]
    for monitor in (cut, whole):
        interval = monitor.accuracy_interval()
        assert interval.low[0] <= np.mean(newest) <= interval.high[0]
        assert list(monitor._correct) == newest


def test_too_few_labels_say_nothing():
    monitor = a_monitor()
    assert feed(monitor, np.zeros(39), 1) == []
    feed(monitor, np.zeros(1), 1, first_id=39)
    with pytest.raises(ValueError, match="at least"):
        monitor.performance_trend()


@given(st.lists(st.floats(0, 5000), min_size=1, max_size=200), st.integers(1, 50))
@settings(max_examples=40)
def test_latency_percentiles_are_numpys_over_the_newest_answers(latencies: list[float], batch_size: int):
    monitor = a_monitor()
    for start in range(0, len(latencies), batch_size):
        part = latencies[start : start + batch_size]
        monitor.observe(answered(start + np.arange(len(part)), latency_ms=part))
    expected = np.percentile(latencies[-DEFAULT_WINDOW_SIZE:], [50, 95, 99])
    np.testing.assert_allclose(monitor.latency_percentiles_ms(), expected)


def test_a_slow_end_fires_though_the_median_is_fast_and_clears_when_it_is_gone():
    monitor = a_monitor(window_size=40)
    slow = np.where(np.arange(40) < 4, DEFAULT_MAXIMUM_LATENCY_MS + 1, 1.0)
    assert monitor.observe(answered(np.arange(40), latency_ms=slow)) == ()
    (fired,) = monitor.observe(answered(np.arange(40, 80), latency_ms=slow))
    assert (fired.rule, fired.severity, fired.value) == ("latency_high", "warning", DEFAULT_MAXIMUM_LATENCY_MS + 1)
    assert monitor.observe(answered(np.arange(80, 120))) == ()
    (resolved,) = monitor.observe(answered(np.arange(120, 160)))
    assert (resolved.rule, resolved.state) == ("latency_high", "resolved")


def test_before_anything_was_seen_nothing_is_claimed():
    monitor = a_monitor()
    assert np.isnan(monitor.latency_percentiles_ms()).all()
    interval = monitor.accuracy_interval()
    assert (interval.low.tolist(), interval.high.tolist()) == ([0.0], [1.0])
    assert monitor.observe(answered([])) == ()
    assert monitor.record_labels(labelled([])) == ()
    assert monitor.record_labels(labelled([5, 6])) == ()  # requests of another time


def test_a_falling_model_shows_a_trend_and_a_steady_one_does_not():
    rng = np.random.default_rng(3)
    falling, steady = a_monitor(), a_monitor()
    feed(falling, rng.random(1200) < np.linspace(0.99, 0.8, 1200), 120)
    feed(steady, np.tile(np.r_[np.ones(114), np.zeros(6)], 10), 120)
    assert falling.performance_trend().pvalue < 0.01
    assert falling.performance_trend().slope < 0
    assert steady.performance_trend().pvalue > 0.5


def test_the_trend_remembers_a_bounded_number_of_looks():
    monitor = a_monitor()
    feed(monitor, np.ones(TREND_LOOKS + 60), 1)
    assert len(monitor._accuracies) == TREND_LOOKS


@pytest.mark.parametrize("baseline", [0.0, 1.0])
def test_a_perfect_or_hopeless_baseline_does_not_fire_on_its_own_accuracy(baseline: float):
    assert feed(a_monitor(baseline), np.full(400, baseline), 40) == []


@pytest.mark.parametrize("standard_errors", [0.5, 2.0, 6.0])
def test_any_number_of_standard_errors_fires_and_clears(standard_errors: float):
    monitor = a_monitor(0.9, standard_errors=standard_errors, window_size=40)
    states = [alert.state for alert in feed(monitor, np.r_[np.zeros(120), np.ones(120)], 40)]
    assert states == ["firing", "resolved"]


def test_a_new_baseline_begins_anew():
    monitor = a_monitor(window_size=40)
    one_batch(monitor, 0, 40, first_id=0)
    one_batch(monitor, 0, 40, first_id=100)
    monitor.observe(answered([900], 1, latency_ms=9.0))
    monitor.reset_baseline(0.5, 100)
    fresh = a_monitor(0.5, 100, window_size=40)
    assert state(monitor) == state(fresh)
    assert monitor.record_labels(labelled([900], 0)) == ()  # an answer of the model before


def fill(monitor: WindowedMonitor) -> None:
    one_batch(monitor, 20, 20, first_id=0)
    monitor.observe(answered([500, 501], 1))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.observe(answered([700, 501])), "request_ids must be new, got 501"),
        (lambda m: m.reset_baseline(1.5, 100), "baseline_accuracy must be in"),
        (lambda m: m.reset_baseline(float("nan"), 100), "baseline_accuracy must be in"),
        (lambda m: m.reset_baseline(0.9, 0), "n_baseline must be an integer >= 1, got 0"),
    ],
)
def test_a_refused_call_changes_nothing(call: Any, message: str):
    monitor = a_monitor()
    fill(monitor)
    before = state(monitor)
    with pytest.raises(ValueError, match=message):
        call(monitor)
    assert state(monitor) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window_size": 39}, "window_size must be an integer >= 40, got 39"),
        ({"standard_errors": 0.0}, "standard_errors must be > 0, got 0.0"),
        ({"baseline": -0.1}, "baseline_accuracy must be in"),
        ({"n_baseline": 2.5}, "n_baseline must be an integer >= 1, got 2.5"),
    ],
)
def test_a_monitor_is_checked_when_it_is_made(options: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        a_monitor(**options)


@pytest.mark.parametrize(
    ("model_name", "message"), [("", "must not be empty, got ''"), (None, "must be a text, got None")]
)
def test_a_monitor_needs_the_name_of_its_model(model_name: Any, message: str):
    with pytest.raises(ValueError, match=f"model_name {message}"):
        WindowedMonitor(model_name, 0.9, 200)
