from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from tinytorch.stats.special import (
    chi2_isf,
    chi2_sf,
    gamma_sf,
    normal_cdf,
    normal_isf,
    normal_sf,
    stirling_error,
)


def slow_chi2_sf(x: float, dof: int) -> float:
    """Q(k/2, x/2) as the finite sum for whole k, from erfc or 0 upwards in steps of two degrees."""
    half = x / 2
    start, tail = (0.5, math.erfc(math.sqrt(half))) if dof % 2 else (0.0, 0.0)
    for step in range(dof // 2):
        power = start + step
        tail += math.exp(-half + power * math.log(half) - math.lgamma(power + 1))
    return tail


def test_normal_tails_equal_scipy_far_out():
    z = np.linspace(-37, 37, 2001)  # beyond, the tail is below the smallest normal number
    np.testing.assert_allclose(normal_sf(z), stats.norm.sf(z), rtol=1e-11, atol=0)
    np.testing.assert_allclose(normal_cdf(z), stats.norm.cdf(z), rtol=1e-11, atol=0)


def test_normal_quantile_inverts_the_tail():
    shares = np.concatenate([10.0 ** -np.arange(1, 300, 7), np.linspace(0.01, 0.99, 99)])
    np.testing.assert_allclose(normal_isf(shares), stats.norm.isf(shares), rtol=1e-13, atol=1e-15)
    assert normal_isf([0.0, 1.0]).tolist() == [math.inf, -math.inf]


@pytest.mark.parametrize("share", [-0.1, 1.5, math.nan])
def test_quantiles_refuse_what_is_no_probability(share):
    with pytest.raises(ValueError, match=r"probability must be in \[0, 1\], got"):
        normal_isf(share)
    with pytest.raises(ValueError, match=r"probability must be in \[0, 1\], got"):
        chi2_isf(share, 3)


@settings(max_examples=150)
@given(st.integers(1, 2000), st.floats(1e-6, 6000))
def test_chi2_tail_equals_scipy(dof, x):
    np.testing.assert_allclose(chi2_sf(x, dof), stats.chi2.sf(x, dof), rtol=1e-10, atol=1e-300)


@settings(max_examples=60)
@given(st.integers(1, 60), st.floats(0.01, 200))
def test_chi2_tail_equals_the_finite_sum(dof, x):
    np.testing.assert_allclose(chi2_sf(x, dof), slow_chi2_sf(x, dof), rtol=1e-11)


def test_chi2_tail_at_its_ends():
    assert chi2_sf([0.0, -1.0, math.inf], 3).tolist() == [1.0, 1.0, 0.0]
    assert chi2_sf([0.0, 1.0], 0).tolist() == [1.0, 0.0]
    assert np.isnan(chi2_sf(math.nan, 2))


def test_chi2_quantile_equals_scipy():
    dof = np.array([1, 2, 9, 99, 1000])
    for share in (1e-12, 0.01, 0.05, 0.5, 0.999):
        np.testing.assert_allclose(chi2_isf(share, dof), stats.chi2.isf(share, dof), rtol=1e-11)
    assert chi2_isf([0.0, 1.0, 0.5], [3, 3, 0]).tolist() == [math.inf, 0.0, 0.0]


@settings(max_examples=100)
@given(st.floats(0.05, 5000), st.floats(1e-3, 8000))
def test_gamma_tail_equals_scipy(shape, x):
    np.testing.assert_allclose(gamma_sf(shape, x), special.gammaincc(shape, x), rtol=1e-9, atol=1e-14)


def test_gamma_tail_refuses_a_negative_shape():
    with pytest.raises(ValueError, match=r"shape must be >= 0, got -1\.0\."):
        gamma_sf([2.0, -1.0], 1.0)


def test_stirling_error_is_what_is_left_of_the_factorial():
    for value in (1, 5, 15, 16, 17, 100):
        exact = Fraction(math.factorial(value))
        stirling = math.sqrt(2 * math.pi * value) * (value / math.e) ** value
        np.testing.assert_allclose(stirling_error(float(value)), math.log(float(exact) / stirling), rtol=0, atol=1e-13)
