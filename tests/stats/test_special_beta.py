from __future__ import annotations

import math

import numpy as np
import pytest
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from tinytorch.stats.special_beta import (
    beta_quantile,
    binomial_cdf,
    binomial_pmf,
    f_sf,
    incomplete_beta,
    student_t_sf,
)

QUANTILE_SHAPES = st.floats(-1, 9).map(lambda power: 10.0**power)
SHAPES = st.floats(-3, 9).map(lambda power: 10.0**power)

# What the oracle is good for: scipy 1.15, the newest for Python 3.10, is itself off by 1.2e-10 at shapes 1e6 and 1e7.
SCIPY_VERSION = tuple(int(part) for part in scipy.__version__.split(".")[:2])
ORACLE_ERROR = 2e-11 if SCIPY_VERSION >= (1, 17) else 1e-9


@settings(deadline=None, derandomize=True, max_examples=300)
@given(SHAPES, SHAPES, st.floats(-8, 8))
def test_incomplete_beta_equals_scipy_relatively_in_both_tails(a, b, deviations):
    mean, deviation = a / (a + b), math.sqrt(a * b / (a + b + 1)) / (a + b)
    x = min(max(mean + deviations * deviation, 1e-300), 1.0)
    np.testing.assert_allclose(incomplete_beta(a, b, x), special.betainc(a, b, x), rtol=ORACLE_ERROR, atol=1e-300)


def test_incomplete_beta_with_whole_shapes_is_a_finite_sum():
    for a, b, x in ((3, 4, 0.3), (1, 10, 0.05), (10, 1, 0.9)):
        slow = sum(math.comb(a + b - 1, j) * x**j * (1 - x) ** (a + b - 1 - j) for j in range(a, a + b))
        assert math.isclose(float(incomplete_beta(a, b, x)), slow, rel_tol=1e-13)


def test_incomplete_beta_reaches_its_ends_and_keeps_shapes():
    np.testing.assert_array_equal(incomplete_beta(2.0, 3.0, [0.0, 1.0]), [0.0, 1.0])
    assert incomplete_beta(2.0, 3.0, 0.5).shape == ()
    assert incomplete_beta(2.0, np.ones((3, 1)), np.full(2, 0.5)).shape == (3, 2)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(st.floats(-3, 8).map(lambda power: 10.0**power), st.floats(-40, 40))
def test_student_t_tail_equals_scipy(dof, statistic):
    np.testing.assert_allclose(student_t_sf(statistic, dof), stats.t.sf(statistic, dof), rtol=1e-10, atol=1e-300)


def test_student_t_near_zero_equals_the_closed_form_of_the_cauchy_law():
    for t in (1e-8, 1e-3, 1.0, 1e4):
        assert math.isclose(float(student_t_sf(t, 1)), math.atan2(1, t) / math.pi, rel_tol=1e-13)
    assert student_t_sf(np.inf, 3) == 0 and student_t_sf(-np.inf, 3) == 1


@settings(deadline=None, derandomize=True, max_examples=100)
@given(st.integers(1, 10**6), st.integers(1, 10**6), st.floats(0, 50))
def test_f_tail_equals_scipy(above, below, statistic):
    expected = stats.f.sf(statistic, above, below)
    np.testing.assert_allclose(f_sf(statistic, above, below), expected, rtol=1e-9, atol=1e-100)


def test_far_tails_equal_sixty_digit_arithmetic_where_scipy_does_not():
    # mpmath.betainc at 60 digits; scipy 1.17 gives 4.706166e-279 and, for t, 0.49999999525681310
    np.testing.assert_allclose(f_sf(50.0, 30, 12016), 4.70632244372989984502e-279, rtol=1e-11)
    np.testing.assert_allclose(student_t_sf(1e-8, 1), 0.49999999681690114, rtol=1e-15)


def test_f_tail_at_infinity_is_zero():
    assert f_sf(np.inf, 1, 20) == 0


@settings(deadline=None, derandomize=True, max_examples=100)
@given(st.integers(0, 10**6).flatmap(lambda n: st.tuples(st.integers(-1, n + 1), st.just(n))), st.floats(0.001, 0.999))
def test_binomial_law_equals_scipy(counts, share):
    k, n = counts
    np.testing.assert_allclose(binomial_cdf(k, n, share), stats.binom.cdf(k, n, share), rtol=1e-10, atol=1e-290)
    np.testing.assert_allclose(binomial_pmf(k, n, share), stats.binom.pmf(k, n, share), rtol=1e-10, atol=1e-290)


def test_binomial_pmf_equals_the_formula_and_sums_to_one():
    pmf = binomial_pmf(np.arange(31), 30, 0.2)
    np.testing.assert_allclose(pmf, [math.comb(30, k) * 0.2**k * 0.8 ** (30 - k) for k in range(31)], rtol=1e-13)
    assert math.isclose(pmf.sum(), 1.0, rel_tol=1e-13)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(QUANTILE_SHAPES, QUANTILE_SHAPES, st.sampled_from([0.001, 0.025, 0.5, 0.975]))
def test_a_beta_quantile_has_its_probability_below(a, b, probability):
    point = beta_quantile(probability, a, b)
    np.testing.assert_allclose(point, stats.beta.ppf(probability, a, b), rtol=1e-8, atol=1e-15)


def test_shapes_points_and_probabilities_out_of_range_are_refused():
    with pytest.raises(ValueError, match="shapes must be > 0"):
        incomplete_beta(0.0, 1.0, 0.5)
    with pytest.raises(ValueError, match=r"x must be in \[0, 1\]"):
        incomplete_beta(1.0, 1.0, 1.5)
    with pytest.raises(ValueError, match="probability must be in"):
        beta_quantile(1.0, 1.0, 1.0)
