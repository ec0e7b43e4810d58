"""Lesson 15a: the student's monitor, beyond what the notebook itself checks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lesson_cells import LessonCells, unwritten
from scipy.stats import binom

from tinytorch.checks.cases import CheckFailed
from tinytorch.core.tensor import Tensor
from tinytorch.mlops.contracts import LabelBatch, PredictionBatch
from tinytorch.mlops.monitor import lesson

CELLS = LessonCells("15a_monitoring", lesson)
CHECKS = {
    "batch_accuracy": "check-accuracy",
    "accuracy_standard_error": "check-standard-error",
    "alert_threshold": "check-threshold",
    "count_in_a_row": "check-in-a-row",
    "should_fire": "check-should-fire",
}
N_ROWS = 50


def answered(ids: Any, predictions: Any, version: int = 1) -> PredictionBatch:
    n = len(ids)
    return PredictionBatch(ids, np.zeros((n, 1)), predictions, None, np.ones(n), timestamp=0.0, model_version=version)


def feed(monitor: lesson.ModelMonitor, accuracies: list[float]) -> list[tuple[int, str]]:
    """Hand over batches of N_ROWS with these accuracies; return the hours and states of the alerts."""
    changes = []
    for hour, accuracy in enumerate(accuracies):
        n_right = round(accuracy * N_ROWS)
        predictions = np.r_[np.ones(n_right), np.zeros(N_ROWS - n_right)]
        for alert in monitor.record_performance(predictions, np.ones(N_ROWS), now=float(hour)):
            changes.append((hour, alert.state))
    return changes


def state_of(monitor: lesson.ModelMonitor) -> tuple[Any, ...]:
    return (monitor.baseline_accuracy, monitor.watch.is_firing, *monitor.watch.accuracies, *monitor.watch.thresholds)


# The functions -------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=40))
def test_accuracy_is_the_share_of_equal_pairs_in_any_order(pairs):
    predictions, labels = np.array(pairs).T
    expected = sum(p == q for p, q in pairs) / len(pairs)
    assert lesson.batch_accuracy(predictions, labels) == pytest.approx(expected)
    order = np.random.default_rng(0).permutation(len(pairs))
    assert lesson.batch_accuracy(predictions[order], labels[order]) == pytest.approx(expected)


@given(st.floats(0.0, 1.0), st.integers(1, 10_000))
def test_the_standard_error_is_the_deviation_of_a_binomial_share(accuracy, n):
    assert lesson.accuracy_standard_error(accuracy, n) == pytest.approx(binom(n, accuracy).std() / n, abs=1e-9)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.1, 10.0))
def test_the_threshold_lies_between_zero_and_the_baseline_and_falls_with_the_error(baseline, error, allowed):
    threshold = lesson.alert_threshold(baseline, error, allowed)
    assert 0.0 <= threshold <= baseline
    assert lesson.alert_threshold(baseline, error + 0.1, allowed) <= threshold


@pytest.mark.parametrize("accuracy", [-0.1, 1.1, 97, float("nan")])
def test_an_accuracy_outside_its_range_is_refused_by_name(accuracy):
    with pytest.raises(ValueError, match=r"^accuracy must be in \[0.0, 1.0\], got"):
        lesson.accuracy_standard_error(accuracy, 50)
    with pytest.raises(ValueError, match=r"^baseline_accuracy must be in \[0.0, 1.0\], got"):
        lesson.alert_threshold(accuracy, 0.03, 4)


@given(st.lists(st.booleans(), max_size=30))
def test_the_last_run_is_what_itertools_would_count(flags):
    text = "".join("x" if flag else "." for flag in flags)
    assert lesson.count_in_a_row(np.array(flags, dtype=bool)) == len(text) - len(text.rstrip("x"))


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 4))
def test_an_alert_changes_only_after_enough_batches_in_a_row(breaches, needed):
    firing = False
    for end in range(1, len(breaches) + 1):
        seen = np.array(breaches[:end])
        after = lesson.should_fire(firing, lesson.count_in_a_row(seen), lesson.count_in_a_row(~seen), needed)
        if after != firing:
            assert end >= needed
            assert set(breaches[end - needed : end]) == {after}
        firing = after


# The simple monitor --------------------------------------------------------------------------------------------------


def test_the_simple_monitor_looks_at_the_newest_accuracy_only():
    monitor = lesson.SimpleModelMonitor("digits", floor=0.9)
    assert not monitor.is_performance_degrading()
    monitor.record_accuracy(0.5)
    assert monitor.is_performance_degrading()
    monitor.record_accuracy(0.9)
    assert not monitor.is_performance_degrading()


@pytest.mark.parametrize("accuracy", [-0.1, 1.1, float("nan"), "high"])
def test_the_simple_monitor_refuses_what_is_no_accuracy_and_stays_as_it_was(accuracy):
    monitor = lesson.SimpleModelMonitor("digits")
    with pytest.raises(ValueError, match="accuracy must be in"):
        monitor.record_accuracy(accuracy)
    assert monitor.accuracies == []


# The monitor ---------------------------------------------------------------------------------------------------------


def test_one_alert_begins_and_ends_an_incident():
    changes = feed(
        lesson.ModelMonitor("digits", 0.96), [0.96, 0.9, 0.5, 0.96, 0.5, 0.5, 0.5, 0.96, 0.5, 0.96, 0.96, 0.96]
    )
    assert changes == [(5, "firing"), (10, "resolved")]


def test_what_fires_now_can_be_asked_and_asking_changes_nothing():
    monitor = lesson.ModelMonitor("digits", 0.96)
    assert monitor.check_alerts(now=0.0) == ()
    feed(monitor, [0.5, 0.5])
    before = state_of(monitor)
    (alert,) = monitor.check_alerts(now=9.0)
    assert (alert.rule, alert.state, alert.timestamp, alert.value) == ("accuracy_low", "firing", 9.0, 0.5)
    assert alert.value < alert.threshold < 0.96
    assert state_of(monitor) == before


def test_the_threshold_counts_the_error_of_the_baseline_too():
    watch = lesson.AccuracyWatch(0.96, 198, standard_errors=4.0, needed=2)
    accuracy = (0.96 * 198 + 1) / 200
    variance_of_the_difference = accuracy * (1 - accuracy) * (1 / 50 + 1 / 198)
    assert watch.threshold_for(50) == pytest.approx(0.96 - 4 * variance_of_the_difference**0.5)


@pytest.mark.parametrize("baseline", [0.0, 1.0])
def test_a_perfect_or_hopeless_baseline_still_has_an_error(baseline):
    monitor = lesson.ModelMonitor("digits", baseline)
    assert monitor.watch.threshold_for(N_ROWS) <= max(0.0, baseline - 0.02)
    assert feed(monitor, [baseline, max(0.0, baseline - 0.02)] * 5) == []


def test_a_healthy_model_hardly_ever_raises_an_alert():
    draw, n_weeks, n_batches = np.random.default_rng(3), 300, 20
    loud = 0
    for _ in range(n_weeks):
        baseline = draw.binomial(200, 0.96) / 200  # measured as in life: on 200 rows of the same model
        loud += bool(
            feed(lesson.ModelMonitor("digits", baseline), list(draw.binomial(N_ROWS, 0.96, n_batches) / N_ROWS))
        )
    # One loud week in 100 was asked for; the count is binomial, and beyond 10 of 300 chance goes 3 times in 10,000.
    assert binom(n_weeks, 0.01).sf(9) < 4e-3
    assert loud <= 10


def test_a_broken_model_is_noticed_at_the_second_batch():
    draw, n_weeks = np.random.default_rng(4), 200
    fired = [
        feed(lesson.ModelMonitor("digits", 0.96), list(draw.binomial(N_ROWS, 0.7, 2) / N_ROWS)) for _ in range(n_weeks)
    ]
    # A batch of 50 at 70% is a breach (at most 42 right) with 97.5%; both are with 95%.
    both = binom(N_ROWS, 0.7).cdf(42) ** 2
    assert sum(map(bool, fired)) >= binom(n_weeks, both).ppf(1e-4)


def test_tensors_are_read_as_arrays():
    monitor = lesson.ModelMonitor("digits", 0.96)
    assert monitor.record_performance(Tensor([1.0, 0.0]), Tensor([1.0, 1.0]), now=0.0) == ()
    assert list(monitor.watch.accuracies) == [0.5]


@pytest.mark.parametrize(
    ("predictions", "labels"),
    [([1, 2], [1]), ([], []), ([[1], [2, 3]], [1, 2]), ([1.5], [1]), ([float("nan")], [1]), ([1], [-1]), (["a"], [1])],
)
def test_malformed_batches_are_refused_and_the_state_stays_as_it_was(predictions, labels):
    monitor = lesson.ModelMonitor("digits", 0.96)
    feed(monitor, [0.96, 0.5])
    before = state_of(monitor)
    with pytest.raises(ValueError, match=r"must|predictions"):
        monitor.record_performance(predictions, labels, now=0.0)
    assert state_of(monitor) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"baseline_accuracy": 1.2}, "baseline_accuracy must be in"),
        ({"baseline_accuracy": 0.9, "standard_errors": 0.0}, "standard_errors must be > 0"),
        ({"baseline_accuracy": 0.9, "breaches_needed": 0}, "breaches_needed must be an integer >= 1"),
    ],
)
def test_malformed_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        lesson.ModelMonitor("digits", **arguments)


def test_the_trend_of_a_falling_model_is_seen_and_one_batch_is_too_few():
    monitor = lesson.ModelMonitor("digits", 0.96)
    feed(monitor, [0.96])
    with pytest.raises(ValueError, match="at least 2"):
        monitor.get_performance_trend()
    feed(monitor, [0.94, 0.92, 0.9, 0.88, 0.86, 0.84])
    trend = monitor.get_performance_trend()
    assert trend.slope[0] == pytest.approx(-0.02)
    assert trend.pvalue[0] < 0.01


def test_history_is_bounded():
    monitor = lesson.ModelMonitor("digits", 0.96)
    feed(monitor, [0.96] * (lesson.HISTORY_LENGTH + 3))
    assert len(monitor.watch.accuracies) == len(monitor.watch.thresholds) == lesson.HISTORY_LENGTH


# Late labels ---------------------------------------------------------------------------------------------------------


def test_late_labels_are_matched_by_request_id_in_any_order():
    monitor = lesson.ModelMonitor("digits", 0.96)
    predictions = np.arange(100) % 10
    assert monitor.observe(answered(np.arange(100), predictions, version=7)) == ()
    order = np.random.default_rng(0).permutation(100)
    wrong = (predictions + 1) % 10
    assert monitor.record_labels(LabelBatch(order[:50], wrong[order[:50]], 1.0)) == ()
    (alert,) = monitor.record_labels(LabelBatch(order[50:], wrong[order[50:]], 2.0))
    assert (alert.value, alert.timestamp, alert.model_version) == (0.0, 2.0, 7)


def test_small_deliveries_are_put_together_before_they_are_judged():
    monitor = lesson.ModelMonitor("digits", 0.96)
    monitor.observe(answered(np.arange(60), np.ones(60)))
    for start in range(0, 60, 10):
        monitor.record_labels(LabelBatch(np.arange(start, start + 10), np.ones(10), float(start)))
    assert list(monitor.watch.accuracies) == [1.0] * (60 // lesson.MINIMUM_LABELS)


def test_labels_of_unknown_requests_are_left_out():
    monitor = lesson.ModelMonitor("digits", 0.96)
    assert monitor.record_labels(LabelBatch(np.arange(50), np.zeros(50), 0.0)) == ()
    assert len(monitor.watch.accuracies) == 0


def test_a_request_id_that_comes_twice_is_refused_and_the_version_stays():
    monitor = lesson.ModelMonitor("digits", 0.96)
    monitor.observe(answered([1], [1], version=1))
    with pytest.raises(ValueError, match="request_ids must be new"):
        monitor.observe(answered([1], [1], version=2))
    assert monitor.late.model_version == 1


def test_after_a_deployment_the_monitor_begins_again_and_old_answers_do_not_count():
    monitor = lesson.ModelMonitor("digits", 0.96)
    feed(monitor, [0.5, 0.5])
    monitor.observe(answered(np.arange(50), np.zeros(50)))
    monitor.reset_baseline(0.9, n_baseline=120)
    assert monitor.check_alerts(now=0.0) == ()
    assert (monitor.baseline_accuracy, monitor.watch.n_baseline) == (0.9, 120)
    assert monitor.record_labels(LabelBatch(np.arange(50), np.ones(50), 1.0)) == ()
    assert len(monitor.watch.accuracies) == 0


def test_a_malformed_baseline_leaves_the_monitor_as_it_was():
    monitor = lesson.ModelMonitor("digits", 0.96)
    feed(monitor, [0.5, 0.5])
    before = state_of(monitor)
    for baseline, n_baseline in ((1.5, 100), (0.9, 0), (float("nan"), 100)):
        with pytest.raises(ValueError, match="must be"):
            monitor.reset_baseline(baseline, n_baseline)
    assert state_of(monitor) == before


# The check cells that students are graded by -------------------------------------------------------------------------


def test_every_blank_has_one_check_and_there_are_at_most_six():
    assert list(CHECKS) == CELLS.blanks
    assert list(CHECKS.values()) == CELLS.checks
    assert len(CELLS.blanks) <= 6


@pytest.mark.parametrize("blank", CHECKS)
def test_an_unwritten_blank_scores_nothing_and_costs_no_other_blank(blank):
    with pytest.raises(CheckFailed, match=f"{blank} is not yet written"):
        CELLS.run_check(CHECKS[blank], **{blank: unwritten})
    CELLS.run_check(CHECKS[blank], **{name: unwritten for name in CHECKS if name != blank})


def _accuracy_without_check(predictions, labels):
    n = min(len(predictions), len(labels))
    return float(np.mean(predictions[:n] == labels[:n])) if n else 0.0


def _count_all(flags):
    return int(np.sum(flags))


def _longest(flags):
    text = "".join("x" if flag else "." for flag in flags)
    return max(map(len, text.split(".")))


WRONG = {
    "batch_accuracy": [
        (lambda p, y: int(np.sum(p == y)), "the number of right answers"),
        (lambda p, y: float(np.mean(p != y)), "the error rate"),
        (lambda p, y: p == y, "one answer per row"),
        (_accuracy_without_check, "compare the lengths first"),
        (lambda p, y: float(np.mean(p == y)) * 100, "per cent"),
        (lambda p, y: None, "is there a `return`"),
    ],
    "accuracy_standard_error": [
        (lambda p, n: (p * (1 - p)) ** 0.5, "the spread of one answer"),
        (lambda p, n: p * (1 - p) / n if n > 0 else 0.0, "step 3 takes the square root"),
        (lambda p, n: (p * (1 - p)) ** 0.5 / n, "before taking the root"),
        (lambda p, n: (p / n) ** 0.5, "the factor (1 - accuracy) is missing"),
        (lambda p, n: (p * (1 - p) / max(n, 1)) ** 0.5, "an accuracy of no rows"),
        (lambda p, n: (p * (1 - p) / (n - 1)) ** 0.5, "not n - 1"),
        (lambda p, n: (p * (1 - p) / n) ** 0.5, "step 1"),
    ],
    "alert_threshold": [
        (lambda b, s, k: b + k * s, "above the baseline"),
        (lambda b, s, k: b - s, "multiply by how many"),
        (lambda b, s, k: b - k * s, "cannot be negative"),
        (lambda b, s, k: b * (1 - k * s), "not a share of the baseline"),
        (lambda b, s, k: k * s, "subtract it from the baseline"),
        (lambda b, s, k: b - k, "the number of standard errors"),
    ],
    "count_in_a_row": [
        (_count_all, "counts every True"),
        (lambda flags: int(np.logical_and.accumulate(flags).sum()), "counts from the oldest"),
        (lambda flags: bool(len(flags) and flags[-1]), "the newest flag only"),
        (_longest, "stand at the beginning"),
        (lambda flags: len(flags), "expected 2, got 4"),
    ],
    "should_fire": [
        (lambda firing, bad, good, k: bad >= k, "wait for `needed`"),
        (lambda firing, bad, good, k: good < k if firing else bad > k, "at least"),
        (lambda firing, bad, good, k: firing or bad >= k, "enough to resolve it"),
        (lambda firing, bad, good, k: good < 1 if firing else bad >= k, "wait for `needed`"),
        (lambda firing, bad, good, k: good <= k if firing else bad >= k, "enough to resolve it"),
        (lambda firing, bad, good, k: None, "is there a `return`"),
    ],
}
RIGHT = {
    "batch_accuracy": [
        lambda p, y: (
            sum(a == b for a, b in zip(p, y, strict=True)) / len(p) if len(p) else _raise("an empty batch has none")
        ),
        lambda p, y: np.count_nonzero(p == y) / p.size if p.shape == y.shape and p.size else _raise("no match"),
        lambda p, y: 1 - np.mean(p != y) if len(p) == len(y) > 0 else _raise("no match"),
    ],
    "accuracy_standard_error": [
        lambda p, n: (p * (1 - p) / n) ** 0.5 if n >= 1 else _raise("n"),
        lambda p, n: np.sqrt(p * (1 - p)) / np.sqrt(n) if n > 0 else _raise("n"),
        lambda p, n: np.sqrt((p - p**2) / n) if n > 0 else _raise("n"),
    ],
    "alert_threshold": [
        lambda b, s, k: max(b - k * s, 0.0),
        lambda b, s, k: np.clip(b - k * s, 0, 1),
        lambda b, s, k: 0 if b < k * s else b - s * k,
    ],
    "count_in_a_row": [
        lambda flags: len(flags) if all(flags) else int(np.argmin(flags[::-1])),
        lambda flags: int(np.logical_and.accumulate(flags[::-1]).sum()),
        lambda flags: len("".join(".x"[f] for f in flags.astype(int)).split(".")[-1]),
    ],
    "should_fire": [
        lambda firing, bad, good, k: bool(firing and good < k) or bool(not firing and bad >= k),
        lambda firing, bad, good, k: not good >= k if firing else not bad < k,
        lambda firing, bad, good, k: np.bool_((good < k) if firing else (bad >= k)),
    ],
}


def _raise(text: str) -> Any:
    raise ValueError(text)


def cases_of(answers: dict[str, list[Any]]) -> list[tuple[str, int]]:
    return [(blank, number) for blank in answers for number in range(len(answers[blank]))]


@pytest.mark.parametrize(("blank", "number"), cases_of(WRONG))
def test_a_typical_wrong_answer_is_caught_with_a_written_message(blank, number):
    wrong, message = WRONG[blank][number]
    with pytest.raises(CheckFailed) as caught:
        CELLS.run_check(CHECKS[blank], **{blank: wrong})
    assert message.casefold() in str(caught.value).casefold()


@pytest.mark.parametrize(("blank", "number"), cases_of(RIGHT))
def test_a_right_answer_written_differently_is_accepted(blank, number):
    CELLS.run_check(CHECKS[blank], **{blank: RIGHT[blank][number]})
