"""The Wasserstein-1 distance: how far values must move, on average, to turn one sample into the other.

    W = integral over x of |F_reference(x) - F_current(x)| = integral over u of |Q_reference(u) - Q_current(u)|
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tinytorch.stats._columns import sorted_columns
from tinytorch.stats._inputs import as_pair
from tinytorch.stats.reference import FittedReference, as_current


def wasserstein_distance(reference: ArrayLike | FittedReference, current: ArrayLike) -> np.ndarray:
    """Return the Wasserstein-1 ("earth mover's") distance of every column, in the column's own units.

    Equal to `scipy.stats.wasserstein_distance` column by column.

    Parameters
    ----------
    reference : array_like of shape (n, n_features) or (n,), or FittedReference
    current : array_like of shape (m, n_features) or (m,)

    Returns
    -------
    ndarray of shape (n_features,)

    Raises
    ------
    ValueError
        If a sample is not a table of finite numbers or the columns differ.

    References
    ----------
    L. Vaserstein, Markov processes over denumerable products of spaces (1969).

    Examples
    --------
    >>> wasserstein_distance([0.0, 1.0, 2.0], [5.0, 6.0, 7.0])
    array([5.])
    """
    if isinstance(reference, FittedReference):
        reference_columns, table = reference.sorted_, as_current(current, reference)
    else:
        raw, table = as_pair(reference, current)
        reference_columns = sorted_columns(raw)
    return sorted_wasserstein(reference_columns, sorted_columns(table))


def sorted_wasserstein(reference: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Return the distance between sorted columns of shape (n_features, n_samples).

    Examples
    --------
    >>> sorted_wasserstein(np.array([[0.0, 1.0]]), np.array([[1.0, 1.0]]))
    array([0.5])
    """
    n, m = reference.shape[1], current.shape[1]
    starts = np.union1d(np.arange(n) * m, np.arange(m) * n)  # where either quantile function jumps, times n m
    weight = np.diff(starts, append=n * m) / (float(n) * m)
    gaps = [np.abs(left[starts // m] - right[starts // n]) for left, right in zip(reference, current, strict=True)]
    return np.asarray([gap @ weight for gap in gaps])
