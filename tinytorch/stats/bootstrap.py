"""How sure is a number computed from rows? Intervals from rows drawn again with replacement. Numpy only.

    percentile  quantiles of the statistic over resamples
    BCa         the same at levels shifted for bias z0 and skewness a:
                Phi(z0 + (z0 + z) / (1 - a (z0 + z))),  z the normal quantile of the wanted level
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from tinytorch._arguments import check_generator, check_in_range, check_integer
from tinytorch.stats._inputs import as_columns
from tinytorch.stats._permutations import blocks
from tinytorch.stats.intervals import DEFAULT_CONFIDENCE, Interval
from tinytorch.stats.special import normal_cdf, normal_isf

# The ends of a 95% BCa interval then rest on about 50 resamples beyond them.
DEFAULT_RESAMPLES = 2_000

Statistic = Callable[[np.ndarray], np.ndarray]


def column_means(samples: np.ndarray) -> np.ndarray:
    """Return the mean over rows, the last axis but one.

    Examples
    --------
    >>> column_means(np.array([[1.0, 10.0], [3.0, 30.0]]))
    array([ 2., 20.])
    """
    return np.asarray(samples.mean(axis=-2))


def bootstrap_interval(
    values: ArrayLike,
    statistic: Statistic = column_means,
    *,
    rng: np.random.Generator,
    n_resamples: int = DEFAULT_RESAMPLES,
    confidence: float = DEFAULT_CONFIDENCE,
) -> Interval:
    """Return the bias-corrected and accelerated (BCa) bootstrap interval for any statistic of each column.

    It corrects the percentile interval for bias and skewness, for one more evaluation of the statistic per row; in
    columns where all resamples lie on one side of the statistic it is the percentile interval. Equals
    `scipy.stats.bootstrap` with the same draws. On few rows it covers somewhat less: the mean of 30 normal values in
    0.935 of cases at 0.95.

    Parameters
    ----------
    values : array_like of shape (n_rows,) or (n_rows, n_features)
    statistic : callable
        From an array of shape (..., n_rows, n_features) to one of shape (..., n_features): all resamples come at
        once. For the median: `lambda samples: np.median(samples, axis=-2)`.
    rng : numpy.random.Generator
        Draws the rows of each resample; all columns share them.
    n_resamples : int
        Number of resamples.
    confidence : float
        In (0, 1).

    Returns
    -------
    Interval
        Two arrays of shape (n_features,). A constant column gives a point.

    Raises
    ------
    ValueError
        If an argument breaks its rule or there are fewer than 2 rows.

    References
    ----------
    B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap (1993), chapter 14.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> low, high = bootstrap_interval(rng.normal(5.0, 1.0, 400), rng=rng)
    >>> bool(4.8 < low[0] < 5.0 < high[0] < 5.2)
    True
    """
    table = as_columns(values, "values")
    if len(table) < 2:
        raise ValueError(f"values must have at least 2 rows for a BCa interval, got {len(table)}.")
    check_in_range(confidence, "confidence", 0, 1, open_ends=True)
    drawn = _resampled(table, statistic, n_resamples, rng)
    levels = np.repeat([[0.5 * (1 - confidence)], [0.5 * (1 + confidence)]], table.shape[1], axis=1)
    levels = _corrected_levels(drawn, statistic(table), _jackknifed(table, statistic), levels)
    bounds = [np.quantile(column, level) for column, level in zip(drawn.T, levels.T, strict=True)]
    low, high = np.array(bounds).T
    return Interval(low, high)


def percentile_interval(
    values: ArrayLike,
    statistic: Statistic = column_means,
    *,
    rng: np.random.Generator,
    n_resamples: int = DEFAULT_RESAMPLES,
    confidence: float = DEFAULT_CONFIDENCE,
) -> Interval:
    """Return the plain bootstrap interval: the middle share of the statistic's values over resamples.

    Parameters
    ----------
    values, statistic, rng, n_resamples, confidence
        As in `bootstrap_interval`; one row is enough.

    Returns
    -------
    Interval
        Two arrays of shape (n_features,).

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    References
    ----------
    B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.

    Examples
    --------
    >>> low, high = percentile_interval([1.0, 2.0, 3.0, 4.0], rng=np.random.default_rng(0))
    >>> low, high
    (array([1.5]), array([3.5]))
    """
    table = as_columns(values, "values")
    check_in_range(confidence, "confidence", 0, 1, open_ends=True)
    drawn = _resampled(table, statistic, n_resamples, rng)
    low, high = np.quantile(drawn, [0.5 * (1 - confidence), 0.5 * (1 + confidence)], axis=0)
    return Interval(low, high)


def _resampled(table: np.ndarray, statistic: Statistic, n_resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Return the statistic of each resample, of shape (n_resamples, n_features), in blocks that bound memory."""
    check_generator(rng)
    check_integer(n_resamples, "n_resamples", minimum=1)
    drawn = np.empty((n_resamples, table.shape[1]))
    for start, stop in blocks(n_resamples, table.size):
        drawn[start:stop] = statistic(table[rng.integers(0, len(table), (stop - start, len(table)))])
    return drawn


def _jackknifed(table: np.ndarray, statistic: Statistic) -> np.ndarray:
    """Return the statistic without each row in turn, of shape (n_rows, n_features)."""
    n_rows = len(table)
    left_out = np.empty(table.shape)
    for start, stop in blocks(n_rows, table.size):
        kept = np.arange(n_rows - 1) + (np.arange(n_rows - 1) >= np.arange(start, stop)[:, np.newaxis])
        left_out[start:stop] = statistic(table[kept])
    return left_out


def _corrected_levels(
    drawn: np.ndarray, observed: np.ndarray, left_out: np.ndarray, levels: np.ndarray
) -> np.ndarray:
    """Return BCa's levels; where the bias is infinite the plain ones."""
    below = 0.5 * ((drawn < observed).mean(axis=0) + (drawn <= observed).mean(axis=0))
    inside = (below > 0) & (below < 1)
    bias = -normal_isf(np.where(inside, below, 0.5))
    apart = left_out.mean(axis=0) - left_out
    squares = (apart**2).sum(axis=0)
    skewness = np.divide((apart**3).sum(axis=0), 6 * squares**1.5, out=np.zeros_like(squares), where=squares > 0)
    shifted = bias - normal_isf(levels)
    corrected = normal_cdf(bias + shifted / (1 - skewness * shifted))
    return np.where(inside, corrected, levels)
