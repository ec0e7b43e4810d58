"""The cheapest way to move one sorted sample onto another of a different size. Imports numpy only.

In one dimension it keeps the order: the j-th of m current values takes the share of the reference between the
quantiles j / m and (j + 1) / m. That share is a run of reference values, the first and the last perhaps in part.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tinytorch.stats._columns import ranges


@dataclass(frozen=True, eq=False)
class Coupling:
    """Which reference value meets which current value, and with what share of all mass, in rising order.

    Attributes
    ----------
    reference_rank, weight : ndarray of shape (n_meetings,)
    starts : ndarray of shape (m + 1,)
        The meetings of current value j are those from starts[j] up to starts[j + 1].
    """

    reference_rank: np.ndarray
    weight: np.ndarray
    starts: np.ndarray

    @property
    def first(self) -> np.ndarray:
        """Rank of the lowest reference value that each current value meets."""
        return np.asarray(self.reference_rank[self.starts[:-1]])

    @property
    def last(self) -> np.ndarray:
        """Rank of the highest reference value that each current value meets."""
        return np.asarray(self.reference_rank[self.starts[1:] - 1])


@lru_cache(maxsize=4)  # a monitor meets one or two batch sizes; each takes 16 bytes a value
def couple(n: int, m: int) -> Coupling:
    """Return the coupling of n reference and m current values; it depends on the sizes alone.

    Examples
    --------
    >>> coupling = couple(2, 3)
    >>> coupling.reference_rank, coupling.starts
    (array([0, 0, 1, 1]), array([0, 1, 3, 4]))
    """
    borders = np.union1d(np.arange(n) * m, np.arange(m) * n)  # in units of 1 / (n m), so that they are exact
    weight = np.diff(borders, append=n * m) / (float(n) * m)
    starts = np.append(np.searchsorted(borders, np.arange(m) * n), borders.size)
    return Coupling(borders // m, weight, starts)


def block_means(reference: np.ndarray, m: int) -> np.ndarray:
    """Return the mean of the reference values that each of m current values meets: (n_features, m).

    Examples
    --------
    >>> block_means(np.array([[1.0, 3.0, 5.0, 9.0]]), 2)
    array([[2., 7.]])
    """
    coupling = couple(reference.shape[1], m)
    starts, share = coupling.starts[:-1], coupling.weight * m
    return np.stack([np.add.reduceat(column[coupling.reference_rank] * share, starts) for column in reference])


def moved_mass(reference: np.ndarray, means: np.ndarray, current: np.ndarray) -> float:
    """Return sum of weight * |reference value - current value| over all meetings of two sorted columns.

    Where all values that a current value meets lie on one side of it, their mean tells it all.

    Parameters
    ----------
    reference : ndarray of shape (n,)
    means : ndarray of shape (m,)
        The column's `block_means`.
    current : ndarray of shape (m,)

    Examples
    --------
    >>> reference = np.array([1.0, 3.0, 5.0, 9.0])
    >>> moved_mass(reference, block_means(reference[np.newaxis], 2)[0], np.array([0.0, 6.0]))
    2.0
    """
    coupling = couple(reference.size, current.size)
    apart = np.abs(means - current)
    inside = (current > reference[coupling.first]) & (current < reference[coupling.last])
    straddling = np.flatnonzero(inside)
    if not straddling.size:
        return float(apart.sum() / current.size)
    apart[straddling] = 0.0
    starts, stops = coupling.starts[straddling], coupling.starts[straddling + 1]
    meetings = ranges(starts, stops)
    gaps = np.abs(reference[coupling.reference_rank[meetings]] - np.repeat(current[straddling], stops - starts))
    return float(apart.sum() / current.size + gaps @ coupling.weight[meetings])
