"""The Wasserstein-1 distance: how far values must move, on average, to turn one sample into the other.

    W = integral over x of |F_reference(x) - F_current(x)| = integral over u of |Q_reference(u) - Q_current(u)|
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tinytorch.stats._columns import sorted_blocks
from tinytorch.stats._coupling import Runs, meet, moved_mass
from tinytorch.stats._inputs import as_pair
from tinytorch.stats.reference import FittedReference, current_table


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
        return _fitted_distance(reference, current_table(current, reference))
    return _raw_distance(*as_pair(reference, current))


def sorted_wasserstein(reference: np.ndarray, runs: Runs, current: np.ndarray) -> np.ndarray:
    """Return the distance between sorted columns of shape (n_features, n_samples), given what they `meet`.

    Examples
    --------
    >>> reference = np.array([[0.0, 1.0]])
    >>> sorted_wasserstein(reference, meet(reference, 2), np.array([[1.0, 1.0]]))
    array([0.5])
    """
    columns = zip(reference, current, runs.means, runs.lowest, strict=True)
    with np.errstate(over="ignore"):  # samples as far apart as float64 reaches have distance infinity
        return np.array([moved_mass(*column) for column in columns])


def _fitted_distance(reference: FittedReference, table: np.ndarray) -> np.ndarray:
    """Sort the current columns, a few at a time, and couple them with the fitted ones."""
    runs = reference.runs(table.shape[0])
    return np.concatenate(
        [
            sorted_wasserstein(reference.sorted_[chosen], runs[chosen], current)
            for chosen, current in sorted_blocks(table)
        ]
    )


def _raw_distance(reference: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Sort both, a few columns at a time."""
    pairs = zip(sorted_blocks(reference), sorted_blocks(table), strict=True)
    return np.concatenate(
        [sorted_wasserstein(left, meet(left, table.shape[0]), right) for (_, left), (_, right) in pairs]
    )
