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
    first : ndarray of shape (m,)
        Rank of the lowest reference value that each current value meets.
    """

    reference_rank: np.ndarray
    weight: np.ndarray
    starts: np.ndarray
    first: np.ndarray


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
    reference_rank = borders // m
    return Coupling(reference_rank, weight, starts, reference_rank[starts[:-1]])


@dataclass(frozen=True, eq=False)
class Runs:
    """What is known of the run of reference values that each of m current values meets, column by column.

    Attributes
    ----------
    means, lowest : ndarray of shape (n_features, m)
        The run's mean and its first value, kept side by side so that a batch need not walk the whole reference.
    """

    means: np.ndarray
    lowest: np.ndarray

    def __getitem__(self, columns: slice) -> Runs:
        """Return the runs of some columns."""
        return Runs(self.means[columns], self.lowest[columns])


def meet(reference: np.ndarray, m: int) -> Runs:
    """Return the runs of sorted reference columns that m current values meet.

    Examples
    --------
    >>> meet(np.array([[1.0, 3.0, 5.0, 9.0]]), 2).means
    array([[2., 7.]])
    """
    coupling = couple(reference.shape[1], m)
    share = coupling.weight * m
    means = np.empty((reference.shape[0], m))
    for column, mean in zip(reference, means, strict=True):
        np.add.reduceat(column[coupling.reference_rank] * share, coupling.starts[:-1], out=mean)
    return Runs(means, reference.take(coupling.first, axis=1))


def moved_mass(reference: np.ndarray, current: np.ndarray, means: np.ndarray, lowest: np.ndarray) -> float:
    """Return sum of weight * |reference value - current value| over all meetings of two sorted columns.

    Where all values that a current value meets lie on one side of it, their mean tells it all.

    Parameters
    ----------
    reference : ndarray of shape (n,)
    current : ndarray of shape (m,)
    means, lowest : ndarray of shape (m,)
        The column's `Runs`.

    Examples
    --------
    >>> reference = np.array([1.0, 3.0, 5.0, 9.0])
    >>> moved_mass(reference, np.array([0.0, 6.0]), np.array([2.0, 7.0]), np.array([1.0, 5.0]))
    2.0
    """
    coupling = couple(reference.size, current.size)
    apart = np.abs(means - current)
    inside = current > lowest
    inside[:-1] &= current[:-1] < lowest[1:]  # a little more than needed: up to where the next run begins
    straddling = np.flatnonzero(inside)
    if not straddling.size:
        return float(apart.sum() / current.size)
    apart[straddling] = 0.0
    starts, stops = coupling.starts[straddling], coupling.starts[straddling + 1]
    meetings = ranges(starts, stops)
    gaps = np.abs(reference[coupling.reference_rank[meetings]] - np.repeat(current[straddling], stops - starts))
    return float(apart.sum() / current.size + gaps @ coupling.weight[meetings])
