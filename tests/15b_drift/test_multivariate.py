"""MultivariateDetector: what no column shows alone, measured in shifts, and the same report for the same window."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.checks.detector import check_detector, require_same_report
from tinytorch.datasets import corrupt, load_digits
from tinytorch.mlops.drift import MultivariateDetector, UnivariateDetector
from tinytorch.mlops.validate import NotFittedError

ALL_TESTS = ["mmd", "energy", "covariance", "pca"]
# Enough for p-values of 0.01, and quick.
FEW = 199


def correlated(n_rows: int, rho: float, rng: np.random.Generator) -> np.ndarray:
    """Normal columns with mean 0 and variance 1, whatever `rho` is."""
    table = rng.normal(size=(n_rows, 3))
    table[:, 1] = rho * table[:, 0] + np.sqrt(1 - rho**2) * table[:, 1]
    return table


@pytest.mark.parametrize("test", ["mmd", "energy"])
def test_it_keeps_the_contract_of_detectors(test):
    check_detector(lambda: MultivariateDetector(test, n_permutations=299))


@pytest.mark.parametrize("test", ALL_TESTS)
def test_false_alarms_stay_below_alpha(test, most_false_alarms):
    rng = np.random.default_rng(1)
    n_windows = 120
    detector = MultivariateDetector(test, alpha=0.1, minimum_effect=0.0, n_permutations=39)
    n_flagged = 0
    for _ in range(n_windows):
        detector.fit(correlated(100, 0.5, rng))
        n_flagged += detector.detect_drift(correlated(50, 0.5, rng), 0.0).drifted
    assert 0 < n_flagged <= most_false_alarms(0.1, n_windows)


@pytest.mark.parametrize("test", ALL_TESTS)
def test_a_change_of_correlation_alone_is_found_where_the_univariate_detector_is_blind(test):
    rng = np.random.default_rng(2)
    reference, current = correlated(600, 0.8, rng), correlated(300, -0.8, rng)
    assert not UnivariateDetector().fit(reference).detect_drift(current, 0.0).drifted
    report = MultivariateDetector(test, n_permutations=FEW).fit(reference).detect_drift(current, 0.0)
    assert report.drifted_features == ("all features",)


@pytest.mark.parametrize("test", ["mmd", "energy"])
@pytest.mark.parametrize("n_features", [2, 20])
def test_the_effect_size_is_the_shift_in_standard_deviations(test, n_features):
    """Measured: 0.91 to 1.17 for 1.0 and 2.9 to 3.1 for 3.0 at these sizes."""
    rng = np.random.default_rng(3)
    scale = rng.lognormal(0, 3, n_features)
    reference, current = (rng.normal(size=(n_rows, n_features)) for n_rows in (500, 300))
    detector = MultivariateDetector(test, n_permutations=FEW).fit(reference * scale)
    for shift in (1.0, 3.0):
        moved = current.copy()
        moved[:, 0] += shift
        report = detector.detect_drift(moved * scale, 0.0)
        assert report.effect_size[0] == pytest.approx(shift, abs=0.3)


def test_the_covariance_test_sees_no_shift_of_the_mean_as_its_description_says():
    rng = np.random.default_rng(4)
    reference, current = rng.normal(size=(400, 3)), rng.normal(size=(200, 3)) + 2.0
    assert not MultivariateDetector("covariance", n_permutations=FEW).fit(reference).detect_drift(current, 0.0).drifted


@pytest.mark.parametrize("test", ALL_TESTS)
def test_units_of_the_columns_do_not_matter(test):
    rng = np.random.default_rng(5)
    reference, current = correlated(150, 0.0, rng), correlated(100, 0.7, rng)
    unit = np.array([1e-9, 1.0, 2.0**40])
    reports = [
        MultivariateDetector(test, n_permutations=FEW).fit(reference * by).detect_drift(current * by, 0.0)
        for by in (np.ones(3), unit)
    ]
    assert reports[0].pvalue == reports[1].pvalue
    assert reports[0].effect_size == pytest.approx(reports[1].effect_size, rel=1e-6)


@pytest.mark.parametrize("test", ALL_TESTS)
def test_corrupted_digits_are_caught_and_clean_ones_are_not(test):
    digits = load_digits()
    detector = MultivariateDetector(test, n_permutations=FEW).fit(digits.training.features)
    clean = digits.validation.features[:150]
    noisy = corrupt(clean, "noise", 0.3, np.random.default_rng(6))
    assert detector.detect_drift(noisy, 0.0).drifted
    assert not detector.detect_drift(clean, 0.0).drifted


@pytest.mark.parametrize("test", ALL_TESTS)
def test_columns_that_never_vary_and_values_that_are_missing_are_taken(test):
    rng = np.random.default_rng(7)
    reference, current = (rng.normal(size=(n_rows, 4)) for n_rows in (200, 100))
    for table in (reference, current):
        table[:, 0] = 3.7
        table[::10, 1] = np.nan
    detector = MultivariateDetector(test, n_permutations=FEW).fit(reference)
    report = detector.detect_drift(current, 0.0)
    assert not report.drifted and report.missing_rate == 0.1
    current[:50, 2] = np.nan
    report = detector.detect_drift(current, 0.0)
    assert report.drifted and report.missing_rate == 0.5


def test_tables_in_which_nothing_varies_are_alike_or_far_apart():
    for test in ALL_TESTS:
        detector = MultivariateDetector(test, n_permutations=FEW).fit(np.full((30, 2), 0.1))
        assert detector.detect_drift(np.full((20, 2), 0.1), 0.0).pvalue == 1.0
    assert MultivariateDetector("mmd", n_permutations=FEW).fit(np.ones((30, 2))).detect_drift(np.zeros((20, 2)), 0.0)


def test_the_seed_decides_the_shuffles_and_the_same_window_gets_the_same_report():
    rng = np.random.default_rng(8)
    reference, current = correlated(100, 0.2, rng), correlated(60, 0.3, rng)
    detectors = [MultivariateDetector("energy", n_permutations=FEW, seed=seed).fit(reference) for seed in (0, 0, 1)]
    first, same, other = (detector.detect_drift(current, 0.0) for detector in detectors)
    require_same_report(same, first, "a second detector")
    require_same_report(detectors[0].detect_drift(current, 0.0), first, "the second time")
    assert other.pvalue != first.pvalue and other.statistic == first.statistic


def test_bad_tables_are_refused_and_leave_no_trace(refuses_without_a_trace):
    rng = np.random.default_rng(9)
    reference, window = correlated(50, 0.0, rng), correlated(40, 0.9, rng)
    infinite = np.where(np.arange(50)[:, np.newaxis] == 3, np.inf, reference)
    bad = [infinite, reference[:1], [["a"] * 3] * 4, np.zeros((2, 2, 2))]
    empty_column = np.where(np.arange(3) == 1, np.nan, reference)
    detector = MultivariateDetector(n_permutations=FEW).fit(reference)
    refuses_without_a_trace(detector, window, [*bad, empty_column], [*bad, reference[:, 1:]])


def test_the_pca_test_asks_for_four_rows_and_two_columns():
    with pytest.raises(ValueError, match="number of columns must be an integer >= 2, got 1"):
        MultivariateDetector("pca").fit(np.arange(9.0))
    with pytest.raises(ValueError, match="number of reference rows must be an integer >= 4, got 3"):
        MultivariateDetector("pca").fit(np.eye(3))


def test_an_unfitted_detector_says_so():
    with pytest.raises(NotFittedError, match="before detect_drift"):
        MultivariateDetector().detect_drift(np.zeros((5, 1)), 0.0)


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"test": "ks"}, "test must be one of"),
        ({"alpha": 0.0}, "alpha must be in"),
        ({"alpha": 0.01, "n_permutations": 99}, r"alpha must be in \[0.02, 1.0\], got 0.01"),
        ({"minimum_effect": -1.0}, "minimum_effect must be in"),
        ({"n_permutations": 0}, "n_permutations must be an integer >= 1"),
        ({"seed": -1}, "seed must be an integer >= 0"),
    ],
)
def test_the_constructor_refuses_what_breaks_a_rule(arguments, rule):
    with pytest.raises(ValueError, match=rule):
        MultivariateDetector(**arguments)
