from __future__ import annotations

import math

import numpy as np
from scipy import integrate, stats
from scipy.special import binom

from tinytorch.stats._squared_normals import anderson_darling_sf, cramer_von_mises_sf


def slow_anderson_darling_cdf(z: float) -> float:
    """The theta series of Anderson and Darling (1952)."""
    total = 0.0
    for j in range(8):
        rate = (4 * j + 1) ** 2 * math.pi**2 / (8 * z)

        def integrand(w: float, rate: float = rate) -> float:
            return math.exp(z / (8 * (w * w + 1)) - rate * (w * w + 1))

        total += binom(-0.5, j) * (4 * j + 1) * integrate.quad(integrand, 0, 12, epsabs=1e-14)[0]
    return math.sqrt(2 * math.pi) / z * total


def test_cramer_von_mises_tail_equals_that_of_scipy():
    # the one-sample test's limit law is the same: with n = 10^9 rows its correction by 1/(12 n) is 1e-10
    from scipy.stats._hypotests import _cdf_cvm_inf

    z = np.geomspace(0.004, 3, 60)
    np.testing.assert_allclose(cramer_von_mises_sf(z), 1 - _cdf_cvm_inf(z), rtol=0, atol=1e-10)


def test_anderson_darling_tail_equals_the_theta_series():
    z = np.geomspace(0.06, 6, 25)
    np.testing.assert_allclose(
        anderson_darling_sf(z), [1 - slow_anderson_darling_cdf(x) for x in z], rtol=0, atol=1e-10
    )


def test_tails_equal_seeded_sums_of_squared_normals(binomial_limits):
    rng = np.random.default_rng(0)
    order = np.arange(1, 401)
    squares = rng.chisquare(1, size=(20_000, 400))
    for poles, tail, rest in (
        ((order * np.pi) ** 2, cramer_von_mises_sf, 1 / (np.pi**2 * 400.5)),  # the mean of the terms left out
        (order * (order + 1.0), anderson_darling_sf, 1 / 401),
    ):
        sums = squares @ (1 / poles) + rest
        for z in np.quantile(sums, [0.1, 0.5, 0.9, 0.99]):
            low, high = binomial_limits(float(tail(np.array([z]))[0]), 20_000)
            assert low <= (sums > z).mean() <= high


def test_far_tails_keep_their_digits_and_both_ends_are_reached():
    # far out only the first square matters: P -> sqrt(product of 1 / (1 - mu_1 / mu_j)) P(Z^2 > mu_1 z)
    z = np.array([200.0])
    first = stats.norm.sf(np.sqrt(2 * z)) * 2 * math.sqrt(3)
    np.testing.assert_allclose(anderson_darling_sf(z), first, rtol=0.01)
    for tail in (anderson_darling_sf, cramer_von_mises_sf):
        np.testing.assert_array_equal(tail(np.array([-1.0, 0.0, 1e6])), [1, 1, 0])
        values = tail(np.linspace(0.001, 20, 500))
        assert (np.diff(values) <= 1e-13).all()
