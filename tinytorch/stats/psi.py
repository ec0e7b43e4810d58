"""The population stability index: how much the shares of a column's bins changed.

    PSI = sum over bins of (q - p) log(q / p),   p, q = shares of reference and current in the bin
    with no drift at all:  PSI / (1/n + 1/m)  is about chi-square with (bins - 1) degrees of freedom
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tinytorch._arguments import check_in_range, check_integer
from tinytorch.stats._bins import bin_counts
from tinytorch.stats._columns import column_blocks
from tinytorch.stats._inputs import as_pair
from tinytorch.stats.reference import DEFAULT_BINS, FittedReference, current_table
from tinytorch.stats.special import chi2_isf

HALF_A_COUNT = 0.5
"""Added to every bin that either sample uses, so that an empty bin has no infinite logarithm.

Half a count (Jeffreys) shrinks with the sample, as the uncertainty about an empty bin does. A fixed tiny share is
an algorithm of its own: with no drift, 20 bins and n = m = 100, PSI then averages 37.7 instead of 0.29.
"""
DEFAULT_ALPHA = 0.05


def psi(
    reference: ArrayLike | FittedReference,
    current: ArrayLike,
    *,
    bins: int = DEFAULT_BINS,
    binning: str = "quantile",
    smoothing: float = HALF_A_COUNT,
) -> np.ndarray:
    """Return the population stability index of every column.

    The outer bins are open, so values outside the reference's range count; a value that makes up more than a bin
    has a bin of its own; bins that neither sample uses take no part. A constant column that stays has PSI 0.

    Parameters
    ----------
    reference : array_like of shape (n, n_features) or (n,), or FittedReference
        A fitted reference brings its own bins; `bins` and `binning` are then not looked at.
    current : array_like of shape (m, n_features) or (m,)
    bins : int
        Number of bins per column, at least 2.
    binning : {"quantile", "width"}
        Bins of equal reference counts, or of equal width over the reference's range.
    smoothing : float
        Counts added to every bin in use, >= 0. With 0, a bin that only one sample uses gives infinity.

    Returns
    -------
    ndarray of shape (n_features,)
        At least 0 and, with no drift, about `(bins - 1) * (1/n + 1/m)`: see `psi_threshold`.

    Raises
    ------
    ValueError
        If a sample is not a table of finite numbers, the columns differ, or an argument is out of range.

    References
    ----------
    B. Yurdakul, Statistical Properties of Population Stability Index (2018).

    Examples
    --------
    >>> psi([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0], bins=2)
    array([0.])
    >>> psi([1.0, 2.0, 3.0, 4.0], [3.0, 4.0, 5.0, 6.0], bins=2).round(3)
    array([0.879])
    """
    check_in_range(smoothing, "smoothing", 0.0, np.finfo(np.float64).max)
    if isinstance(reference, FittedReference):
        fitted, table = reference, current_table(current, reference)
    else:
        raw, table = as_pair(reference, current)
        fitted = FittedReference(bins=bins, binning=binning).fit(raw)
    counts = [bin_counts(columns, fitted.edges_[chosen]) for chosen, columns in column_blocks(table)]
    return psi_of_counts(fitted.bin_counts_, np.concatenate(counts), smoothing=smoothing)


def psi_of_counts(
    reference_counts: ArrayLike, current_counts: ArrayLike, *, smoothing: float = HALF_A_COUNT
) -> np.ndarray:
    """Return the population stability index of counts in bins.

    Parameters
    ----------
    reference_counts, current_counts : array_like of shape (n_features, bins)
    smoothing : float
        Counts added to every bin that either sample uses.

    Examples
    --------
    >>> psi_of_counts([[50, 50]], [[40, 60]], smoothing=0.0).round(4)
    array([0.0405])
    """
    reference, current = np.asarray(reference_counts), np.asarray(current_counts)
    used = (reference + current) > 0
    p, q = _shares(reference, used, smoothing), _shares(current, used, smoothing)
    with np.errstate(divide="ignore"):
        change = np.log(q, where=used, out=np.zeros_like(q)) - np.log(p, where=used, out=np.zeros_like(p))
    return np.asarray(((q - p) * change).sum(axis=1))


def psi_threshold(n_reference: int, n_current: int, bins: ArrayLike, alpha: float = DEFAULT_ALPHA) -> np.ndarray:
    """Return the PSI that two samples of one law exceed with probability `alpha`, in place of "0.1" and "0.25".

    With fewer than about ten rows a bin the index does not reach the threshold that often: smoothing holds it down
    (over 10 bins at 0.05 no column of 10 against 10 rows exceeds it, and 0.0002 of those of 50 against 20). On two
    values and 10 rows each it is exceeded too often, 0.06 at 0.05 and 0.04 at 0.01.

    Parameters
    ----------
    n_reference, n_current : int
        Sample sizes.
    bins : int or array_like of int
        Bins in use: for a fitted reference `(bin_counts_ > 0).sum(axis=1)`, fewer than asked for in a column of
        few values. One bin gives 0: a constant can only change by an unseen value.
    alpha : float
        Share of false alarms per column.

    Raises
    ------
    ValueError
        If a size is below 1, a number of bins below 1, or alpha not between 0 and 1.

    References
    ----------
    B. Yurdakul, Statistical Properties of Population Stability Index (2018), chapter 4.

    Examples
    --------
    >>> psi_threshold(100, 100, [10, 20]).round(3)
    array([0.338, 0.603])
    >>> psi_threshold(50_000, 10_000, [10]).round(5)
    array([0.00203])
    """
    check_integer(n_reference, "n_reference", minimum=1)
    check_integer(n_current, "n_current", minimum=1)
    check_in_range(alpha, "alpha", 0.0, 1.0, open_ends=True)
    counts = np.asarray(bins)
    if (counts < 1).any():
        raise ValueError(f"bins must be >= 1, got {counts.min()!r}.")
    return np.asarray((1.0 / n_reference + 1.0 / n_current) * chi2_isf(alpha, counts - 1))


def _shares(counts: np.ndarray, used: np.ndarray, smoothing: float) -> np.ndarray:
    """Turn counts into smoothed shares of the bins in use."""
    raised = np.where(used, counts + smoothing, 0.0)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
