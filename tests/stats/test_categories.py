from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tinytorch.stats import FittedCategories, chi2_test, g_test

NAMES = st.one_of(st.integers(-3, 6), st.sampled_from([10**12, -(10**9)]))


def slow_statistics(reference: list, current: list) -> tuple[float, float, int]:
    """Pearson's and the likelihood ratio's statistic and the number of categories, cell by cell."""
    total = len(reference) + len(current)
    chi2 = g = 0.0
    names = {*reference, *current}
    for name in names:
        for sample in (reference, current):
            observed = sum(value == name for value in sample)
            expected = len(sample) * sum(value == name for value in [*reference, *current]) / total
            chi2 += (observed - expected) ** 2 / expected
            g += 2 * observed * math.log(observed / expected) if observed else 0.0
    return chi2, g, len(names)


def scipy_test(reference: list, current: list, power: str) -> tuple[float, float]:
    names = sorted({*reference, *current}, key=str)
    table = [[sum(value == name for value in sample) for name in names] for sample in (reference, current)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = stats.chi2_contingency(table, correction=False, lambda_=power)
    return float(result.statistic), float(result.pvalue)


@settings(max_examples=60)
@given(st.lists(NAMES, min_size=1, max_size=60), st.lists(NAMES, min_size=1, max_size=60))
def test_both_tests_equal_scipy_and_the_sum_over_cells(left, right):
    chi2, g, n_names = slow_statistics(left, right)
    for test, power, slow in ((chi2_test, "pearson", chi2), (g_test, "log-likelihood", g)):
        result = test(left, right)
        np.testing.assert_allclose(result.statistic, slow, rtol=1e-11, atol=1e-11)
        if n_names == 1:
            assert result.pvalue == 1.0
            continue
        statistic, pvalue = scipy_test(left, right, power)
        np.testing.assert_allclose(result.statistic, statistic, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(result.pvalue, pvalue, rtol=1e-9, atol=1e-12)


@settings(max_examples=30)
@given(st.lists(NAMES, min_size=1, max_size=60), st.lists(NAMES, min_size=1, max_size=60))
def test_names_do_not_matter(left, right):
    by_code = chi2_test(left, right)
    for rename in (str, lambda code: f"category {code}"):
        by_name = chi2_test([rename(code) for code in left], [rename(code) for code in right])
        np.testing.assert_allclose(by_name.statistic, by_code.statistic, rtol=1e-12, atol=1e-12)
    by_object = chi2_test(np.array([(code,) for code in left], object), np.array([(code,) for code in right], object))
    np.testing.assert_allclose(by_object.statistic, by_code.statistic, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32, np.uint64, np.int64])
def test_every_kind_of_integer_is_counted(kind):
    rng = np.random.default_rng(0)
    reference, current = rng.integers(0, 9, (70_000, 2)), rng.integers(0, 9, (70_000, 2))  # more than one block
    expected = chi2_test(reference, current).statistic
    np.testing.assert_array_equal(chi2_test(reference.astype(kind), current.astype(kind)).statistic, expected)
    np.testing.assert_allclose(chi2_test(reference.astype(str), current.astype(str)).statistic, expected, rtol=1e-12)


def test_columns_are_tested_one_by_one():
    rng = np.random.default_rng(0)
    reference, current = rng.integers(0, [2, 5, 40], (300, 3)), rng.integers(0, [3, 5, 50], (200, 3))
    together = chi2_test(reference, current)
    for column in range(3):
        alone = chi2_test(reference[:, column], current[:, column])
        np.testing.assert_allclose(together.statistic[column], alone.statistic[0], rtol=1e-12)
        np.testing.assert_allclose(together.pvalue[column], alone.pvalue[0], rtol=1e-12)
        np.testing.assert_allclose(together.effect_size[column], alone.effect_size[0], rtol=1e-12)


@pytest.mark.parametrize("unseen", [3, -1, 7, 10**9])
def test_unseen_categories_count(unseen):
    # 7 lies outside the table of codes that the reference spans, -1 below it, 3 in a gap inside it.
    reference = np.array([0, 1, 2, 4] * 50)
    fitted = FittedCategories().fit(reference)
    result = chi2_test(fitted, np.array([0, 1, 2, 4] * 20 + [unseen] * 20))
    expected, _, _ = slow_statistics(reference.tolist(), [0, 1, 2, 4] * 20 + [unseen] * 20)
    np.testing.assert_allclose(result.statistic, expected, rtol=1e-12)
    assert result.pvalue < 1e-6


def test_a_column_with_only_unseen_categories_has_effect_one():
    result = chi2_test(["a"] * 30 + ["b"] * 10, ["c"] * 25)
    assert result.effect_size == pytest.approx(1.0)
    assert g_test(["a"] * 30 + ["b"] * 10, ["c"] * 25).effect_size == pytest.approx(1.0)


def test_a_constant_column_gives_p_1_never_nan():
    for test in (chi2_test, g_test):
        for left, right in ((["a"] * 5, ["a"] * 9), ([3] * 5, [3] * 9), ([True] * 2, [True])):
            result = test(left, right)
            assert (result.statistic, result.pvalue, result.effect_size) == (0.0, 1.0, 0.0)


def test_a_fitted_reference_gives_the_same_as_the_raw_one():
    rng = np.random.default_rng(3)
    reference, current = rng.choice(["x", "y", "z"], (80, 2)), rng.choice(["x", "y", "w"], (50, 2))
    raw, fitted = chi2_test(reference, current), chi2_test(FittedCategories().fit(reference), current)
    np.testing.assert_array_equal(raw.statistic, fitted.statistic)
    np.testing.assert_array_equal(raw.pvalue, fitted.pvalue)


@pytest.mark.parametrize("test", [chi2_test, g_test])
@pytest.mark.parametrize(("n", "m"), [(300, 300), (2000, 200)])
def test_false_alarms_come_at_their_rate(binomial_limits, test, n, m):
    repetitions = 1000
    rng = np.random.default_rng(n)
    pvalue = test(rng.integers(0, 6, (n, repetitions)), rng.integers(0, 6, (m, repetitions))).pvalue
    low, high = binomial_limits(0.05, repetitions)
    assert low <= (pvalue <= 0.05).mean() <= high


def test_a_tiny_shift_of_a_million_rows_is_significant_but_its_effect_is_small():
    rng = np.random.default_rng(1)
    result = chi2_test(rng.random(1_000_000) < 0.5, rng.random(1_000_000) < 0.506)
    assert result.pvalue < 1e-9
    assert result.effect_size < 0.01


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([0.5, 1.0], "must hold integers, booleans or text, got float64"),
        ([], "got shape"),
        ([["a", None]], r"must hold no missing values \(they have a test of their own\), got 1\."),
        (np.array([["a", math.nan]], object), "must hold no missing values"),
        (np.zeros((2, 2, 2), int), "must have 1 or 2 dimensions"),
        ([[1, 2], [3]], "must be a rectangular array"),
    ],
)
def test_bad_samples_are_refused(bad, message):
    with pytest.raises(ValueError, match=f"current .*{message}"):
        chi2_test([[1, 2]], bad)
    fitted = FittedCategories()
    with pytest.raises(ValueError, match=f"reference .*{message}"):
        fitted.fit(bad)
    with pytest.raises(ValueError, match="reference must be fitted before"):
        chi2_test(fitted, [1, 2])


def test_other_columns_than_the_references_are_refused():
    with pytest.raises(ValueError, match=r"current must have the 1 columns of reference, got 2\."):
        chi2_test([1, 2], [[1, 2]])
