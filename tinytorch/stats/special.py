"""Tail probabilities of the normal and the chi-square law, from numpy and the standard library alone.

    normal:      sf(z) = erfc(z / sqrt(2)) / 2
    chi-square:  sf(x; dof) = Q(dof / 2, x / 2),  Q(a, x) = integral of t^(a-1) e^-t from x to infinity / Gamma(a)
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

# From this argument on, five terms of Stirling's series leave an error below 1e-15 (the next is 691/360360/a^11).
STIRLING_START = 16.0
# Relative size at which a term no longer changes a float64 sum.
NEGLIGIBLE = 1e-17
# Smallest denominator that Lentz's method lets through, so that it never divides by zero.
LENTZ_FLOOR = 1e-300
# Halvings that shrink a bracket below 1e30 to float64's resolution, however small the answer down to 1e-30.
HALVINGS = 200

_erfc = np.frompyfunc(math.erfc, 1, 1)
_log_gamma = np.frompyfunc(math.lgamma, 1, 1)


def normal_sf(z: ArrayLike) -> np.ndarray:
    """Return the probability that a standard normal value exceeds `z`, accurate far into the tail.

    Examples
    --------
    >>> normal_sf([0.0, 1.959963984540054]).round(6)
    array([0.5  , 0.025])
    """
    return np.asarray(0.5 * _floats(_erfc(np.asarray(z, dtype=np.float64) / math.sqrt(2.0))))


def normal_cdf(z: ArrayLike) -> np.ndarray:
    """Return the probability that a standard normal value is at most `z`.

    Examples
    --------
    >>> normal_cdf([0.0, 1.0]).round(6)
    array([0.5     , 0.841345])
    """
    return normal_sf(-np.asarray(z, dtype=np.float64))


def normal_isf(probability: ArrayLike) -> np.ndarray:
    """Return the z that a standard normal value exceeds with the given probability.

    Raises
    ------
    ValueError
        If a probability is not in [0, 1].

    Examples
    --------
    >>> normal_isf([0.5, 0.025]).round(6)
    array([-0.      ,  1.959964])
    """
    shares = _as_probabilities(probability)
    inside = (shares > 0.0) & (shares < 1.0)
    quantile = np.frompyfunc(NormalDist().inv_cdf, 1, 1)
    inner = -_floats(quantile(np.where(inside, shares, 0.5)))
    return np.where(inside, inner, np.where(shares == 0.0, np.inf, -np.inf))


def chi2_sf(statistic: ArrayLike, dof: ArrayLike) -> np.ndarray:
    """Return the probability that a chi-square value with `dof` degrees of freedom exceeds `statistic`.

    With 0 degrees of freedom the value is always 0, so the answer is 1 up to 0 and 0 above.

    Examples
    --------
    >>> chi2_sf([3.841458820694124, 0.0], [1, 3]).round(6)
    array([0.05, 1.  ])
    """
    return gamma_sf(np.asarray(dof, dtype=np.float64) / 2.0, np.asarray(statistic, dtype=np.float64) / 2.0)


def chi2_isf(probability: ArrayLike, dof: ArrayLike) -> np.ndarray:
    """Return the value that a chi-square value with `dof` degrees of freedom exceeds with the given probability.

    Raises
    ------
    ValueError
        If a probability is not in [0, 1].

    Examples
    --------
    >>> chi2_isf(0.05, [1, 9]).round(6)
    array([ 3.841459, 16.918978])
    """
    shares, degrees = np.broadcast_arrays(_as_probabilities(probability), np.asarray(dof, dtype=np.float64))
    low, high = np.zeros(shares.shape), 1.0 + degrees
    short = chi2_sf(high, degrees) > np.maximum(shares, np.finfo(np.float64).tiny)
    while short.any():
        high = np.where(short, 2.0 * high, high)
        short = chi2_sf(high, degrees) > np.maximum(shares, np.finfo(np.float64).tiny)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        if ((middle == low) | (middle == high)).all():
            break
        above = chi2_sf(middle, degrees) > shares
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.where((shares == 1.0) | (degrees == 0.0), 0.0, np.where(shares == 0.0, np.inf, high))


def gamma_sf(shape: ArrayLike, x: ArrayLike) -> np.ndarray:
    """Return the regularised upper incomplete gamma function Q(shape, x), the tail of a gamma law with scale 1.

    The series for 1 - Q converges fast below x = shape + 1, Lentz's continued fraction for Q above it.

    Raises
    ------
    ValueError
        If a shape is negative.

    References
    ----------
    Press, Teukolsky, Vetterling and Flannery, Numerical Recipes, 3rd ed. (2007), section 6.2.

    Examples
    --------
    >>> gamma_sf(1.0, [0.0, 1.0, 2.0]).round(6)
    array([1.      , 0.367879, 0.135335])
    """
    shapes, points = np.broadcast_arrays(np.asarray(shape, dtype=np.float64), np.asarray(x, dtype=np.float64))
    if (shapes < 0.0).any():
        raise ValueError(f"shape must be >= 0, got {float(shapes.min())!r}.")
    tail = np.where(points > 0.0, 0.0, 1.0)  # what holds for shape 0, for x <= 0, and (0) for an infinite x
    ordinary = (shapes > 0.0) & (points > 0.0) & np.isfinite(points)
    below = ordinary & (points < shapes + 1.0)
    above = ordinary & ~below
    if below.any():
        tail[below] = 1.0 - _lower_series(shapes[below], points[below])
    if above.any():
        tail[above] = _upper_fraction(shapes[above], points[above])
    return np.where(np.isnan(points), np.nan, np.clip(tail, 0.0, 1.0))


def stirling_error(a: ArrayLike) -> np.ndarray:
    """Return log Gamma(a + 1) - [a log a - a + log(2 pi a) / 2] for a > 0: small, so nothing cancels.

    Probabilities such as a^k e^-a / k! lose digits when their large logarithms are subtracted; written with this
    remainder the large parts cancel on paper instead (Loader's device).

    References
    ----------
    C. Loader, Fast and Accurate Computation of Binomial Probabilities (2000).

    Examples
    --------
    >>> stirling_error([1.0, 100.0]).round(6)
    array([0.081061, 0.000833])
    """
    values = np.atleast_1d(np.asarray(a, dtype=np.float64))
    series = np.maximum(values, STIRLING_START)
    inverse = 1.0 / series**2
    result = (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - inverse / 1188) * inverse) * inverse) * inverse) / series
    small = values < STIRLING_START
    if small.any():
        few = values[small]
        result[small] = _floats(_log_gamma(few + 1.0)) - (few * np.log(few) - few + 0.5 * np.log(2 * math.pi * few))
    return result.reshape(np.shape(a))


def _gamma_density_term(shapes: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return x^a e^-x / Gamma(a + 1)."""
    relative = (points - shapes) / shapes
    near = np.abs(relative) < 0.5  # log1p keeps the digits that log(x / a) loses where x is close to a
    log_ratio = np.where(near, np.log1p(np.where(near, relative, 0.0)), np.log(points) - np.log(shapes))
    exponent = shapes * (log_ratio - relative) - stirling_error(shapes)
    return np.asarray(np.exp(exponent) / np.sqrt(2.0 * math.pi * shapes))


def _lower_series(shapes: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return 1 - Q(a, x) = x^a e^-x / Gamma(a + 1) * sum over k of x^k / ((a + 1) ... (a + k))."""
    term = np.ones_like(points)
    total = term.copy()
    divisor = shapes.copy()
    while (term > NEGLIGIBLE * total).any():
        divisor += 1.0
        term *= points / divisor
        total += term
    return np.asarray(total * _gamma_density_term(shapes, points))


def _upper_fraction(shapes: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return Q(a, x) by modified Lentz: 1/(x+1-a- 1(1-a)/(x+3-a- 2(2-a)/(x+5-a- ...))) times x^a e^-x / Gamma(a)."""
    denominator = points + 1.0 - shapes
    ratio_above = np.full_like(points, 1.0 / LENTZ_FLOOR)
    ratio_below = 1.0 / denominator
    fraction = ratio_below.copy()
    change = np.zeros_like(points)
    step = 0
    while (np.abs(change - 1.0) > np.finfo(np.float64).eps).any():
        step += 1
        numerator = -step * (step - shapes)
        denominator = denominator + 2.0
        ratio_below = 1.0 / away_from_zero(numerator * ratio_below + denominator)
        ratio_above = away_from_zero(denominator + numerator / ratio_above)
        change = ratio_below * ratio_above
        fraction *= change
    return np.asarray(fraction * shapes * _gamma_density_term(shapes, points))


def away_from_zero(values: np.ndarray) -> np.ndarray:
    """Lift values too close to zero to divide by.

    Examples
    --------
    >>> away_from_zero(np.array([0.0, 2.0]))
    array([1.e-300, 2.e+000])
    """
    return np.where(np.abs(values) < LENTZ_FLOOR, LENTZ_FLOOR, values)


def _as_probabilities(probability: ArrayLike) -> np.ndarray:
    """Return an array of values in [0, 1], or say which is not."""
    shares = np.asarray(probability, dtype=np.float64)
    wrong = ~((shares >= 0.0) & (shares <= 1.0))
    if wrong.any():
        raise ValueError(f"probability must be in [0, 1], got {float(shares[wrong].flat[0])!r}.")
    return shares


def _floats(values: object) -> np.ndarray:
    """Turn what `np.frompyfunc` returns (objects, or one float) into float64."""
    return np.asarray(values, dtype=np.float64)
