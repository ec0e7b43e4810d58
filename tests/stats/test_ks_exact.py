from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tinytorch.stats.ks_exact import exact_pvalue


def excesses_of_all_interleavings(n: int, m: int, alternative: str) -> list[int]:
    """n m D of every way to interleave n and m different values: the null law, by brute force."""
    found = []
    for right in combinations(range(n + m), n):
        chosen, i, lead = set(right), 0, [0]
        for step in range(n + m):
            i += step in chosen
            lead.append(i * m - (step + 1 - i) * n)
        found.append({"greater": max(lead), "less": -min(lead)}.get(alternative, max(max(lead), -min(lead))))
    return found


@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 4), (3, 2), (4, 4), (5, 3), (6, 4), (7, 5), (4, 8)])
@pytest.mark.parametrize("alternative", ["two-sided", "less", "greater"])
def test_the_law_is_the_share_of_interleavings(n, m, alternative):
    law = excesses_of_all_interleavings(n, m, alternative)
    distances = np.unique(law)
    expected = [float(Fraction(sum(other >= distance for other in law), len(law))) for distance in distances]
    np.testing.assert_allclose(exact_pvalue(distances, n, m, alternative), expected, rtol=1e-13)


@settings(max_examples=40)
@given(st.integers(1, 400), st.integers(1, 400), st.floats(0, 2), st.integers(0, 10**6))
def test_two_sided_law_equals_scipy(n, m, shift, seed):
    rng = np.random.default_rng(seed)
    expected = stats.ks_2samp(rng.normal(size=n), rng.normal(shift, size=m), method="exact")
    excess = np.array([round(expected.statistic * n * m)])
    np.testing.assert_allclose(exact_pvalue(excess, n, m, "two-sided"), expected.pvalue, rtol=1e-9, atol=1e-200)


@pytest.mark.parametrize(("n", "m"), [(30, 20), (60, 41), (80, 80)])
def test_one_sided_law_equals_scipy(n, m):
    rng = np.random.default_rng(n)
    for shift in (0.0, 0.3, 1.0):
        left, right = rng.normal(size=n), rng.normal(shift, size=m)
        for alternative in ("less", "greater"):
            expected = stats.ks_2samp(left, right, alternative=alternative, method="exact")
            excess = np.array([round(expected.statistic * n * m)])
            np.testing.assert_allclose(exact_pvalue(excess, n, m, alternative), expected.pvalue, rtol=1e-9)


def test_many_distances_at_once_equal_one_at_a_time():
    excess = np.array([5, 40, 40, 0, 300, 77, 600])
    together = exact_pvalue(excess, 20, 31, "two-sided")
    alone = [exact_pvalue(np.array([value]), 20, 31, "two-sided")[0] for value in excess]
    np.testing.assert_allclose(together, alone, rtol=1e-12)
    assert together[3] == 1.0


def test_tiny_pvalues_keep_their_digits():
    # Only the two interleavings that keep the samples apart reach D = 1: 2 / C(n + m, n).
    pvalue = exact_pvalue(np.array([60 * 45]), 60, 45, "two-sided")
    np.testing.assert_allclose(pvalue, 2.0 / math.comb(105, 60), rtol=1e-10)
