"""Distances between the shares of a column's bins. Numpy only.

    p, q = shares of reference and current in each bin;  m = (p + q) / 2
    Kullback-Leibler  KL(q, p) = sum of q log(q / p)
    Jensen-Shannon    sqrt((KL(p, m) + KL(q, m)) / 2)
    Hellinger         sqrt(sum of (sqrt p - sqrt q)^2 / 2)
    total variation   sum of |p - q| / 2
    L-infinity        max of |p - q|
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tinytorch._arguments import check_in_range
from tinytorch.stats._bins import bin_counts
from tinytorch.stats._columns import feature_major
from tinytorch.stats._inputs import as_pair
from tinytorch.stats.psi import HALF_A_COUNT
from tinytorch.stats.reference import DEFAULT_BINS, FittedReference, as_current


def jensen_shannon_distance(
    reference: ArrayLike | FittedReference,
    current: ArrayLike,
    *,
    bins: int = DEFAULT_BINS,
    binning: str = "quantile",
    smoothing: float = 0.0,
) -> np.ndarray:
    """Return the Jensen-Shannon distance of the binned samples, per column.

    The bins are those of `psi`: open outer bins, so values outside the reference's range count, and a bin of its own
    for a value that makes up more than a bin. This holds for every distance in this file.

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
        Counts added to every bin that either sample uses, >= 0. An empty bin is no trouble here, so none by default.

    Returns
    -------
    ndarray of shape (n_features,)
        From 0 to sqrt(log 2) = 0.83, as `scipy.spatial.distance.jensenshannon` with natural logarithms. By chance
        alone its square is about (bins in use - 1) / 8 * (1/n + 1/m).

    Raises
    ------
    ValueError
        If a sample is not a table of finite numbers, the columns differ, or an argument is out of range.

    References
    ----------
    D. M. Endres and J. E. Schindelin, A New Metric for Probability Distributions, IEEE Trans. Inf. Theory 49 (2003).

    Examples
    --------
    >>> jensen_shannon_distance([1.0, 2.0, 3.0, 4.0], [3.0, 4.0, 5.0, 6.0], bins=2).round(4)
    array([0.4645])
    """
    p, q = _smoothed_shares(_binned(reference, current, bins, binning), smoothing)
    middle = 0.5 * (p + q)
    return np.asarray(np.sqrt(np.maximum(0.0, 0.5 * (_relative_entropy(p, middle) + _relative_entropy(q, middle)))))


def kl_divergence(
    reference: ArrayLike | FittedReference,
    current: ArrayLike,
    *,
    bins: int = DEFAULT_BINS,
    binning: str = "quantile",
    smoothing: float = HALF_A_COUNT,
) -> np.ndarray:
    """Return the Kullback-Leibler divergence of the current shares from those of the reference, per column, in nats.

    Parameters
    ----------
    reference, current, bins, binning
        As in `jensen_shannon_distance`.
    smoothing : float
        Counts added to every bin that either sample uses, >= 0. With 0, a bin that only `current` uses gives
        infinity; half a count says "not seen yet" and fades as the sample grows.

    Returns
    -------
    ndarray of shape (n_features,)
        At least 0, without bound; by chance alone about (bins in use - 1) / 2 * (1/n + 1/m).

    Raises
    ------
    ValueError
        If a sample is not a table of finite numbers, the columns differ, or an argument is out of range.

    References
    ----------
    S. Kullback and R. A. Leibler, On Information and Sufficiency, Ann. Math. Stat. 22 (1951).

    Examples
    --------
    >>> kl_divergence([1.0, 2.0, 3.0, 4.0], [3.0, 4.0, 5.0, 6.0], bins=2).round(4)
    array([0.3681])
    """
    p, q = _smoothed_shares(_binned(reference, current, bins, binning), smoothing)
    return _relative_entropy(q, p)


def hellinger_distance(
    reference: ArrayLike | FittedReference,
    current: ArrayLike,
    *,
    bins: int = DEFAULT_BINS,
    binning: str = "quantile",
    smoothing: float = 0.0,
) -> np.ndarray:
    """Return the Hellinger distance of the binned samples, per column: 0 if equal, 1 if they share no bin.

    By chance alone its square is about (bins in use - 1) / 8 * (1/n + 1/m).

    Parameters
    ----------
    reference, current, bins, binning, smoothing
        As in `jensen_shannon_distance`.

    Raises
    ------
    ValueError
        If a sample is not a table of finite numbers, the columns differ, or an argument is out of range.

    Examples
    --------
    >>> hellinger_distance([1.0, 2.0, 3.0, 4.0], [3.0, 4.0, 5.0, 6.0], bins=2).round(4)
    array([0.5412])
    """
    p, q = _smoothed_shares(_binned(reference, current, bins, binning), smoothing)
    return np.asarray(np.sqrt(0.5 * ((np.sqrt(p) - np.sqrt(q)) ** 2).sum(axis=1)))


def total_variation_distance(
    reference: ArrayLike | FittedReference,
    current: ArrayLike,
    *,
    bins: int = DEFAULT_BINS,
    binning: str = "quantile",
    smoothing: float = 0.0,
) -> np.ndarray:
    """Return the total variation distance of the binned samples, per column: the share of rows to move between bins.

    From 0 to 1. By chance alone each bin adds about 0.4 sqrt(p (1 - p) (1/n + 1/m)).

    Parameters
    ----------
    reference, current, bins, binning, smoothing
        As in `jensen_shannon_distance`.

    Raises
    ------
    ValueError
        If a sample is not a table of finite numbers, the columns differ, or an argument is out of range.

    Examples
    --------
    >>> total_variation_distance([1.0, 2.0, 3.0, 4.0], [3.0, 4.0, 5.0, 6.0], bins=2)
    array([0.5])
    """
    p, q = _smoothed_shares(_binned(reference, current, bins, binning), smoothing)
    return np.asarray(0.5 * np.abs(p - q).sum(axis=1))


def l_infinity_distance(
    reference: ArrayLike | FittedReference,
    current: ArrayLike,
    *,
    bins: int = DEFAULT_BINS,
    binning: str = "quantile",
    smoothing: float = 0.0,
) -> np.ndarray:
    """Return the largest change of any bin's share, per column, from 0 to 1.

    Parameters
    ----------
    reference, current, bins, binning, smoothing
        As in `jensen_shannon_distance`.

    Raises
    ------
    ValueError
        If a sample is not a table of finite numbers, the columns differ, or an argument is out of range.

    Examples
    --------
    >>> l_infinity_distance([1.0, 2.0, 3.0, 4.0], [3.0, 4.0, 5.0, 6.0], bins=2)
    array([0.5])
    """
    p, q = _smoothed_shares(_binned(reference, current, bins, binning), smoothing)
    return np.asarray(np.abs(p - q).max(axis=1))


def _binned(
    reference: ArrayLike | FittedReference, current: ArrayLike, bins: int, binning: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the counts of both samples in the reference's bins, each of shape (n_features, bins)."""
    if isinstance(reference, FittedReference):
        fitted, table = reference, as_current(current, reference)
    else:
        raw, table = as_pair(reference, current)
        fitted = FittedReference(bins=bins, binning=binning).fit(raw)
    return fitted.bin_counts_, bin_counts(feature_major(table), fitted.edges_)


def _smoothed_shares(counts: tuple[np.ndarray, np.ndarray], smoothing: float) -> tuple[np.ndarray, np.ndarray]:
    """Turn both counts into shares, `smoothing` added to the bins that either sample uses."""
    check_in_range(smoothing, "smoothing", 0.0, np.finfo(np.float64).max)
    used = (counts[0] + counts[1]) > 0
    p, q = (np.where(used, side + smoothing, 0.0) for side in counts)
    return p / p.sum(axis=1, keepdims=True), q / q.sum(axis=1, keepdims=True)


def _relative_entropy(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return sum of p log(p / q) per row; 0 where p is 0, infinite where only q is."""
    held = p > 0
    with np.errstate(divide="ignore"):
        logs = np.log(p, where=held, out=np.zeros_like(p)) - np.log(q, where=held, out=np.zeros_like(q))
    return np.asarray(np.maximum(0.0, (p * logs).sum(axis=1)))
