"""Is a series going up or down, or is that noise? Mann and Kendall's test with Theil and Sen's slope. Numpy only.

    S     = number of pairs i < j with v_j > v_i, minus those with v_j < v_i;  tau = S over its largest value
    slope = median over all pairs of (v_j - v_i) / (j - i)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tinytorch.stats._inputs import as_columns
from tinytorch.stats.special import normal_sf

# Up to this length the law of S is counted exactly (without ties); beyond it the normal law is close. As in scipy.
EXACT_LENGTH = 33


@dataclass(frozen=True, eq=False)
class TrendResult:
    """The trend of each column.

    Attributes
    ----------
    slope : ndarray of shape (n_features,)
        Theil-Sen slope, in units of the values per step.
    statistic : ndarray of shape (n_features,)
        Kendall's tau-b against time, from -1 (always down) to 1 (always up); 0 for a constant column.
    pvalue : ndarray of shape (n_features,)
        Two-sided; small if so many rises or falls would be rare in a shuffled series.

    Examples
    --------
    >>> TrendResult(np.array([0.1]), np.array([1.0]), np.array([0.02])).slope
    array([0.1])
    """

    slope: np.ndarray
    statistic: np.ndarray
    pvalue: np.ndarray


def trend_test(values: ArrayLike) -> TrendResult:
    """Test per column whether equally spaced values rise or fall over time.

    The p-value is that of `scipy.stats.kendalltau` against time: exact without ties up to 33 values, the
    tie-corrected normal law otherwise. On few tied values that law is rough and rejects less often than its level.
    It takes the values as independent about the trend: where neighbours resemble
    each other, small p-values come too often. Pairs are compared, so n values cost n (n - 1) / 2 steps a column.

    Parameters
    ----------
    values : array_like of shape (n_steps,) or (n_steps, n_features)
        In the order of time, n_steps >= 2.

    Raises
    ------
    ValueError
        If `values` is not a finite table of at least 2 rows.

    References
    ----------
    M. G. Kendall, Rank Correlation Methods, 4th ed. (1970); P. K. Sen, Estimates of the Regression Coefficient
    Based on Kendall's Tau, JASA 63 (1968).

    Examples
    --------
    >>> result = trend_test([0.91, 0.90, 0.92, 0.89, 0.88, 0.86, 0.87, 0.85])
    >>> print(f"{result.slope[0]:+.3f} a step, p = {result.pvalue[0]:.3f}")
    -0.009 a step, p = 0.006
    """
    table = as_columns(values, "values")
    n_steps = len(table)
    if n_steps < 2:
        raise ValueError(f"values must have at least 2 rows to show a trend, got {n_steps}.")
    earlier, later = np.triu_indices(n_steps, k=1)
    slope, excess = np.empty(table.shape[1]), np.empty(table.shape[1])
    for column in range(table.shape[1]):  # all pairs of one column at a time, to bound memory
        rises = table[later, column] - table[earlier, column]
        slope[column] = np.median(rises / (later - earlier))
        excess[column] = np.sign(rises).sum()
    tied_pairs, variance = _ties(table)
    n_pairs = len(earlier)
    largest = np.sqrt(n_pairs * (n_pairs - tied_pairs))
    tau = np.divide(excess, largest, out=np.zeros_like(excess), where=largest > 0)
    return TrendResult(slope, tau, _pvalue(excess, variance, tied_pairs == 0, n_steps))


def _ties(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return per column the number of tied pairs, and the variance of S for a shuffled series with those ties."""
    n_steps = len(table)
    pairs, penalty = np.zeros(table.shape[1]), np.zeros(table.shape[1])
    for column, values in enumerate(table.T):
        counts = np.unique(values, return_counts=True)[1].astype(np.float64)
        pairs[column] = (counts * (counts - 1)).sum() / 2
        penalty[column] = (counts * (counts - 1) * (2 * counts + 5)).sum()
    return pairs, np.asarray((n_steps * (n_steps - 1) * (2.0 * n_steps + 5) - penalty) / 18)


def _pvalue(excess: np.ndarray, variance: np.ndarray, untied: np.ndarray, n_steps: int) -> np.ndarray:
    """Return the two-sided p-value of S: exact where there are no ties and few steps, normal elsewhere."""
    z = np.divide(np.abs(excess), np.sqrt(variance), out=np.zeros_like(excess), where=variance > 0)
    pvalue = np.minimum(1.0, 2 * normal_sf(z))
    if n_steps <= EXACT_LENGTH and untied.any():
        cumulative = np.cumsum(_inversion_law(n_steps))
        n_against = ((n_steps * (n_steps - 1) // 2 - np.abs(excess[untied])) / 2).astype(np.intp)
        pvalue[untied] = np.minimum(1.0, 2 * cumulative[n_against])
    return np.asarray(pvalue)


def _inversion_law(n: int) -> np.ndarray:
    """Return the probabilities of 0, 1, 2, ... falling pairs in a shuffled series of n different values.

    The k-th value falls below any number from 0 to k-1 of those before it with equal chance, independently.
    """
    law = np.ones(1)
    for size in range(2, n + 1):
        law = np.convolve(law, np.full(size, 1 / size))
    return law
