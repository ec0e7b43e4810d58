"""ClassifierDetector: a network that never saw the judging rows finds what differs, and names it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, norm

from tinytorch.checks.detector import check_detector, require_same_report
from tinytorch.datasets import FEATURE_NAMES, corrupt, load_digits
from tinytorch.mlops.drift import ClassifierDetector, UnivariateDetector
from tinytorch.mlops.validate import NotFittedError


def normal(n_rows: int, n_features: int, rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(n_rows, n_features))


def test_it_keeps_the_contract_of_detectors():
    check_detector(ClassifierDetector)


@pytest.mark.parametrize("n_current", [60, 12])
def test_false_alarms_stay_below_alpha_however_unequal_the_samples(n_current, most_false_alarms):
    rng = np.random.default_rng(1)
    n_windows = 50
    n_flagged = 0
    for seed in range(n_windows):
        detector = ClassifierDetector(alpha=0.1, minimum_effect=0.0, seed=seed).fit(normal(100, 5, rng))
        n_flagged += detector.detect_drift(normal(n_current, 5, rng), 0.0).drifted
    assert 0 < n_flagged <= most_false_alarms(0.1, n_windows)


def test_the_rows_that_were_trained_on_would_raise_false_alarms():
    """The trap that the halves avoid: a network remembers its own training rows."""
    rng = np.random.default_rng(2)
    reference, current = normal(100, 40, rng), normal(100, 40, rng)
    detector = ClassifierDetector().fit(reference)
    assert detector.detect_drift(current, 0.0).statistic[0] < 0.65
    contest = detector._train(current, np.random.default_rng(0))
    rng = np.random.default_rng(0)
    trained_on = [rng.permutation(detector.units_.standardise(table))[:50] for table in (reference, current)]
    scores = [contest._scores(rows) for rows in trained_on]
    assert mannwhitneyu(scores[1], scores[0]).statistic / 50**2 > 0.9


def test_a_change_of_correlation_alone_is_found_and_both_columns_named():
    rng = np.random.default_rng(3)
    reference, current = normal(800, 5, rng), normal(400, 5, rng)
    current[:, 1] = 0.6 * current[:, 1] + 0.8 * current[:, 3]
    assert not UnivariateDetector().fit(reference).detect_drift(current, 0.0).drifted
    detector = ClassifierDetector(feature_names=tuple("abcde")).fit(reference)
    assert detector.detect_drift(current, 0.0).drifted_features == ("all features",)
    ranking = detector.rank_features(current)
    assert {name for name, _ in ranking[:2]} == {"b", "d"}
    assert ranking[1][1] > 0.1 and abs(ranking[2][1]) < 0.05


@pytest.mark.parametrize("kind", ["noise", "dead_pixels", "shift"])
def test_corrupted_digits_are_caught_and_clean_ones_are_not(kind):
    digits = load_digits()
    detector = ClassifierDetector().fit(digits.training.features)
    clean = digits.validation.features
    assert detector.detect_drift(corrupt(clean, kind, 0.3, np.random.default_rng(4)), 0.0).drifted
    assert not detector.detect_drift(clean, 0.0).drifted


def test_a_dead_pixel_betrays_the_window():
    digits = load_digits()
    detector = ClassifierDetector(feature_names=FEATURE_NAMES).fit(digits.training.features)
    window = digits.validation.features.copy()
    window[:, 27] = 1.0
    assert detector.detect_drift(window, 0.0).drifted
    assert detector.rank_features(window)[0][0] == FEATURE_NAMES[27]


def test_missing_values_alone_are_found_and_named():
    rng = np.random.default_rng(5)
    reference, current = normal(600, 4, rng), normal(300, 4, rng)
    current[rng.random(300) < 0.4, 2] = np.nan
    detector = ClassifierDetector().fit(reference)
    report = detector.detect_drift(current, 0.0)
    assert report.drifted and report.missing_rate == np.isnan(current[:, 2]).mean()
    assert detector.rank_features(current)[0][0] == "feature_2"


def test_the_effect_size_is_the_shift_between_normal_scores():
    """The best score for a shift of two standard deviations has the area Phi(2 / sqrt 2) = 0.92."""
    rng = np.random.default_rng(6)
    reference, current = normal(2000, 3, rng), normal(2000, 3, rng) + np.array([0.0, 0.0, 2.0])
    report = ClassifierDetector().fit(reference).detect_drift(current, 0.0)
    assert report.statistic[0] == pytest.approx(norm.cdf(2 / np.sqrt(2)), abs=0.02)
    assert report.effect_size[0] == pytest.approx(np.sqrt(2) * norm.ppf(report.statistic[0]))
    assert report.effect_size[0] == pytest.approx(2.0, abs=0.25)


def test_separate_samples_have_a_finite_effect():
    report = ClassifierDetector().fit(np.zeros((40, 2))).detect_drift(np.ones((40, 2)), 0.0)
    assert report.statistic == 1.0 and report.drifted
    assert report.effect_size[0] == pytest.approx(np.sqrt(2) * norm.isf(0.5 / 20**2))


def test_rows_that_are_all_alike_cannot_be_told_apart():
    report = ClassifierDetector().fit(np.full((40, 2), 0.3)).detect_drift(np.full((30, 2), 0.3), 0.0)
    assert (report.statistic, report.effect_size) == (0.5, 0.0) and report.pvalue > 0.4


def test_huge_values_leave_the_network_in_peace():
    rng = np.random.default_rng(7)
    current = normal(100, 2, rng)
    current[0] = [1e300, -1e300]
    assert not ClassifierDetector().fit(normal(200, 2, rng)).detect_drift(current, 0.0).drifted


def test_the_seed_decides_and_the_same_window_gets_the_same_report():
    rng = np.random.default_rng(8)
    reference, current = normal(80, 2, rng), normal(60, 2, rng) + 0.3
    first, same, other = (ClassifierDetector(seed=seed).fit(reference) for seed in (0, 0, 1))
    report = first.detect_drift(current, 0.0)
    first.rank_features(current)
    require_same_report(first.detect_drift(current, 0.0), report, "the second time")
    require_same_report(same.detect_drift(current, 0.0), report, "a second detector")
    assert other.detect_drift(current, 0.0).statistic != report.statistic


def test_bad_tables_are_refused_and_leave_no_trace(refuses_without_a_trace):
    rng = np.random.default_rng(9)
    reference, window = normal(60, 3, rng), normal(40, 3, rng) + 0.5
    infinite = np.where(np.arange(60)[:, np.newaxis] == 3, np.inf, reference)
    bad = [infinite, reference[:1], [["a"] * 3] * 4, np.zeros((2, 2, 2))]
    empty_column = np.where(np.arange(3) == 1, np.nan, reference)
    refuses_without_a_trace(ClassifierDetector().fit(reference), window, [*bad, empty_column], [*bad, reference[:, 1:]])


@pytest.mark.parametrize("use", ["detect_drift", "rank_features"])
def test_an_unfitted_detector_says_so(use):
    with pytest.raises(NotFittedError, match=f"before {use}"):
        getattr(ClassifierDetector(), use)(np.zeros((5, 1)), *([0.0] if use == "detect_drift" else []))


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"alpha": 0.0}, "alpha must be in"),
        ({"minimum_effect": -0.1}, "minimum_effect must be in"),
        ({"hidden_units": 0}, "hidden_units must be an integer >= 1"),
        ({"seed": -1}, "seed must be an integer >= 0"),
    ],
)
def test_the_constructor_refuses_what_breaks_a_rule(arguments, rule):
    with pytest.raises(ValueError, match=rule):
        ClassifierDetector(**arguments)
