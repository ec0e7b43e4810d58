from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tinytorch.stats import FittedReference, adjust_pvalues, ks_2samp
from tinytorch.stats.ks_grid import lattice_excess, rank_grid


def slow_gaps(reference: np.ndarray, current: np.ndarray) -> tuple[int, int]:
    """Largest n m (F_reference - F_current) and the other way round, over every value there is."""
    n, m = len(reference), len(current)
    lead = [int((reference <= x).sum()) * m - int((current <= x).sum()) * n for x in [*reference, *current]]
    return max(0, *lead), max(0, *(-gap for gap in lead))


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 60), st.integers(1, 60))
def test_the_distance_equals_the_largest_gap_of_the_distribution_functions(hard_pair, seed, n, m):
    reference, current = hard_pair(seed, n, m)
    both = [slow_gaps(left, right) for left, right in zip(reference.T, current.T, strict=True)]
    wanted = {
        "greater": np.array([gap[0] for gap in both]) / (n * m),
        "less": np.array([gap[1] for gap in both]) / (n * m),
        "two-sided": np.array([max(gap) for gap in both]) / (n * m),
    }
    for alternative, expected in wanted.items():
        for sample in (reference, FittedReference().fit(reference)):
            result = ks_2samp(sample, current, alternative=alternative)
            np.testing.assert_array_equal(result.statistic, expected)
            np.testing.assert_array_equal(result.effect_size, expected)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 500), st.integers(1, 500), st.sampled_from(["auto", "asymp"]))
def test_statistic_and_pvalue_equal_scipy(hard_pair, seed, n, m, method):
    reference, current = hard_pair(seed, n, m)
    result = ks_2samp(reference, current, method=method)
    for column in range(reference.shape[1]):
        if n == m == 1 and method == "asymp":
            assert result.pvalue[column] == 1.0  # scipy: NaN
            continue
        expected = stats.ks_2samp(reference[:, column], current[:, column], method=method)
        np.testing.assert_allclose(result.statistic[column], expected.statistic, rtol=0, atol=1e-12)
        np.testing.assert_allclose(result.pvalue[column], expected.pvalue, rtol=1e-8, atol=1e-12)


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.integers(1, 300), st.integers(2, 300), st.sampled_from(["less", "greater"]))
def test_one_sided_approximation_equals_scipy(hard_pair, seed, n, m, alternative):
    reference, current = hard_pair(seed, n, m)
    result = ks_2samp(reference, current, alternative=alternative, method="asymp")
    for column in range(reference.shape[1]):
        expected = stats.ks_2samp(reference[:, column], current[:, column], alternative=alternative, method="asymp")
        np.testing.assert_allclose(result.statistic[column], expected.statistic, rtol=0, atol=1e-12)
        np.testing.assert_allclose(result.pvalue[column], expected.pvalue, rtol=1e-10, atol=1e-300)


@pytest.mark.parametrize(("n", "m"), [(20_000, 3_000), (11_000, 10), (700, 15_000), (10_000, 10_000)])
def test_large_samples_equal_scipy(hard_pair, n, m):
    reference, current = hard_pair(n + m, n, m)
    result = ks_2samp(FittedReference().fit(reference), current)
    for column in range(reference.shape[1]):
        expected = stats.ks_2samp(reference[:, column], current[:, column])
        np.testing.assert_allclose(result.statistic[column], expected.statistic, rtol=0, atol=1e-12)
        np.testing.assert_allclose(result.pvalue[column], expected.pvalue, rtol=1e-8, atol=1e-12)


@settings(max_examples=40)
@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=1500),
    st.lists(st.integers(-2, 32), min_size=1, max_size=1500),
    st.sampled_from(["two-sided", "less", "greater"]),
)
def test_the_grid_finds_the_distance_on_any_ties(left, right, alternative):
    reference, current = np.sort(np.array([left], dtype=float)), np.sort(np.array([right], dtype=float))
    greater, less = slow_gaps(reference[0], current[0])
    expected = {"greater": greater, "less": less}.get(alternative, max(greater, less))
    assert lattice_excess(reference, rank_grid(reference), current, alternative).tolist() == [expected]


def test_ties_need_ranks_on_both_sides():
    # Half of each sample lies on one value: taking ranks on one side only would call these samples apart.
    reference, current = np.array([0.0, 1.0, 1.0, 2.0]), np.array([0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0])
    assert ks_2samp(reference, current).statistic == 0.0
    assert ks_2samp(reference, current).pvalue == 1.0


def test_a_constant_column_gives_p_1_never_nan():
    result = ks_2samp(np.full(50, 2.5), np.full(30, 2.5))
    assert (result.statistic, result.pvalue, result.effect_size) == (0.0, 1.0, 0.0)
    assert ks_2samp(np.full(50, 2.5), np.full(30, 2.6)).statistic == 1.0


def test_ks_is_conservative_on_discrete_data(binomial_limits):
    # On two equally likely values the gap has one chance to be large instead of a hundred.
    repetitions = 2000
    rng = np.random.default_rng(5)
    reference, current = rng.integers(0, 2, (500, repetitions)), rng.integers(0, 2, (500, repetitions))
    rate = (ks_2samp(reference, current).pvalue <= 0.05).mean()
    assert rate <= binomial_limits(0.015, repetitions)[1]


@pytest.mark.parametrize(("n", "m"), [(50, 50), (400, 100), (12_000, 300)])
def test_false_alarms_on_continuous_data_come_at_their_rate(binomial_limits, n, m):
    # The exact law is discrete, so the rate lies at the largest reachable level up to 0.05; the limits are one in a
    # million for the rates 0.03 (the coarsest lattice here) and 0.05.
    repetitions = 600
    rng = np.random.default_rng(n)
    pvalue = np.concatenate(
        [
            ks_2samp(rng.normal(size=(n, 100)), rng.normal(size=(m, 100))).pvalue
            for _ in range(repetitions // 100)
        ]
    )
    rate = (pvalue <= 0.05).mean()
    assert binomial_limits(0.03, repetitions)[0] <= rate <= binomial_limits(0.05, repetitions)[1]


def test_power_grows_with_the_shift_and_with_the_sample():
    rng = np.random.default_rng(8)

    def power(n: int, shift: float) -> float:
        return float((ks_2samp(rng.normal(size=(n, 200)), rng.normal(shift, size=(n, 200))).pvalue <= 0.05).mean())

    assert power(50, 0.0) < 0.15 < power(50, 0.6) < power(200, 0.6)
    assert power(200, 0.6) > 0.95


def test_a_hundred_null_features_flag_some_without_correction_and_none_with():
    rng = np.random.default_rng(11)
    raw = adjusted = 0
    for _ in range(10):
        pvalue = ks_2samp(rng.normal(size=(300, 100)), rng.normal(size=(200, 100))).pvalue
        raw += int((pvalue <= 0.05).sum())
        adjusted += int((adjust_pvalues(pvalue, "benjamini-hochberg") <= 0.05).sum())
    assert 20 <= raw <= 85  # 1,000 at slightly under 0.05
    assert adjusted <= 4  # ten families, each with a false alarm at most one time in twenty


def test_a_tiny_shift_of_a_million_rows_is_significant_but_its_effect_is_small():
    rng = np.random.default_rng(3)
    result = ks_2samp(rng.normal(size=1_000_000), rng.normal(0.02, size=1_000_000))
    assert result.pvalue < 1e-15
    assert result.effect_size < 0.012


@pytest.mark.parametrize("bad", [[1.0, np.nan], [1.0, np.inf], [[1.0, 2.0]], [], [[1.0], [1.0, 2.0]]])
def test_bad_samples_are_refused(bad):
    with pytest.raises(ValueError, match="must"):
        ks_2samp([1.0, 2.0], bad)
    with pytest.raises(ValueError, match="must"):
        ks_2samp(FittedReference().fit([1.0, 2.0]), bad)


def test_unknown_switches_are_refused():
    with pytest.raises(ValueError, match="alternative must be one of"):
        ks_2samp([1.0], [2.0], alternative="both")
    with pytest.raises(ValueError, match="method must be one of"):
        ks_2samp([1.0], [2.0], method="fast")


def test_exact_can_be_asked_for_beyond_the_automatic_limit():
    rng = np.random.default_rng(1)
    reference, current = rng.normal(size=10_500), rng.normal(size=40)
    expected = stats.ks_2samp(reference, current, method="exact").pvalue
    np.testing.assert_allclose(ks_2samp(reference, current, method="exact").pvalue, expected, rtol=1e-9)


TWOS = np.repeat([2.0, 3.0, 5.0, 6.0], [3, 4, 5, 4])
FIVES = np.repeat([2.0, 3.0, 5.0, 6.0], [3, 4, 10, 4])
SEVENS = np.repeat([3.0, 4.0, 6.0, 7.0], [10, 2, 10, 4])
HUNDRED = np.linspace(1, 100, 100)
LATER = np.linspace(1, 100, 110) + 20.1


# The cases of scipy's own tests of exact p-values (scipy 1.17.1, scipy/stats/tests/test_stats.py, TestKSTwoSamples:
# testTwoVsThree, testTwoVsFour, test100_100, test100_110, testRepeatedValues, testEqualSizes).
@pytest.mark.parametrize(
    ("reference", "current", "alternative", "statistic", "pvalue"),
    [
        ([1.01, 2.01], [1.0, 2.0, 3.0], "two-sided", 1 / 3, 1.0),
        ([1.01, 2.01], [1.0, 2.0, 3.0], "less", 1 / 3, 0.7),
        ([0.99, 1.99], [1.0, 2.0, 3.0], "two-sided", 2 / 3, 0.6),
        ([0.99, 1.99], [1.0, 2.0, 3.0], "greater", 2 / 3, 0.3),
        ([1.01, 2.01], [1.0, 2.0, 3.0, 4.0], "two-sided", 2 / 4, 14 / 15),
        ([1.01, 2.01], [1.0, 2.0, 3.0, 4.0], "greater", 2 / 4, 8 / 15),
        ([1.01, 2.01], [1.0, 2.0, 3.0, 4.0], "less", 1 / 4, 12 / 15),
        ([0.99, 1.99], [1.0, 2.0, 3.0, 4.0], "two-sided", 3 / 4, 6 / 15),
        (HUNDRED, HUNDRED + 2.1, "two-sided", 3 / 100, 0.9999999999962055),
        (HUNDRED, HUNDRED + 2.1, "greater", 3 / 100, 0.9143290114276248),
        (HUNDRED, LATER, "two-sided", 232 / 1100, 0.015739183865607353),
        (HUNDRED, LATER, "greater", 232 / 1100, 0.007869594319053203),
        (TWOS, TWOS + 1, "two-sided", 5 / 16, 0.4262934613454952),
        (TWOS, TWOS + 1, "greater", 5 / 16, 0.21465428276573786),
        (FIVES, SEVENS, "two-sided", 190 / 21 / 26, 0.0919245790168125),
        (FIVES, SEVENS, "greater", 190 / 21 / 26, 0.0459633806858544),
        (FIVES, SEVENS, "less", 70 / 21 / 26, 0.6121593130022775),
        ([1.0, 2.0, 3.0], [2.0, 3.0, 4.0], "greater", 1 / 3, 0.75),
    ],
)
def test_exact_cases_of_scipys_own_tests(reference, current, alternative, statistic, pvalue):
    result = ks_2samp(reference, current, alternative=alternative)
    np.testing.assert_allclose(result.statistic, statistic, rtol=0, atol=1e-15)
    np.testing.assert_allclose(result.pvalue, pvalue, rtol=1e-12)
