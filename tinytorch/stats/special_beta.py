"""Tail probabilities that rest on the incomplete beta function: Student's t, F, binomial. Numpy only.

    I_x(a, b) = integral of t^(a-1) (1-t)^(b-1) from 0 to x / B(a, b)
    t:        P(T > t) = I_{df / (df + t^2)}(df/2, 1/2) / 2                for t >= 0
    F:        P(F > f) = I_{d2 / (d2 + d1 f)}(d2/2, d1/2)
    binomial: P(X <= k) = I_{1-p}(n-k, k+1)
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from tinytorch.stats.special import away_from_zero, stirling_error

# Lentz's fraction has settled when a step changes it by no more than a few units in the last place.
SETTLED = 4.0 * np.finfo(np.float64).eps
# The fraction takes about sqrt(a + b) steps; above this sum (where it also loses digits) quadrature is cheaper.
LARGE_SUM = 400.0
# Below this first shape the integrand has a long flat tail that 64 nodes do not follow, but the fraction is short.
SMALL_SHAPE = 10.0
# Many times what the fraction needs below those two bounds: a guard against an endless loop.
FRACTION_STEPS = 2_000
# The quadrature leaves out what is below e^-40 of the integrand's largest value, less than float64 resolves.
LOG_NEGLIGIBLE = 40.0
# Newton steps to find where that is, from a start that its monotone convergence needs no more of.
RANGE_STEPS = 12
# Gauss-Legendre nodes and weights on (0, 1): 64 integrate these smooth, log-concave tails to 1e-14.
_NODES, _WEIGHTS = (0.5 * part for part in np.polynomial.legendre.leggauss(64))
_NODES = _NODES + 0.5
# Safeguarded Newton steps for a beta quantile: 8 are typical, 100 leave room for pure halving of the bracket.
QUANTILE_STEPS = 100
# The smallest normal float64: what replaces a divisor that has underflowed.
SMALLEST = float(np.finfo(np.float64).smallest_normal) * 2.0**8  # 80 / SMALLEST must not overflow either
# Where the density is as good as zero a Newton step means nothing; the bracket is halved instead.
FLAT = 1e-290
# exp(-745) is the smallest positive float64: no quantile lies below it on the logit scale.
LOGIT_BOUND = 745.0


def incomplete_beta(a: ArrayLike, b: ArrayLike, x: ArrayLike, complement: ArrayLike | None = None) -> np.ndarray:
    """Return I_x(a, b), the probability that a beta(a, b) value is at most `x`, element by element.

    Parameters
    ----------
    a, b : array_like
        Shapes, > 0.
    x : array_like
        Points in [0, 1].
    complement : array_like, optional
        1 - x, where the caller knows it with more digits than the subtraction leaves.

    Raises
    ------
    ValueError
        If a shape is not > 0 or a point is outside [0, 1].

    References
    ----------
    Press, Teukolsky, Vetterling and Flannery, Numerical Recipes, 3rd ed. (2007), section 6.4 (the fraction);
    C. Loader, Fast and Accurate Computation of Binomial Probabilities (2000) (the factor before it).

    Examples
    --------
    >>> incomplete_beta(2.0, [1.0, 2.0], 0.5).round(6)
    array([0.25, 0.5 ])
    """
    points = np.asarray(x, dtype=np.float64)
    rest = 1.0 - points if complement is None else np.asarray(complement, dtype=np.float64)
    shapes = np.broadcast_arrays(np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64), points, rest)
    first, second, low, high = (np.atleast_1d(part).astype(np.float64) for part in shapes)
    if not ((first > 0) & (second > 0)).all():
        raise ValueError(f"shapes must be > 0, got {float(min(first.min(), second.min()))!r}.")
    if not ((low >= 0) & (low <= 1)).all():
        raise ValueError("x must be in [0, 1].")
    swap = low > (first + 1) / (first + second + 2)  # the fraction converges fast on the other side
    first, second = np.where(swap, second, first), np.where(swap, first, second)
    low, high = np.where(swap, high, low), np.where(swap, low, high)
    tail = np.zeros_like(low)
    inside = (low > 0) & (high > 0)
    tail[inside] = _lower_tail(first[inside], second[inside], low[inside], high[inside])
    return np.clip(np.where(swap, 1 - tail, tail), 0.0, 1.0).reshape(shapes[0].shape)


def beta_quantile(probability: float, a: ArrayLike, b: ArrayLike) -> np.ndarray:
    """Return the points below which beta(a, b) values lie with the given probability.

    Newton's method on the logit scale, where the tail is smooth at both ends; a step that would leave the bracket
    is replaced by halving it.

    Raises
    ------
    ValueError
        If `probability` is not in (0, 1) or a shape is not > 0.

    Examples
    --------
    >>> beta_quantile(0.5, [1.0, 2.0], [1.0, 2.0]).round(6)
    array([0.5, 0.5])
    """
    if not 0.0 < probability < 1.0:
        raise ValueError(f"probability must be in (0, 1), got {probability!r}.")
    shapes = np.broadcast_arrays(np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64))
    first, second = (np.atleast_1d(part) for part in shapes)
    low, high = np.full(first.shape, -LOGIT_BOUND), np.full(first.shape, LOGIT_BOUND)
    logit = np.log(first / second)  # the mean
    for _ in range(QUANTILE_STEPS):
        point, rest = _expit(logit), _expit(-logit)
        excess = incomplete_beta(first, second, point, rest) - probability
        low, high = np.where(excess < 0, logit, low), np.where(excess > 0, logit, high)
        slope = _binomial_term(first, second, point, rest) * first * second / (first + second)
        step = np.divide(excess, slope, out=np.full(first.shape, np.inf), where=slope > FLAT)
        newton = logit - step
        following = np.where((newton > low) & (newton < high), newton, 0.5 * (low + high))
        following = np.where(excess == 0, logit, following)
        settled = np.abs(following - logit) <= SETTLED * np.maximum(1.0, np.abs(logit))
        logit = following
        if settled.all():
            break
    return _expit(logit).reshape(shapes[0].shape)


def student_t_sf(statistic: ArrayLike, dof: ArrayLike) -> np.ndarray:
    """Return the probability that a Student t value with `dof` degrees of freedom exceeds `statistic`.

    Examples
    --------
    >>> student_t_sf([0.0, 2.0, -2.0], 10).round(6)
    array([0.5     , 0.036694, 0.963306])
    """
    values, degrees = np.broadcast_arrays(np.asarray(statistic, dtype=np.float64), np.asarray(dof, dtype=np.float64))
    with np.errstate(over="ignore"):
        ratio = values**2 / degrees
    tail = 0.5 * incomplete_beta(degrees / 2, 0.5, 1 / (1 + ratio), _odds_to_share(ratio))
    return np.where(values >= 0, tail, 1 - tail)


def f_sf(statistic: ArrayLike, dof_numerator: ArrayLike, dof_denominator: ArrayLike) -> np.ndarray:
    """Return the probability that an F value with the given degrees of freedom exceeds `statistic` (>= 0).

    Examples
    --------
    >>> f_sf([0.0, 4.964603], 1, 10).round(6)
    array([1.  , 0.05])
    """
    above, below = np.asarray(dof_numerator, dtype=np.float64), np.asarray(dof_denominator, dtype=np.float64)
    ratio = np.asarray(statistic, dtype=np.float64) * (above / below)
    return incomplete_beta(below / 2, above / 2, 1 / (1 + ratio), _odds_to_share(ratio))


def binomial_pmf(successes: ArrayLike, n: ArrayLike, probability: ArrayLike) -> np.ndarray:
    """Return the probability of exactly `successes` in `n` independent trials, each with `probability` in (0, 1).

    Examples
    --------
    >>> binomial_pmf([0, 1, 2], 2, 0.5)
    array([0.25, 0.5 , 0.25])
    """
    counts, trials, shares = np.broadcast_arrays(
        np.asarray(successes, dtype=np.float64), np.asarray(n, dtype=np.float64), np.asarray(probability, np.float64)
    )
    failures = trials - counts
    inner = (counts > 0) & (failures > 0)
    edge = np.where(counts == 0, trials * np.log1p(-shares), trials * np.log(shares))
    term = _binomial_term(np.where(inner, counts, 1.0), np.where(inner, failures, 1.0), shares, 1 - shares)
    return np.where(inner, term, np.where((counts < 0) | (failures < 0), 0.0, np.exp(np.minimum(edge, 0.0))))


def binomial_cdf(successes: ArrayLike, n: ArrayLike, probability: ArrayLike) -> np.ndarray:
    """Return the probability of at most `successes` in `n` independent trials, each with `probability`.

    Examples
    --------
    >>> binomial_cdf([0, 1, 2], 2, 0.5)
    array([0.25, 0.75, 1.  ])
    """
    counts, trials, shares = np.broadcast_arrays(
        np.asarray(successes, dtype=np.float64), np.asarray(n, dtype=np.float64), np.asarray(probability, np.float64)
    )
    inner = (counts >= 0) & (counts < trials)
    beta = incomplete_beta(np.where(inner, trials - counts, 1.0), np.where(inner, counts + 1, 1.0), 1 - shares, shares)
    return np.where(inner, beta, np.where(counts < 0, 0.0, 1.0))


def _lower_tail(a: np.ndarray, b: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return I_x(a, b) for x below the mean: x^a y^b / B(a, b) times a continued fraction or an integral."""
    by_fraction = (a + b <= LARGE_SUM) | (a < SMALL_SHAPE)
    factor = np.empty_like(x)
    for method, chosen in ((_fraction, by_fraction), (_tail_integral, ~by_fraction)):
        if chosen.any():
            factor[chosen] = method(a[chosen], b[chosen], x[chosen], y[chosen])
    return np.asarray(_binomial_term(a, b, x, y) * (a / (a + b)) * b * factor)


def _fraction(a: np.ndarray, b: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + d_1 / (1 + d_2 / ...)) / a by modified Lentz."""
    above = np.ones_like(x)
    below = 1 / away_from_zero(1 - (a + b) * x / (a + 1))
    fraction = below.copy()
    for step in range(1, FRACTION_STEPS):
        even = step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step))
        below = 1 / away_from_zero(1 + even * below)
        above = away_from_zero(1 + even / above)
        fraction *= above * below
        odd = -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1))
        below = 1 / away_from_zero(1 + odd * below)
        above = away_from_zero(1 + odd / above)
        change = above * below
        fraction *= change
        if (np.abs(change - 1) <= SETTLED).all():
            break
    return np.asarray(fraction / a)


def _tail_integral(a: np.ndarray, b: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the integral of e^-fall(s) over s > 0, where s is how far the logit lies below that of x.

    On the logit scale the beta density is t^a (1-t)^b, so it has fallen by fall(s) = a s + (a+b) log(y + x e^-s).
    """
    shapes = tuple(part[:, np.newaxis] for part in (a, b, x, y))
    reach = np.sqrt(2 * LOG_NEGLIGIBLE / np.maximum((a + b) * x * y, SMALLEST))[:, np.newaxis]
    for _ in range(RANGE_STEPS):
        fall, slope = _fall(reach, *shapes)
        reach = np.maximum(reach - (fall - LOG_NEGLIGIBLE) / slope, 0.5 * reach)
    fall, _ = _fall(reach * _NODES, *shapes)
    return np.asarray(np.exp(-fall) @ _WEIGHTS * reach[:, 0])


def _fall(s: np.ndarray, a: np.ndarray, b: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return fall(s) and its slope, in the form that does not subtract large numbers: by x, or by y if that is less."""
    low = x < 0.5
    share, shape, towards = np.where(low, x, y), np.where(low, a, -b), np.where(low, -s, s)
    total = 1 + share * np.expm1(towards)
    fall = shape * s + (a + b) * np.log1p(share * np.expm1(towards))
    return fall, shape - np.sign(shape) * (a + b) * share * np.exp(towards) / total


def _binomial_term(a: np.ndarray, b: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return Gamma(a+b+1) / (Gamma(a+1) Gamma(b+1)) x^a y^b, without subtracting large logarithms; y is 1 - x."""
    total = a + b
    apart = a * y - b * x  # a - (a + b) x
    exponent = stirling_error(total) - stirling_error(a) - stirling_error(b)
    exponent -= _deviance(a, total * x, apart) + _deviance(b, total * y, -apart)
    return np.asarray(np.exp(exponent) * np.sqrt(total / (2 * math.pi * a * b)))


def _deviance(value: np.ndarray, mean: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """Return value log(value / mean) - apart for apart = value - mean; it is >= 0, and 0 at value = mean."""
    positive = np.maximum(mean, SMALLEST)
    near = np.abs(apart) < 0.5 * positive  # log1p keeps the digits that log(value / mean) loses close to 1
    logarithm = np.where(near, np.log1p(np.where(near, apart, 0.0) / positive), np.log(value) - np.log(positive))
    return np.asarray(value * logarithm - apart)


def _odds_to_share(odds: np.ndarray) -> np.ndarray:
    """Return odds / (1 + odds), also for infinite odds."""
    with np.errstate(invalid="ignore"):
        return np.where(np.isinf(odds), 1.0, odds / (1 + odds))


def _expit(logit: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + e^-logit) with full relative precision on both sides."""
    small = np.exp(-np.abs(logit))
    return np.asarray(np.where(logit >= 0, 1.0, small) / (1 + small))
