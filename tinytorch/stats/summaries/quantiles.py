"""A sketch of each column's distribution that merges: few values, each standing for many. Imports numpy only.

Level l holds sorted values that stand for 2^l each. A level that is too full is halved: every other value, starting
at the first or the second by the toss of a coin, moves one level up. One halving moves the rank of any value by 0 or,
with either sign equally likely, by 2^l.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tinytorch._arguments import check_generator, check_in_range, check_integer
from tinytorch.stats.summaries._checks import check_same_kind, check_same_width, split_missing

# Values the top level may hold: a rank error of about 0.3% at three times so many numbers (24 KB) a column.
DEFAULT_CAPACITY = 1024
# Each level below the top holds this share of the one above: the KLL sketch's choice. Low levels err little anyway.
CAPACITY_RATIO = 2 / 3
# No level is halved below this many values, or levels would hold one or two.
SMALLEST_CAPACITY = 8
# The stated rank error is exceeded with at most this probability.
FAILURE_PROBABILITY = 0.001
# The bound is held at this many places of the distribution at once; between two of them ranks move by one part in it.
BOUND_PLACES = 1000


@dataclass(frozen=True, eq=False)
class Quantiles:
    """Sketches of the columns' distributions, of the KLL kind; missing values are left out.

    The sketch keeps count of its own halvings, and so states its own error, see `rank_error`; with no more values
    than `capacity` nothing has been halved and everything is exact.

    Attributes
    ----------
    count : ndarray of int64, shape (n_features,)
        Number of values that are not missing.
    values : tuple of ndarray, one per column
        The kept values, level after level.
    level_sizes : tuple of ndarray of int64, one per column
        How many of them belong to level 0, 1, ...
    halvings : ndarray of int64, shape (n_features, n_levels)
        How often each level has been halved, in all parts.
    capacity : int
        Values the top level may hold.
    seed : int
        Where the coins of the next merge come from.

    References
    ----------
    Karnin, Lang and Liberty (2016), Optimal quantile approximation in streams, FOCS.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> parts = [Quantiles.from_batch(rng.normal(size=10_000), rng=rng) for _ in range(3)]
    >>> whole = parts[0].merge(parts[1]).merge(parts[2])
    >>> whole.count, bool(abs(whole.quantile(0.5)[0]) < 0.05), bool(whole.rank_error[0] < 0.01)
    (array([30000]), True, True)
    """

    count: np.ndarray
    values: tuple[np.ndarray, ...]
    level_sizes: tuple[np.ndarray, ...]
    halvings: np.ndarray
    capacity: int
    seed: int

    @classmethod
    def from_batch(cls, batch: ArrayLike, *, rng: np.random.Generator, capacity: int = DEFAULT_CAPACITY) -> Quantiles:
        """Summarise a batch of numbers of shape (n_samples, n_features) or (n_samples,), NaN for missing.

        Parameters
        ----------
        batch : array_like of shape (n_samples, n_features) or (n_samples,)
        rng : numpy.random.Generator
            Tosses the coins. Parts that will be merged need generators of their own (`rng.spawn`), not copies of one
            seed, or their errors add up in step.
        capacity : int
            Values the top level may hold, at least 8; parts can be merged only at one capacity. The rank error falls
            as one over it.

        Raises
        ------
        ValueError
            If `batch` is no table of numbers, is empty, or holds an infinity, or an argument breaks its rule.
        """
        table, absent = split_missing(batch)
        check_generator(rng)
        check_integer(capacity, "capacity", minimum=SMALLEST_CAPACITY)
        levels = [[np.sort(table[~absent[:, column], column])] for column in range(table.shape[1])]
        halvings = np.zeros((table.shape[1], 0), dtype=np.int64)
        return _compressed(levels, halvings, capacity, rng)

    def merge(self, other: Quantiles) -> Quantiles:
        """Summarise the rows of both. The coins come from the seeds of both, so one merge always gives one result.

        Raises
        ------
        ValueError
            If `other` is no Quantiles of as many columns and the same capacity.
        """
        check_same_kind(self, other)
        check_same_width(len(self.count), len(other.count))
        if self.capacity != other.capacity:
            raise ValueError(f"other must have capacity {self.capacity}, got {other.capacity}.")
        rng = np.random.default_rng(sorted((self.seed, other.seed)))
        levels = [_joined(self._levels(column), other._levels(column)) for column in range(len(self.count))]
        return _compressed(levels, _added(self.halvings, other.halvings), self.capacity, rng)

    @property
    def rank_error(self) -> np.ndarray:
        """Most that the share of values below any point may be wrong, at all points at once, shape (n_features,).

        Holds with probability 99.9% over the coins, whatever the data: a sum of independent fair coins (Hoeffding) at
        1,000 places, or the sum of all halvings where that is less. 0 while nothing has been halved; 1 is the most.
        """
        steps = 2.0 ** np.arange(self.halvings.shape[1])
        surely = self.halvings @ steps
        # Two sides of a jump and two signs at each place share the probability of failing.
        deviations = math.sqrt(2 * math.log(4 * BOUND_PLACES / FAILURE_PROBABILITY))
        count = np.maximum(self.count, 1)
        likely = deviations * np.sqrt(self.halvings @ steps**2) + count / BOUND_PLACES
        return np.asarray(np.minimum(np.minimum(surely, likely) / count, 1.0))

    def quantile(self, share: float) -> np.ndarray:
        """Return the smallest kept value with at least `share` of all values at or below it, shape (n_features,).

        NaN for a column without values.

        Raises
        ------
        ValueError
            If `share` lies outside [0, 1].
        """
        check_in_range(share, "share", 0.0, 1.0)
        found = np.full(len(self.count), np.nan)
        for column in np.flatnonzero(self.count):
            values, at_or_below = self.distribution(int(column))
            found[column] = values[np.searchsorted(at_or_below, share * self.count[column])]
        return found

    def distribution(self, column: int) -> tuple[np.ndarray, np.ndarray]:
        """Return a column's kept values in order, each once, and how many values lie at or below each.

        Examples
        --------
        >>> Quantiles.from_batch([3.0, 1.0, 3.0], rng=np.random.default_rng(0)).distribution(0)
        (array([1., 3.]), array([1, 3]))
        """
        weights = np.repeat(2 ** np.arange(len(self.level_sizes[column])), self.level_sizes[column])
        values, place = np.unique(self.values[column], return_inverse=True)
        weight_of_value = np.bincount(place, weights=weights, minlength=len(values))
        return values, np.cumsum(weight_of_value.astype(np.int64))

    def _levels(self, column: int) -> list[np.ndarray]:
        """Cut a column's kept values into its levels."""
        return np.split(self.values[column], np.cumsum(self.level_sizes[column])[:-1])


def _compressed(
    levels: list[list[np.ndarray]], halvings: np.ndarray, capacity: int, rng: np.random.Generator
) -> Quantiles:
    """Halve levels until none is too full, column by column, and pack the result."""
    for column, column_levels in enumerate(levels):
        halved = _halve_full_levels(column_levels, capacity, rng)
        counted = np.zeros((len(levels), len(halved)), dtype=np.int64)
        counted[column] = halved
        halvings = _added(halvings, counted)
    sizes = tuple(np.array([len(level) for level in column_levels]) for column_levels in levels)
    return Quantiles(
        count=np.array([int(size @ 2 ** np.arange(len(size))) for size in sizes]),
        values=tuple(np.concatenate(column_levels) for column_levels in levels),
        level_sizes=sizes,
        halvings=halvings,
        capacity=capacity,
        seed=int(rng.integers(2**63)),
    )


def _halve_full_levels(levels: list[np.ndarray], capacity: int, rng: np.random.Generator) -> list[int]:
    """Halve the lowest level above its capacity until there is none, in place; return how often each was halved."""
    halved = [0] * len(levels)
    while True:
        limits = [
            max(SMALLEST_CAPACITY, math.ceil(capacity * CAPACITY_RATIO**below_top))
            for below_top in reversed(range(len(levels)))
        ]
        full = [number for number, level in enumerate(levels) if len(level) > limits[number]]
        if not full:
            return halved
        number = full[0]
        if number == len(levels) - 1:
            levels.append(np.empty(0))
            halved.append(0)
        level = levels[number]
        n_paired = len(level) - len(level) % 2  # an odd one out stays where it is
        levels[number + 1] = _merged(levels[number + 1], level[int(rng.integers(2)) : n_paired : 2])
        levels[number] = level[n_paired:]
        halved[number] += 1


def _joined(ours: list[np.ndarray], theirs: list[np.ndarray]) -> list[np.ndarray]:
    """Merge two columns' levels."""
    n_levels = max(len(ours), len(theirs))
    padded = [levels + [np.empty(0)] * (n_levels - len(levels)) for levels in (ours, theirs)]
    return [_merged(left, right) for left, right in zip(*padded, strict=True)]


def _merged(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Merge two sorted arrays (a stable sort finds the two runs)."""
    return np.sort(np.concatenate([left, right]), kind="stable")


def _added(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Add two tables of counts of different widths."""
    total = np.zeros((len(ours), max(ours.shape[1], theirs.shape[1])), dtype=np.int64)
    total[:, : ours.shape[1]] += ours
    total[:, : theirs.shape[1]] += theirs
    return total
