"""The energy test against the double loop of its definition and against scipy's energy distance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import energy_distance

from tinytorch.stats.energy_test import energy_test

ALPHA = 0.05


def slow_energy(reference, current):
    """The definition, pair by pair."""

    def mean_distance(left, right):
        return np.mean([np.sqrt(((u - v) ** 2).sum()) for u in left for v in right])

    apart = 2 * mean_distance(reference, current)
    n, m = len(reference), len(current)
    energy = apart - mean_distance(reference, reference) - mean_distance(current, current)
    return n * m / (n + m) * energy, energy / apart


@pytest.mark.parametrize(("n", "m", "d"), [(1, 1, 2), (7, 4, 2), (25, 25, 3), (25, 24, 12), (30, 30, 12)])
def test_the_statistic_is_the_definition(n, m, d, rng):
    reference, current = rng.normal(size=(n, d)), rng.normal(size=(m, d)) + 0.3
    result = energy_test(reference, current, rng=rng)
    statistic, effect_size = slow_energy(reference, current)
    np.testing.assert_allclose([result.statistic[0], result.effect_size[0]], [statistic, effect_size], atol=1e-12)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    st.lists(st.integers(-5, 5), min_size=1, max_size=30),
    st.lists(st.integers(-5, 5), min_size=1, max_size=30),
    st.sampled_from([1.0, 1e-6, 1e6]),
    st.sampled_from([0.0, 2.0**30]),
)
def test_one_column_agrees_with_scipy(reference, current, scale, offset):
    left, right = np.array(reference) * scale + offset, np.array(current) * scale + offset
    result = energy_test(left, right, rng=np.random.default_rng(0), n_permutations=1)
    factor = len(left) * len(right) / (len(left) + len(right))
    expected = factor * energy_distance(left, right) ** 2
    # scipy integrates the distribution functions of the offset values; its rounding is that of the offset.
    np.testing.assert_allclose(result.statistic[0], expected, atol=1e-12 * factor * scale * 10, rtol=1e-12)


@pytest.mark.parametrize(("n", "m"), [(30, 30), (20, 30)])
def test_trap_constant_columns_give_p_one_and_never_nan(n, m, rng):
    result = energy_test(np.full((n, 3), 0.1), np.full((m, 3), 0.1), rng=rng)
    assert (result.statistic[0], result.pvalue[0], result.effect_size[0]) == (0.0, 1.0, 0.0)


def test_trap_tied_shuffles_count_as_ties(rng):
    assert energy_test(np.eye(60)[:25], np.eye(60)[25:], rng=rng).pvalue[0] == 1.0
    assert energy_test(np.eye(60)[:30], np.eye(60)[30:], rng=rng).pvalue[0] == 1.0


def test_trap_a_permutation_pvalue_is_never_zero(rng):
    result = energy_test(rng.normal(size=(50, 2)), rng.normal(size=(50, 2)) + 100, rng=rng, n_permutations=19)
    assert result.pvalue[0] == 1 / 20


@pytest.mark.parametrize(("n", "m"), [(20, 20), (15, 25)])
def test_false_alarms_stay_at_their_nominal_rate(n, m, rng):
    """300 clean pairs at 0.05: 15 expected; 4 to 28 (binomial, 5e-4 on either side)."""
    alarms = sum(
        energy_test(rng.normal(size=(n, 2)), rng.normal(size=(m, 2)), rng=rng, n_permutations=99).pvalue[0] <= ALPHA
        for _ in range(300)
    )
    assert 4 <= alarms <= 28


def test_a_spread_alone_is_found_and_power_grows_with_it(rng):
    found = []
    for spread in (1.1, 1.5, 2.5):
        results = [
            energy_test(rng.normal(size=(100, 3)), spread * rng.normal(size=(80, 3)), rng=rng, n_permutations=99)
            for _ in range(20)
        ]
        found.append(sum(result.pvalue[0] <= ALPHA for result in results))
    assert found[0] <= found[1] <= found[2] == 20


def test_bad_input_is_named(rng):
    with pytest.raises(ValueError, match="n_permutations must be an integer >= 1, got 0"):
        energy_test([1.0], [2.0], rng=rng, n_permutations=0)
    with pytest.raises(ValueError, match=r"rng must be a numpy\.random\.Generator, got None"):
        energy_test([1.0], [2.0], rng=None)
    with pytest.raises(ValueError, match="current must have the 1 columns of reference, got 2"):
        energy_test([1.0], [[2.0, 3.0]], rng=rng)
