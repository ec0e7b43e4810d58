"""CategoricalDetector: other shares are found, new categories are named, rare ones raise no false alarms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2_contingency, fisher_exact

from tinytorch.checks.detector import check_detector
from tinytorch.mlops.drift import CategoricalDetector
from tinytorch.mlops.drift._shares import _new_rows
from tinytorch.mlops.validate import NotFittedError

# Forty categories, the rarest one row in 170: the smallest are below Cochran's five expected rows in a window of 200.
ZIPF = 1 / np.arange(1, 41)
ZIPF = ZIPF / ZIPF.sum()


def draw(n_rows: int, rng: np.random.Generator, n_features: int = 4, shares: np.ndarray = ZIPF) -> np.ndarray:
    return rng.choice(len(shares), size=(n_rows, n_features), p=shares)


@pytest.mark.parametrize("test", ["chi2", "g"])
def test_it_keeps_the_contract_of_detectors(test):
    check_detector(lambda: CategoricalDetector(test=test))


@pytest.mark.parametrize("test", ["chi2", "g"])
@pytest.mark.parametrize("shares", [ZIPF, np.full(4, 0.25)], ids=["many rare ones", "four"])
def test_false_alarms_stay_below_alpha_also_with_rare_categories(test, shares, most_false_alarms):
    rng = np.random.default_rng(1)
    n_windows = 120
    detector = CategoricalDetector(alpha=0.05, minimum_effect=0.0, test=test)
    n_flagged = 0
    for _ in range(n_windows):
        detector.fit(draw(300, rng, shares=shares))
        n_flagged += detector.detect_drift(draw(200, rng, shares=shares), 0.0).drifted
    assert n_flagged <= most_false_alarms(0.05, n_windows)


def test_ids_that_never_come_twice_raise_no_alarm():
    """Every category of the window is new, and says nothing: so was every one of the reference."""
    report = CategoricalDetector().fit(np.arange(500)).detect_drift(np.arange(1000, 1200), 0.0)
    assert report.pvalue == 1.0 and not report.drifted


def test_a_column_without_rare_categories_gets_the_pvalue_of_chi_square():
    rng = np.random.default_rng(2)
    reference, current = draw(500, rng, 1, np.full(4, 0.25)), draw(300, rng, 1, np.array([0.4, 0.3, 0.2, 0.1]))
    table = np.array([np.bincount(sample[:, 0]) for sample in (reference, current)])
    for test, name in (("chi2", "pearson"), ("g", "log-likelihood")):
        report = CategoricalDetector(test=test).fit(reference).detect_drift(current, 0.0)
        expected = chi2_contingency(table, correction=False, lambda_=name)
        assert report.statistic[0] == pytest.approx(expected.statistic)
        assert report.pvalue[0] == pytest.approx(expected.pvalue)


def test_two_frequent_categories_and_a_rare_one_get_twice_the_smaller_of_two_pvalues():
    reference, current = np.repeat([0, 1, 2], [300, 300, 1]), np.repeat([0, 1, 2], [105, 85, 10])
    frequent = chi2_contingency([[300, 300], [105, 85]], correction=False).pvalue
    rare = fisher_exact([[600, 1], [190, 10]]).pvalue
    report = CategoricalDetector().fit(reference).detect_drift(current, 0.0)
    assert report.pvalue[0] == pytest.approx(2 * min(frequent, rare))


@pytest.mark.parametrize("n_new", [20, 60])
def test_an_unseen_category_is_flagged_and_named(n_new):
    rng = np.random.default_rng(3)
    reference, current = draw(600, rng, 3, np.full(4, 0.25)), draw(200, rng, 3, np.full(4, 0.25))
    current[:n_new, 1] = 99
    detector = CategoricalDetector(feature_names=("a", "b", "c")).fit(reference)
    assert detector.detect_drift(current, 0.0).drifted_features == ("b",)
    assert detector.unseen_categories(current) == {"b": (99,)}
    assert detector.unseen_categories(reference) == {}


def test_text_is_counted_with_missing_values_as_a_category_of_their_own():
    reference = np.array([["red", "x"], ["blue", "y"]] * 100, dtype=object)
    current = reference.copy()
    current[:30, 0] = None
    current[:10, 1] = float("nan")
    detector = CategoricalDetector(text=True).fit(reference)
    report = detector.detect_drift(current, 0.0)
    assert report.missing_rate.tolist() == [0.15, 0.05]
    assert report.drifted_features[0] == "feature_0"
    assert detector.unseen_categories(current) == {}
    assert not detector.detect_drift(reference, 0.0).drifted


def test_a_category_below_all_others_is_not_taken_for_a_missing_value():
    reference = np.repeat([5.0, 6.0], 100)
    detector = CategoricalDetector().fit(reference)
    missing, lower = reference[:150].copy(), reference[:150].copy()
    missing[:40], lower[:40] = np.nan, 4.0
    both = np.where(np.arange(150) < 20, np.nan, lower)
    reports = [detector.detect_drift(window, 0.0) for window in (missing, lower, both)]
    assert [report.missing_rate[0] for report in reports] == [40 / 150, 0.0, 20 / 150]
    assert reports[0].statistic == pytest.approx(reports[1].statistic)
    # Two cells of 20 give the statistic of one of 40, with one more degree of freedom.
    assert reports[2].pvalue[0] > reports[0].pvalue[0]
    assert detector.unseen_categories(both) == {"feature_0": (4,)}


def test_the_effect_size_is_the_shift_of_a_normal_column_that_moves_the_same_rows():
    """A shift of 0.5 standard deviations moves 2 Phi(0.25) - 1 = 19.7% of the rows."""
    reference, current = np.repeat([0, 1], [500, 500]), np.repeat([0, 1], [303, 697])
    report = CategoricalDetector().fit(reference).detect_drift(current, 0.0)
    assert report.effect_size[0] == pytest.approx(0.5, abs=0.005)


def test_bad_tables_are_refused_and_leave_no_trace(refuses_without_a_trace):
    rng = np.random.default_rng(4)
    reference, window = draw(100, rng).astype(float), draw(50, rng)
    fraction, infinite = reference.copy(), reference.copy()
    fraction[0, 0], infinite[0, 0] = 0.5, np.inf
    bad = [fraction, infinite, reference[:1], [["a", "b"]] * 4, [[1, 2], [3]]]
    empty_column = np.where(np.arange(4) == 1, np.nan, reference)
    refuses_without_a_trace(
        CategoricalDetector().fit(reference), window, [*bad, empty_column], [*bad, reference[:, 1:]]
    )


def test_bad_text_is_refused_and_leaves_no_trace(refuses_without_a_trace):
    reference = np.array([["a", "b"], ["c", "d"]] * 10)
    listed = np.empty((3, 2), dtype=object)
    listed[:] = "a"
    listed[0, 0] = [1]
    bad = [listed, reference[:1], [["a", "b"], ["c"]], np.zeros((2, 2, 2))]
    detector = CategoricalDetector(text=True).fit(reference)
    refuses_without_a_trace(detector, reference, [*bad, [[None, "a"]] * 5], [*bad, reference[:, 1:]])


def test_an_unfitted_detector_says_so():
    with pytest.raises(NotFittedError, match="before detect_drift"):
        CategoricalDetector().detect_drift(np.zeros((5, 1)), 0.0)
    with pytest.raises(NotFittedError, match="before unseen_categories"):
        CategoricalDetector().unseen_categories(np.zeros((5, 1)))


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"alpha": 1.0}, "alpha must be in"),
        ({"minimum_effect": -0.1}, "minimum_effect must be in"),
        ({"test": "t"}, "test must be one of"),
    ],
)
def test_the_constructor_refuses_what_breaks_a_rule(arguments, rule):
    with pytest.raises(ValueError, match=rule):
        CategoricalDetector(**arguments)


def test_a_reference_must_have_one_column_per_name():
    with pytest.raises(ValueError, match="reference must have 2 columns, got 4"):
        CategoricalDetector(feature_names=("a", "b")).fit(draw(10, np.random.default_rng(0)))


def test_new_names_in_place_of_as_many_old_ones_are_drift_also_when_each_is_rare():
    rng = np.random.default_rng(0)
    old, new, again = rng.integers(0, 84, (3, 200, 1)) + np.array([0, 100, 0])[:, np.newaxis, np.newaxis]
    report = CategoricalDetector().fit(old).detect_drift(new, now=0.0)
    assert report.is_drifted.all()
    assert not CategoricalDetector().fit(old).detect_drift(again, now=0.0).is_drifted.any()


def test_the_bound_on_new_rows_is_never_below_what_shuffles_give():
    rng = np.random.default_rng(1)
    rows, n = rng.integers(0, 84, 300), 200
    shuffles = np.array([rng.permutation(rows) for _ in range(2000)])
    tables = [(np.bincount(one[:n], minlength=84), np.bincount(one[n:], minlength=84)) for one in shuffles]
    bounds = np.array([_new_rows(*table, n, 100)[1] for table in tables])
    # four standard deviations of a share of 2000 on top of the level
    assert all((bounds <= level).mean() <= level + 4 * (level / 2000) ** 0.5 for level in (0.01, 0.05, 0.2))
    surplus = np.array([table[1][table[0] == 0].sum() for table in tables])
    table = tables[surplus.argmax()]
    assert surplus.max() - _new_rows(*table, n, 100)[0] == pytest.approx(
        surplus.mean(), abs=4 * surplus.std() / 2000**0.5
    )
