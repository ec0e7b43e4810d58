"""The univariate detector: its level, its power, its unit, and what it refuses."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, ks_2samp

from tinytorch.core.tensor import Tensor
from tinytorch.datasets import FEATURE_NAMES, corrupt, load_digits
from tinytorch.mlops.drift import UnivariateDetector
from tinytorch.mlops.validate import NotFittedError
from tinytorch.stats import adjust_pvalues

NAN = float("nan")


def normal(seed: int, n_rows: int, n_features: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n_rows, n_features))


def with_missing(table: np.ndarray, column: int, share: float) -> np.ndarray:
    holed = table.copy()
    holed[: round(share * len(table)), column] = NAN
    return holed


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_a_clean_window_has_any_flag_at_most_as_often_as_alpha_says(missing: float):
    alpha, n_runs, flagged = 0.05, 200, 0
    rng = np.random.default_rng(1)
    for _ in range(n_runs):
        table = rng.normal(size=(300, 8))
        table[rng.random(table.shape) < missing] = NAN
        detector = UnivariateDetector(alpha, minimum_effect=0.0).fit(table[:200])
        flagged += detector.detect_drift(table[200:], now=0.0).drifted
    # The count is at most binomial (200, 0.05): beyond 20 chance goes once in 800.
    assert binom(n_runs, alpha).sf(20) < 2e-3
    assert flagged <= 20
    assert flagged >= 1  # a detector that never fires keeps every level, too


def test_on_clean_digits_hardly_a_window_is_flagged():
    digits, rng = load_digits(), np.random.default_rng(2)
    detector = UnivariateDetector(alpha=0.05, feature_names=FEATURE_NAMES).fit(digits.training.features)
    flagged = 0
    for _ in range(40):
        rows = rng.choice(len(digits.traffic), size=120, replace=False)
        flagged += detector.detect_drift(digits.traffic.features[rows], now=0.0).drifted
    assert binom(40, 0.05).sf(7) < 2e-3
    assert flagged <= 7


def test_a_shift_of_half_a_standard_deviation_is_found_and_named():
    found = 0
    for seed in range(50):
        detector = UnivariateDetector().fit(normal(seed, 600))
        current = normal(1000 + seed, 300)
        current[:, 3] += 0.5
        report = detector.detect_drift(current, now=0.0)
        found += "feature_3" in report.drifted_features
    # At least nine of ten are asked for; below 39 of 50 chance goes four times in 1,000.
    assert binom(50, 0.9).cdf(38) < 5e-3
    assert found >= 39


@pytest.mark.parametrize("kind", ["brightness", "shift", "stretch", "noise"])
def test_corrupted_digits_are_flagged(kind: str):
    digits = load_digits()
    detector = UnivariateDetector(feature_names=FEATURE_NAMES).fit(digits.training.features)
    images = corrupt(digits.traffic.features[:200], kind, 0.75, np.random.default_rng(0))
    report = detector.detect_drift(images, now=0.0)
    assert report.drifted
    assert set(report.drifted_features) <= set(FEATURE_NAMES)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(2, 60), st.integers(2, 60), st.booleans())
def test_statistic_and_pvalue_are_scipys(seed: int, n_reference: int, n_current: int, discrete: bool):
    reference, current = normal(seed, n_reference), normal(seed + 1, n_current)
    if discrete:
        reference, current = reference.round(), current.round()
    report = UnivariateDetector().fit(reference).detect_drift(current, now=0.0)
    for column in range(reference.shape[1]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # scipy's own exact method may overflow and fall back
            expected = ks_2samp(reference[:, column], current[:, column], method="exact")
        assert report.statistic[column] == pytest.approx(expected.statistic, abs=1e-12)
        if not discrete:
            assert report.pvalue[column] == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)
        else:
            # scipy's law supposes that there are no ties, which makes it cautious; ours is never more so.
            assert 0.0 <= report.pvalue[column] <= expected.pvalue + 1e-9


@pytest.mark.parametrize("correction", ["holm", "bonferroni", "benjamini-hochberg", "benjamini-yekutieli"])
def test_pvalues_are_corrected_for_the_number_of_features(correction: str):
    current = normal(1, 100) + np.array([0.0, 0.2, 0.4, 0.6, 0.0])
    report = UnivariateDetector(correction=correction).fit(normal(0, 200)).detect_drift(current, now=0.0)
    np.testing.assert_allclose(report.adjusted_pvalue, adjust_pvalues(report.pvalue, correction))
    assert (report.adjusted_pvalue >= report.pvalue).all()
    assert (report.adjusted_pvalue > report.pvalue).any()
    assert correction in report.method


@pytest.mark.parametrize("shift", [0.3, 0.5, 1.0, 2.0])
def test_the_effect_is_the_shift_in_standard_deviations_whatever_the_scale(shift: float):
    # With 20,000 rows on both sides the Kolmogorov-Smirnov distance is known to 0.02, and the shift to 0.05 or so.
    scale = np.array([1.0, 1e-6, 1e9])
    reference, current = normal(0, 20_000, 3) * scale, (normal(1, 20_000, 3) + shift) * scale
    report = UnivariateDetector().fit(reference).detect_drift(current, now=0.0)
    np.testing.assert_allclose(report.effect_size, shift, atol=0.08)


def test_far_outside_the_references_range_the_effect_is_large_and_finite():
    report = UnivariateDetector().fit(normal(0, 200)).detect_drift(normal(1, 100) + 1e12, now=0.0)
    assert (report.statistic == 1.0).all()
    assert np.isfinite(report.effect_size).all()
    assert (report.effect_size > 2.0).all()
    assert report.severity == "high"
    assert len(report.drifted_features) == 5


def test_a_changed_spread_is_seen_though_the_mean_stays():
    current = normal(1, 500)
    current[:, 2] *= 3.0
    assert UnivariateDetector().fit(normal(0, 500)).detect_drift(current, now=0.0).drifted_features == ("feature_2",)


def test_values_that_begin_to_miss_are_a_drift_of_their_own():
    report = UnivariateDetector().fit(normal(0, 400)).detect_drift(with_missing(normal(1, 200), 1, 0.3), now=0.0)
    assert report.drifted_features == ("feature_1",)
    np.testing.assert_allclose(report.missing_rate, [0.0, 0.3, 0.0, 0.0, 0.0])
    assert any("missing" in sentence for sentence in report.recommendations)


def test_values_that_always_missed_are_no_drift_and_the_others_are_still_compared():
    reference, current = with_missing(normal(0, 400), 1, 0.3), with_missing(normal(1, 200), 1, 0.3)
    detector = UnivariateDetector().fit(reference)
    assert not detector.detect_drift(current, now=0.0).drifted
    current[:, 1] += 2.0
    report = detector.detect_drift(current, now=0.0)
    assert report.drifted_features == ("feature_1",)
    present = ~np.isnan(current[:, 1])
    current[:, 1] -= 1.8
    report = detector.detect_drift(current, now=0.0)
    expected = ks_2samp(reference[~np.isnan(reference[:, 1]), 1], current[present, 1])
    assert report.statistic[1] == pytest.approx(expected.statistic)
    assert 1e-6 < expected.pvalue < 0.5
    assert report.pvalue[1] == pytest.approx(2 * expected.pvalue, rel=1e-6)  # two questions were asked


def test_a_feature_that_is_gone_altogether_is_flagged():
    report = UnivariateDetector().fit(normal(0, 400)).detect_drift(with_missing(normal(1, 200), 4, 1.0), now=0.0)
    assert report.drifted_features == ("feature_4",)
    assert report.missing_rate[4] == 1.0


def test_a_constant_column_is_calm_until_it_changes():
    reference, current = normal(0, 300), normal(1, 100)
    reference[:, 0] = current[:, 0] = 7.0
    detector = UnivariateDetector().fit(reference)
    report = detector.detect_drift(current, now=0.0)
    assert (report.statistic[0], report.pvalue[0], report.effect_size[0]) == (0.0, 1.0, 0.0)
    current[:, 0] = 7.1
    assert detector.detect_drift(current, now=0.0).drifted_features == ("feature_0",)


def test_a_change_too_small_to_matter_is_not_drift_however_sure():
    current = normal(1, 20_000) + 0.1
    assert not UnivariateDetector().fit(normal(0, 20_000)).detect_drift(current, now=0.0).drifted
    assert UnivariateDetector(minimum_effect=0.05).fit(normal(0, 20_000)).detect_drift(current, now=0.0).drifted


def test_the_report_says_what_was_compared():
    detector = UnivariateDetector(0.02, 0.3, feature_names=list("abcde")).fit(Tensor(normal(0, 60)))
    report = detector.detect_drift(normal(1, 20), now=5.0)
    assert report.feature_names == ("a", "b", "c", "d", "e")
    assert (report.alpha, report.minimum_effect, report.timestamp) == (0.02, 0.3, 5.0)
    assert (report.n_reference, report.n_current) == (60, 20)


def test_looking_changes_nothing_and_the_reference_is_a_copy():
    reference, current = normal(0, 100), normal(1, 50)
    detector = UnivariateDetector().fit(reference)
    first = detector.detect_drift(current, now=0.0)
    reference += 100.0
    again = detector.detect_drift(current, now=0.0)
    np.testing.assert_array_equal(first.pvalue, again.pvalue)


@pytest.mark.parametrize(
    ("current", "message"),
    [
        (np.zeros((10, 4)), "current must have 5 columns, got 4"),
        (np.zeros((0, 5)), "current must have at least 2 row(s), got 0"),
        (np.zeros((1, 5)), "current must have at least 2 row(s), got 1"),
        ([[0.0] * 5, [0.0] * 4], "current must be a rectangular array"),
        (np.full((3, 5), np.inf), "current must be finite"),
        ([["x"] * 5] * 3, "current must be numbers"),
    ],
)
def test_a_window_that_cannot_be_compared_is_refused(current: Any, message: str):
    detector = UnivariateDetector().fit(normal(0, 100))
    with pytest.raises(ValueError, match=re.escape(message)):
        detector.detect_drift(current, now=0.0)
    assert not detector.detect_drift(normal(1, 50), now=0.0).drifted


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (np.zeros((1, 5)), "reference must have at least 2 row(s), got 1"),
        (with_missing(np.zeros((4, 5)), 2, 1.0), "reference must have a value in every column, got none in column 2"),
        (np.zeros((4, 3)), "reference must have 5 columns, got 3"),
        (np.full((4, 5), np.inf), "reference must be finite"),
    ],
)
def test_a_refused_reference_leaves_the_one_before_in_place(reference: Any, message: str):
    detector = UnivariateDetector(feature_names=tuple("abcde")).fit(normal(0, 100))
    before = detector.reference_.copy()
    with pytest.raises(ValueError, match=re.escape(message)):
        detector.fit(reference)
    np.testing.assert_array_equal(detector.reference_, before)


def test_a_detector_must_be_fitted_first_and_its_settings_make_sense():
    with pytest.raises(NotFittedError, match="must be fitted before detect_drift"):
        UnivariateDetector().detect_drift(normal(0, 10), now=0.0)
    for options, message in (
        ({"alpha": 1.0}, "alpha must be in (0, 1), got 1.0"),
        ({"minimum_effect": -1.0}, "minimum_effect must be in"),
        ({"correction": "none"}, "correction must be one of"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            UnivariateDetector(**options)
    with pytest.raises(ValueError, match="timestamp must be in"):
        UnivariateDetector().fit(normal(0, 10)).detect_drift(normal(1, 10), now=NAN)
