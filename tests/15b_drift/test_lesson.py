"""Lesson 15b: the student's data quality checks and detectors, beyond what the notebook itself checks."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from lesson_cells import LessonCells, unwritten
from scipy.stats import binom, permutation_test

from tinytorch.checks.cases import CheckFailed
from tinytorch.core.tensor import Tensor
from tinytorch.datasets import FEATURE_NAMES, DriftPlan, load_digits, stream
from tinytorch.mlops.drift import UnivariateDetector, lesson

CELLS = LessonCells("15b_drift", lesson)
CHECKS = {
    "out_of_range_rate": "check-out-of-range",
    "constant_columns": "check-constant",
    "standard_shift": "check-standard-shift",
    "shuffled_shifts": "check-shuffled-shifts",
    "shuffle_pvalue": "check-pvalue",
    "adjusted_pvalue": "check-adjusted",
}
VALUES = st.floats(-100, 100).map(lambda value: round(value, 3))
TABLES = st.tuples(st.integers(1, 12), st.integers(1, 4)).flatmap(lambda shape: arrays(float, shape, elements=VALUES))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def bell(n_rows: int, n_features: int = 3, seed: int = 0) -> np.ndarray:
    return rng(seed).normal(size=(n_rows, n_features))


def digits_window(kind: str, n_steps: int, seed: int) -> np.ndarray:
    steps = stream(DriftPlan(kind, start_step=0), rng(seed)).take(n_steps)
    return np.concatenate([step.features for step in steps])


# Data quality --------------------------------------------------------------------------------------------------------


@given(TABLES, st.floats(-50, 0), st.floats(0, 50))
def test_rates_are_what_a_loop_over_the_columns_counts(table, low, high):
    table[0, 0] = np.nan
    for column, (missing, outside) in enumerate(
        zip(lesson.missing_rate(table), lesson.out_of_range_rate(table, low, high), strict=True)
    ):
        values = table[:, column].tolist()
        assert missing == pytest.approx(sum(value != value for value in values) / len(values))
        assert outside == pytest.approx(sum(value < low or value > high for value in values) / len(values))


@given(TABLES)
def test_a_column_is_constant_if_a_set_of_its_values_has_one_member(table):
    table[:, 0] = 0.1
    expected = [len(set(column)) == 1 for column in table.T.tolist()]
    assert lesson.constant_columns(table).tolist() == expected


# Shifts and shuffles -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: lesson.missing_rate(np.zeros((0, 3))), "features must have at least 1 row"),
        (lambda: lesson.constant_columns(np.zeros((0, 3))), "features must have at least 1 row"),
        (lambda: lesson.out_of_range_rate(np.zeros((2, 3)), 1.0, 0.0), r"low must be in \[-inf, 0.0\], got 1.0"),
        (lambda: lesson.adjusted_pvalue(np.zeros(2), np.zeros((9, 1))), "shuffled must have 2 columns, got 1"),
    ],
)
def test_the_functions_of_the_blanks_refuse_malformed_tables(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_quality_problems_name_what_is_wrong_and_in_how_many_columns():
    reference = bell(200)
    lost, wide, stuck = bell(40, seed=1), bell(40, seed=1), bell(40, seed=1)
    lost[3, 0], wide[:2, 1:], stuck[:, 2] = np.nan, 99.0, reference[0, 2]
    problems = [lesson.quality_problems(table, reference, -9.0, 9.0) for table in (lost, wide, stuck, bell(40, seed=2))]
    assert problems == [{"missing": 1}, {"out of range": 2}, {"stuck": 1}, {}]


def test_a_pixel_that_is_rarely_inked_is_not_called_stuck():
    digits = load_digits()
    hours = stream(DriftPlan("none"), np.random.default_rng(5)).take(10)
    assert lesson.constant_columns(hours[0].features).any()
    assert [lesson.quality_problems(hour.features, digits.training.features, 0.0, 1.0) for hour in hours] == [{}] * 10


@settings(max_examples=50)
@given(st.integers(0, 10**6), st.floats(-1e3, 1e3), st.floats(0.01, 1e3))
def test_the_shift_has_no_unit_and_changes_its_sign_with_the_direction(seed, offset, scale):
    before, after = bell(8, seed=seed), bell(5, seed=seed + 1) + 0.5
    shift = lesson.standard_shift(before, after)
    assert lesson.standard_shift(before * scale + offset, after * scale + offset) == pytest.approx(shift, abs=1e-6)
    assert lesson.standard_shift(after, before) == pytest.approx(-shift)


def test_shuffled_shifts_are_what_a_loop_over_the_shuffles_finds():
    rows = bell(20)
    shuffles = lesson.draw_shuffles(12, 8, 30, rng(1))
    expected = [rows[marks].mean(axis=0) - rows[~marks].mean(axis=0) for marks in shuffles]
    assert np.allclose(lesson.shuffled_shifts(rows, shuffles), expected)


def test_every_shuffle_calls_the_right_number_current_and_every_row_is_as_likely():
    shuffles = lesson.draw_shuffles(30, 10, 4000, rng())
    assert set(shuffles.sum(axis=1)) == {10}
    # Each row is current in a quarter of the shuffles: binomial, four standard errors to each side.
    assert np.abs(shuffles.mean(axis=0) - 0.25).max() <= 4 * np.sqrt(0.25 * 0.75 / 4000)


@pytest.mark.parametrize("seed", range(5))
def test_over_all_splits_the_pvalue_is_scipys_exact_one(seed):
    before, after = rng(seed).integers(0, 5, (4, 1)), rng(seed + 9).integers(1, 6, (3, 1))
    rows = np.concatenate([before, after]).astype(float)
    splits = np.array([np.isin(np.arange(7), chosen) for chosen in combinations(range(7), 3)])
    shuffled = lesson.shuffled_shifts(rows, splits).round(9)
    observed = lesson.shuffled_shifts(rows, np.arange(7)[None] >= 4).round(9)[0]
    oracle = permutation_test(
        (after[:, 0], before[:, 0]), lambda a, b: abs(np.mean(a) - np.mean(b)), alternative="greater"
    )
    # scipy counts each of the 35 splits once; ours adds what happened as one more.
    assert lesson.shuffle_pvalue(observed, shuffled)[0] == pytest.approx((35 * oracle.pvalue + 1) / 36)


@given(st.integers(0, 10**6))
def test_the_adjusted_pvalue_is_never_smaller_and_the_same_for_one_column(seed):
    observed, shuffled = bell(1, 4, seed)[0] * 2, bell(19, 4, seed + 1)
    alone, together = lesson.shuffle_pvalue(observed, shuffled), lesson.adjusted_pvalue(observed, shuffled)
    assert (together >= alone).all()
    assert (together <= 1).all()
    assert (alone >= 1 / 20).all()
    assert lesson.adjusted_pvalue(observed[:1], shuffled[:, :1]) == lesson.shuffle_pvalue(observed[:1], shuffled[:, :1])


# The basic detector --------------------------------------------------------------------------------------------------


def test_the_basic_detector_is_blind_to_spread_and_to_the_number_of_rows():
    basic = lesson.BasicDriftDetector(np.zeros(1), np.ones(1))
    wide = 5 * np.array([[-1.0], [1.0]])
    moved = np.full((10_000, 1), 1.9)
    assert not basic.detect_simple_drift(wide).any()
    assert not basic.detect_simple_drift(moved).any()
    assert basic.detect_simple_drift(np.array([[2.1]])).all()


@pytest.mark.parametrize(
    ("current", "message"),
    [
        ([[1.0, 2.0]], "1 columns"),
        (np.zeros((0, 1)), "at least 1"),
        ([[float("nan")]], "finite"),
        ([[1.0], [1, 2]], "must be"),
    ],
)
def test_the_basic_detector_refuses_malformed_batches(current, message):
    with pytest.raises(ValueError, match=message):
        lesson.BasicDriftDetector(np.zeros(1), np.ones(1)).detect_simple_drift(current)


@pytest.mark.parametrize(
    ("mean", "std", "message"),
    [
        (float("nan"), 1, "baseline_mean must be finite, got 1 values"),
        ([0.0, np.inf], [1.0, 1.0], "baseline_mean must be finite, got 1 values"),
        (0, -1, r"baseline_std must be in \[0, inf\], got -1"),
        ([0.0, 0.0], [1.0, np.nan], "baseline_std must be finite, got 1 values"),
        ("a", 1, "baseline_mean must be numbers"),
        ([[0.0]], [[1.0]], r"baseline_mean must have shape \(n,\), got \(1, 1\)"),
    ],
)
def test_the_basic_detector_refuses_a_baseline_that_no_data_can_have(mean, std, message):
    with pytest.raises(ValueError, match=message):
        lesson.BasicDriftDetector(mean, std)


def test_the_basic_detector_accepts_one_number_and_a_column_without_spread():
    assert lesson.BasicDriftDetector(0, 1).detect_simple_drift([[2.5]]).tolist() == [True]
    assert lesson.BasicDriftDetector([5.0], [0.0]).detect_simple_drift([[5.0]]).tolist() == [False]


def test_the_basic_detector_refuses_a_mean_and_a_deviation_that_do_not_match():
    with pytest.raises(ValueError, match=r"baseline_std must have shape \(2,\), got \(1,\)"):
        lesson.BasicDriftDetector(np.zeros(2), np.ones(1))


# The detector --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda table: table - [0.0, -0.9, 0.0], "moved up"),
        (lambda table: table - [0.0, 0.9, 0.0], "moved down"),
        (
            lambda table: table.mean(axis=0) + (table - table.mean(axis=0)) * [1.0, 2.5, 1.0],
            "spread, with the same mean",
        ),
        (
            lambda table: np.where((np.arange(len(table)) % 4 == 0)[:, None] & [False, True, False], np.nan, table),
            "missing",
        ),
        (lambda table: table * [1.0, 0.0, 1.0] + [0.0, 0.3, 0.0], "stuck"),
    ],
)
def test_a_change_of_one_feature_is_found_and_named(change, what):
    detector = lesson.DriftDetector(bell(300), ["a", "b", "c"])
    assert detector.detect_drift(change(bell(150, seed=1))).drifted_features == ("b",), what


@pytest.mark.parametrize(
    "kind", ["brightness", "contrast", "noise", "blur", "shift", "rotation", "dead_pixels", "occlusion", "stretch"]
)
def test_every_corruption_of_the_camera_is_found_in_one_batch_of_digits(kind):
    detector = lesson.DriftDetector(load_digits().training.features, FEATURE_NAMES)
    assert all(detector.detect_drift(digits_window(kind, 1, seed)).drifted for seed in (5, 6))


def test_a_change_of_the_population_is_found_in_five_batches():
    detector = lesson.DriftDetector(load_digits().training.features)
    assert all(detector.detect_drift(digits_window("class_mix", 5, seed)).drifted for seed in (5, 6, 7))


def test_clean_windows_are_flagged_no_more_often_than_alpha_says():
    n_windows, alpha = 150, 0.1
    flagged = 0
    for seed in range(n_windows):
        detector = lesson.DriftDetector(bell(60, 5, seed), alpha=alpha, minimum_effect=0.0)
        flagged += detector.detect_drift(bell(30, 5, seed + n_windows)).drifted
    # The count is binomial: beyond this bound chance goes once in 1,000, on either side.
    low, high = binom(n_windows, alpha).ppf([1e-3, 1 - 1e-3])
    assert low <= flagged <= high


def test_a_tiny_shift_is_not_called_drift_however_sure_it_is():
    detector = lesson.DriftDetector(bell(3000, 1))
    report = detector.detect_drift(bell(3000, 1, seed=1) + 0.15)
    assert report.adjusted_pvalue[0] <= report.alpha
    assert not report.drifted


def test_the_same_window_gets_the_same_report_whatever_was_asked_before():
    detector = lesson.DriftDetector(bell(100))
    first = detector.detect_drift(bell(50, seed=1), now=1.0)
    detector.detect_drift(bell(50, seed=2))
    again = detector.detect_drift(bell(50, seed=1), now=1.0)
    assert first.to_dict() == again.to_dict()


def test_the_order_of_rows_and_the_kind_of_table_do_not_matter_to_the_effect():
    detector = lesson.DriftDetector(bell(100))
    window = bell(50, seed=1)
    effect = detector.detect_drift(window).effect_size
    assert detector.detect_drift(window[::-1]).effect_size == pytest.approx(effect)
    assert detector.detect_drift(Tensor(window)).effect_size == pytest.approx(effect, abs=1e-5)


def test_columns_that_never_vary_are_no_drift_and_no_division_by_zero():
    reference = np.full((100, 2), 0.1)
    report = lesson.DriftDetector(reference).detect_drift(np.full((30, 2), 0.1))
    assert report.pvalue.tolist() == [1.0, 1.0]
    assert report.effect_size.tolist() == [0.0, 0.0]


def test_a_huge_offset_changes_nothing():
    reference, window = bell(100), bell(50, seed=1) + 0.7
    plain, far = (lesson.DriftDetector(reference + o).detect_drift(window + o) for o in (0.0, 1e6))
    assert far.pvalue == pytest.approx(plain.pvalue, abs=0.005)
    assert far.effect_size == pytest.approx(plain.effect_size, abs=1e-6)


def test_the_report_says_what_was_compared_and_the_history_keeps_it():
    detector = lesson.DriftDetector(bell(100, 2), alpha=0.05, minimum_effect=0.3)
    report = detector.detect_drift(bell(50, 2, seed=1), now=7.0)
    assert (report.n_reference, report.n_current, report.timestamp) == (100, 50, 7.0)
    assert (report.alpha, report.minimum_effect, report.feature_names) == (0.05, 0.3, ("feature_0", "feature_1"))
    assert detector.get_drift_history() == (report,)


def test_fit_takes_a_new_reference_and_returns_the_detector():
    detector = lesson.DriftDetector(bell(100))
    window = bell(60, seed=1) + 3
    assert detector.detect_drift(window).drifted
    assert detector.fit(bell(100, seed=2) + 3) is detector
    assert not detector.detect_drift(window).drifted
    assert len(detector.get_drift_history()) == 2


@pytest.mark.parametrize(
    ("current", "message"),
    [
        (np.zeros((5, 2)), "current must have 3 columns, got 2"),
        (np.zeros((0, 3)), "current must have at least 2"),
        (np.zeros((1, 3)), "current must have at least 2"),
        (np.full((5, 3), np.inf), "current must be finite"),
        ([[1.0, 2.0, 3.0], [1.0]], "current must be"),
        ([["a", "b", "c"]] * 3, "current must be"),
    ],
)
def test_malformed_windows_are_refused_and_leave_no_trace(current, message):
    detector = lesson.DriftDetector(bell(100))
    with pytest.raises(ValueError, match=message):
        detector.detect_drift(current)
    assert detector.get_drift_history() == ()


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (np.zeros((1, 3)), "reference must have at least 2"),
        (np.zeros((5, 2)), "reference must have 3 columns, got 2"),
        (np.full((5, 3), [1.0, np.nan, 1.0]), "reference must have a value in every column"),
        (np.full((5, 3), np.inf), "reference must be finite"),
    ],
)
def test_a_malformed_reference_is_refused_and_the_old_one_stays(reference, message):
    detector = lesson.DriftDetector(bell(100), ["a", "b", "c"])
    before = detector.detect_drift(bell(50, seed=1)).to_dict()
    with pytest.raises(ValueError, match=message):
        detector.fit(reference)
    assert detector.detect_drift(bell(50, seed=1)).to_dict() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"alpha": 0.0}, "alpha must be in"),
        ({"alpha": 0.0005}, "alpha must be in"),
        ({"minimum_effect": -0.1}, "minimum_effect must be in"),
        ({"feature_names": ["a"]}, "reference must have 1 columns, got 3"),
    ],
)
def test_malformed_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        lesson.DriftDetector(bell(100), **arguments)


def test_the_library_agrees_on_which_pixels_the_dirt_covers():
    reference, window = load_digits().training.features, digits_window("occlusion", 5, seed=2)
    ours = set(lesson.DriftDetector(reference, FEATURE_NAMES).detect_drift(window).drifted_features)
    theirs = set(
        UnivariateDetector(feature_names=FEATURE_NAMES).fit(reference).detect_drift(window, 0.0).drifted_features
    )
    assert ours
    assert len(ours & theirs) >= 0.8 * len(ours)


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


def _spread(reference, current):
    return np.concatenate([reference, current]).std(axis=0)


def _loop_shifts(rows, is_current):
    return np.array([rows[marks].mean(axis=0) - rows[~marks].mean(axis=0) for marks in is_current])


def _loop_pvalue(observed, shuffled):
    counts = [sum(abs(s) >= abs(o) for s in column) for o, column in zip(observed, shuffled.T, strict=True)]
    return [(1 + count) / (1 + len(shuffled)) for count in counts]


def _loop_adjusted(observed, shuffled):
    largest = [max(abs(row)) for row in shuffled]
    return [(1 + sum(big >= abs(o) for big in largest)) / (1 + len(largest)) for o in observed]


def _guarded_shift(reference, current):
    spread = _spread(reference, current)
    return (current.mean(axis=0) - reference.mean(axis=0)) / np.where(spread > 0, spread, 1)


WRONG = {
    "out_of_range_rate": [
        (lambda x, low, high: ((x < low) | (x > high)).mean(axis=1), "one number per row"),
        (lambda x, low, high: ((x < low) | (x > high)).sum(axis=0), "this is a count"),
        (lambda x, low, high: ((x < low) | (x > high)).mean(), "one number for the whole table"),
        (lambda x, low, high: (x > high).mean(axis=0), "both ends count"),
        (lambda x, low, high: 1 - ((x >= low) & (x <= high)).mean(axis=0), "counts NaN as out of range"),
        (lambda x, low, high: ((x <= low) | (x >= high)).mean(axis=0), "the ends themselves are allowed"),
        (lambda x, low, high: x < low or x > high, "ValueError was raised"),
    ],
    "constant_columns": [
        (lambda x: (x == x[0]).all(), "one answer for the whole table"),
        (lambda x: x[0] == x[-1], "every row counts"),
        (lambda x: (x == x[0]).any(axis=0), "`all`, not `any`"),
        (lambda x: (x == 0).all(axis=0), "another value than 0"),
        (lambda x: (x != x[0]).any(axis=0), "not constant"),
        (lambda x: x.mean(axis=0) == x[0], "by accident"),
        (lambda x: (x == x[0]).all(axis=0).astype(float), "bool"),
    ],
    "standard_shift": [
        (lambda r, c: c.mean(axis=0) - r.mean(axis=0), "not divided by the spread"),
        (lambda r, c: np.abs(_guarded_shift(r, c)), "no absolute value here"),
        (lambda r, c: -_guarded_shift(r, c), "the sign is turned round"),
        (lambda r, c: (c.mean(axis=0) - r.mean(axis=0)) / _spread(r, c), "do not divide"),
        (lambda r, c: (c.mean() - r.mean()) / max(1e-9, np.vstack([r, c]).std()), "one number for the table"),
        (lambda r, c: (c.mean(0) - r.mean(0)) / r.std(0), "not of one group alone"),
        (lambda r, c: (c.mean(0) - r.mean(0)) / np.vstack([r, c]).var(0), "divides by the variance"),
    ],
    "shuffled_shifts": [
        (lambda x, m: m @ x, "these are sums"),
        (lambda x, m: m @ x / m.sum(axis=1, keepdims=True), "the means of one group"),
        (lambda x, m: -_loop_shifts(x, m), "the sign is turned round"),
        (lambda x, m: (m @ x - ~m @ x) / len(x), "its own number of rows"),
        (lambda x, m: m @ x / m.sum(axis=1, keepdims=True) - x.mean(axis=0), "not of all rows"),
        (lambda x, m: _loop_shifts(x, m)[:, 0], "the shape is not"),
    ],
    "shuffle_pvalue": [
        (lambda o, s: (np.abs(s) >= np.abs(o)).mean(axis=0), "counts as a shuffle too"),
        (lambda o, s: (1 + (np.abs(s) > np.abs(o)).sum(axis=0)) / (1 + len(s)), "equal counts"),
        (lambda o, s: (1 + (s >= o).sum(axis=0)) / (1 + len(s)), "compare absolute values"),
        (lambda o, s: (1 + (np.abs(s) <= np.abs(o)).sum(axis=0)) / (1 + len(s)), "nearer to 0"),
        (lambda o, s: (1 + (np.abs(s) >= np.abs(o)).sum(axis=1)) / (1 + len(s)), "expected an array of shape (1,)"),
        (lambda o, s: (1 + (np.abs(s) >= np.abs(o)).sum(axis=0)) / len(s), "the number of shuffles too"),
    ],
    "adjusted_pvalue": [
        (lambda o, s: (1 + (np.abs(s) >= np.abs(o)).sum(axis=0)) / (1 + len(s)), "each column for itself"),
        (lambda o, s: (1 + (np.abs(s).max(axis=0) >= np.abs(o))) / (1 + len(s)), "over the columns (axis=1)"),
        (lambda o, s: (np.abs(s).max(axis=1, keepdims=True) >= np.abs(o)).mean(axis=0), "add 1 above and below"),
        (
            lambda o, s: (1 + (s.max(axis=1, keepdims=True) >= np.abs(o)).sum(axis=0)) / (1 + len(s)),
            "comes before the largest",
        ),
        (
            lambda o, s: np.minimum(1, o.size * (1 + (np.abs(s) >= np.abs(o)).sum(axis=0)) / (1 + len(s))),
            "multiplies by the number of columns",
        ),
        (lambda o, s: (1 + (np.abs(s).max(axis=1) >= np.abs(o).max()).sum()) / (1 + len(s)), "its own answer"),
    ],
}
RIGHT = {
    "out_of_range_rate": [
        lambda x, low, high: [sum(v < low or v > high for v in column) / len(column) for column in x.T],
        lambda x, low, high: (x < low).mean(axis=0) + (x > high).mean(axis=0),
        lambda x, low, high: np.sum(np.logical_or(x > high, x < low), axis=0) / len(x),
    ],
    "constant_columns": [
        lambda x: x.min(axis=0) == x.max(axis=0),
        lambda x: np.array([all(v == column[0] for v in column) for column in x.T]),
        lambda x: np.ptp(x, axis=0) == 0,
    ],
    "standard_shift": [
        _guarded_shift,
        lambda r, c: [0.0 if s == 0 else (c[:, k].mean() - r[:, k].mean()) / s for k, s in enumerate(_spread(r, c))],
        lambda r, c: np.nan_to_num((c.mean(axis=0) - r.mean(axis=0)) / _spread(r, c)),
    ],
    "shuffled_shifts": [
        _loop_shifts,
        lambda x, m: m @ x / m.sum(axis=1)[:, None] - (1 - m) @ x / (1 - m).sum(axis=1)[:, None],
        lambda x, m: np.einsum("sn,nk->sk", m / m.sum(1, keepdims=True) - ~m / (~m).sum(1, keepdims=True), x),
    ],
    "shuffle_pvalue": [
        _loop_pvalue,
        lambda o, s: (np.abs(np.vstack([s, o])) >= np.abs(o)).mean(axis=0),
        lambda o, s: 1 - (np.abs(s) < np.abs(o)).sum(axis=0) / (1 + len(s)),
    ],
    "adjusted_pvalue": [
        _loop_adjusted,
        lambda o, s: lesson.shuffle_pvalue(o, np.abs(s).max(axis=1, keepdims=True)),
        lambda o, s: np.mean(np.r_[np.abs(s).max(axis=1), np.inf][:, None] >= np.abs(o), axis=0),
    ],
}


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
