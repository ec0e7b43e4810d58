"""Count, mean, variance and range of each column, mergeable without loss. Imports numpy only.

With delta the difference of the two means: n = n_a + n_b, mean = mean_a + delta n_b / n, and the sum of squares
about the mean is squares_a + squares_b + delta^2 n_a n_b / n.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tinytorch.stats.summaries._checks import check_same_kind, check_same_width, split_missing

# The squares of larger values would overflow.
LARGEST_VALUE = 1e150


@dataclass(frozen=True, eq=False)
class Moments:
    """What the mean and the variance need, one value per column; missing values are left out.

    The mean is held as two numbers, the rounded one and what rounding took from it. So the difference of two nearly
    equal means is exact, and the variance keeps its digits under an offset a billion times its size.

    Attributes
    ----------
    count : ndarray of int64, shape (n_features,)
        Number of values that are not missing.
    mean_rounded, mean_remainder : ndarray of shape (n_features,)
        Their sum is the mean; 0 for a column without values.
    squares : ndarray of shape (n_features,)
        Sum of squared distances from the mean.
    minimum, maximum : ndarray of shape (n_features,)
        Range of the values; +infinity and -infinity for a column without values.

    References
    ----------
    Chan, Golub and LeVeque (1983), Algorithms for computing the sample variance, The American Statistician 37.

    Examples
    --------
    >>> whole = Moments.from_batch([1.0, 2.0, 3.0]).merge(Moments.from_batch([4.0, np.nan]))
    >>> whole.count, whole.mean, whole.variance.round(3)
    (array([4]), array([2.5]), array([1.667]))
    """

    count: np.ndarray
    mean_rounded: np.ndarray
    mean_remainder: np.ndarray
    squares: np.ndarray
    minimum: np.ndarray
    maximum: np.ndarray

    @classmethod
    def from_batch(cls, batch: ArrayLike) -> Moments:
        """Summarise a batch of numbers of shape (n_samples, n_features) or (n_samples,), NaN for missing.

        Raises
        ------
        ValueError
            If `batch` is no table of numbers, is empty, or holds an infinity or a value beyond 1e150.
        """
        table, absent = split_missing(batch)
        present = ~absent
        if np.abs(table, where=present, out=np.zeros_like(table)).max() > LARGEST_VALUE:
            raise ValueError(f"batch must hold values of at most {LARGEST_VALUE:g}, got larger ones.")
        count = len(table) - absent.sum(axis=0)
        divisor = np.maximum(count, 1)
        rounded = np.sum(table, axis=0, where=present) / divisor
        distances = np.where(present, table - rounded, 0.0)
        remainder = distances.sum(axis=0) / divisor
        squares = np.maximum((distances * distances).sum(axis=0) - count * remainder**2, 0.0)
        minimum = np.min(table, axis=0, where=present, initial=np.inf)
        maximum = np.max(table, axis=0, where=present, initial=-np.inf)
        squares[minimum == maximum] = 0.0  # a constant may differ from its own mean by a rounding
        return cls(count, rounded, remainder, squares, minimum, maximum)

    def merge(self, other: Moments) -> Moments:
        """Summarise the rows of both.

        Raises
        ------
        ValueError
            If `other` is no Moments of as many columns.
        """
        check_same_kind(self, other)
        check_same_width(len(self.count), len(other.count))
        count = self.count + other.count
        share = other.count / np.maximum(count, 1)
        delta = mean_difference(self, other)
        rounded, remainder = _exact_sum(self.mean_rounded, self.mean_remainder + delta * share)
        alone = self.count == 0
        return Moments(
            count=count,
            mean_rounded=np.where(alone, other.mean_rounded, rounded),
            mean_remainder=np.where(alone, other.mean_remainder, remainder),
            squares=self.squares + other.squares + delta**2 * self.count * share,
            minimum=np.minimum(self.minimum, other.minimum),
            maximum=np.maximum(self.maximum, other.maximum),
        )

    @property
    def mean(self) -> np.ndarray:
        """Mean of each column, shape (n_features,); NaN for a column without values."""
        return np.where(self.count > 0, self.mean_rounded + self.mean_remainder, np.nan)

    @property
    def variance(self) -> np.ndarray:
        """Unbiased variance of each column, shape (n_features,); NaN below two values."""
        return np.where(self.count > 1, self.squares / np.maximum(self.count - 1, 1), np.nan)


def mean_difference(first: Moments, second: Moments) -> np.ndarray:
    """Mean of `second` less mean of `first`, per column, with all digits that two rounded means would lose.

    Examples
    --------
    >>> mean_difference(Moments.from_batch([1e9, 1e9 + 1]), Moments.from_batch([1e9, 1e9 + 2]))
    array([0.5])
    """
    return np.asarray((second.mean_rounded - first.mean_rounded) + (second.mean_remainder - first.mean_remainder))


def _exact_sum(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rounded sum and what rounding took from it (Knuth's two-sum)."""
    total = left + right
    part = total - left
    return total, (left - (total - part)) + (right - part)
