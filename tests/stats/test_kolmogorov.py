from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from tinytorch.stats.kolmogorov import _birnbaum_tingey, _matrix_cdf, kolmogorov_sf, ksone_sf, kstwo_sf


def steck_cdf(n: int, distance: Fraction) -> Fraction:
    """P(D < distance) as Steck's determinant, in whole fractions: another road than Durbin's matrix.

    The ordered uniform values must lie between i/n - d and (i - 1)/n + d; the chance of that is
    n! det[ (upper_i - lower_j)_+ ^ (j-i+1) / (j-i+1)! ].
    """
    lower = [max(Fraction(i, n) - distance, Fraction(0)) for i in range(1, n + 1)]
    upper = [min(Fraction(i - 1, n) + distance, Fraction(1)) for i in range(1, n + 1)]

    def entry(i: int, j: int) -> Fraction:
        power = j - i + 1
        if power < 0:
            return Fraction(0)
        return max(upper[i] - lower[j], Fraction(0)) ** power / math.factorial(power) if power else Fraction(1)

    return math.factorial(n) * determinant([[entry(i, j) for j in range(n)] for i in range(n)])


def determinant(matrix: list[list[Fraction]]) -> Fraction:
    """Gauss, in fractions."""
    rows, result = [list(row) for row in matrix], Fraction(1)
    for k in range(len(rows)):
        pivot = next((row for row in range(k, len(rows)) if rows[row][k]), None)
        if pivot is None:
            return Fraction(0)
        if pivot != k:
            rows[k], rows[pivot], result = rows[pivot], rows[k], -result
        result *= rows[k][k]
        for row in range(k + 1, len(rows)):
            factor = rows[row][k] / rows[k][k]
            rows[row] = [a - factor * b for a, b in zip(rows[row], rows[k], strict=True)]
    return result


CASES = [(1, 700), (2, 400), (3, 300), (5, 333), (10, 274), (12, 150), (16, 200)]


@pytest.mark.parametrize(("n", "thousandths"), CASES)
def test_kolmogorov_values_equal_an_exact_determinant(n, thousandths):
    exact = float(1 - steck_cdf(n, Fraction(thousandths, 1000)))
    np.testing.assert_allclose(kstwo_sf(thousandths / 1000, n), exact, rtol=0, atol=1e-13)


def test_the_limit_equals_scipy():
    z = np.linspace(-1, 6, 1001)
    np.testing.assert_allclose(kolmogorov_sf(z), special.kolmogorov(z), rtol=0, atol=1e-14)


@settings(max_examples=80)
@given(st.sampled_from([1, 2, 3, 7, 20, 99, 140, 141, 200, 999, 5000, 8333, 60_000, 100_000]), st.floats(0.2, 6))
def test_two_sided_tail_equals_scipy(n, z):
    distance = min(z / math.sqrt(n), 1.0)
    expected = stats.kstwo.sf(distance, n)
    np.testing.assert_allclose(kstwo_sf(distance, n), expected, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 5, 140, 141, 1000])
def test_two_sided_tail_equals_scipy_where_its_formulas_meet(n):
    steps = np.array([0.0, 0.4, 0.5, 0.7, 1.0, 1.2, 0.5 * n, n - 1.0, n - 0.3, n, 1.5 * n])
    distances = steps / n
    expected = stats.kstwo.sf(distances, n)
    np.testing.assert_allclose(kstwo_sf(distances, n), expected, rtol=0, atol=1e-12)


@settings(max_examples=60)
@given(st.integers(1, 30_000), st.floats(0.001, 6))
def test_one_sided_tail_equals_scipy(n, z):
    distance = min(z / math.sqrt(n), 1.0)
    np.testing.assert_allclose(ksone_sf(distance, n), special.smirnov(n, distance), rtol=1e-10, atol=1e-300)


@pytest.mark.parametrize(("n", "error"), [(141, 3.2e-6), (500, 2.6e-7)])
def test_the_expansion_is_as_close_to_the_exact_law_as_its_docstring_says(n, error):
    distances = np.linspace(0.5, 2.5, 60) / math.sqrt(n)
    exact = [1.0 - _matrix_cdf(distance, n) for distance in distances.tolist()]
    np.testing.assert_allclose(kstwo_sf(distances, n), exact, rtol=0, atol=error)


@pytest.mark.parametrize("n", [40, 140])
def test_twice_the_one_sided_tail_is_the_two_sided_one_far_out(n):
    distances = np.linspace(2.0, 2.6, 20) / math.sqrt(n)
    exact = [1.0 - _matrix_cdf(distance, n) for distance in distances.tolist()]
    np.testing.assert_allclose(2.0 * ksone_sf(distances, n), exact, rtol=0, atol=1e-9)


@pytest.mark.parametrize("n", [4097, 20_000, 200_000])
def test_the_sum_on_a_grid_equals_the_sum_over_all_terms(n):
    distances = np.sqrt(np.array([1.0, 2.2, 10.0, 100.0]) / n)
    np.testing.assert_allclose(_birnbaum_tingey(distances, n, n // 512), _birnbaum_tingey(distances, n, 1), rtol=1e-12)


@pytest.mark.parametrize("tail", [ksone_sf, kstwo_sf])
def test_a_sample_without_values_is_refused(tail):
    with pytest.raises(ValueError, match=r"n must be an integer >= 1, got 0\."):
        tail(0.5, 0)
