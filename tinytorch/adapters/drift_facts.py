"""Floor 4: what is measured of one column in two tables, before anybody judges it. Numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinytorch.mlops._record import Record
from tinytorch.stats import fisher_exact_counts

# Categories that a report names, those whose share moved most.
CATEGORIES_SHOWN = 10


@dataclass(frozen=True)
class CategoryShare(Record):
    """The share of rows that one category has in either table.

    Examples
    --------
    >>> CategoryShare("red", 0.5, 0.25).change
    -0.25
    """

    name: str
    reference: float
    current: float

    @property
    def change(self) -> float:
        """The share in the current table less that in the reference."""
        return self.current - self.reference


@dataclass(frozen=True)
class ColumnFacts(Record):
    """One column of two tables: how much is missing, how the values compare, and which test says so.

    Attributes
    ----------
    name, kind, test : str
    n_reference, n_current : int
        Rows, missing values included.
    missing_reference, missing_current : int
    missing_pvalue : float
        Of equal missing rates, by Fisher's exact test.
    statistic, pvalue, distance : float
        Of the values that are there. `distance` is the largest gap of the distribution functions, or the share of
        rows that would have to change category.
    means, spreads : tuple of two floats
        Of reference and current; NaN for categories.
    share_below, share_above : float
        Share of current values below and above what the reference has seen.
    categories : tuple of CategoryShare
        Those that moved most.
    unseen : tuple of str
        Categories that the reference has not.
    unseen_share : float
    n_unreadable : int
        Current values that are not of the column's kind.
    rank_error : float
        By how much a share of reference values at or below any of them may be wrong; 0 where the rows are at hand.

    Examples
    --------
    >>> empty_facts("age", "number", (10, 10), (10, 0)).missing_rates
    (1.0, 0.0)
    """

    name: str
    kind: str
    test: str
    n_reference: int
    n_current: int
    missing_reference: int
    missing_current: int
    missing_pvalue: float
    statistic: float = 0.0
    pvalue: float = 1.0
    distance: float = 0.0
    means: tuple[float, float] = (float("nan"), float("nan"))
    spreads: tuple[float, float] = (float("nan"), float("nan"))
    share_below: float = 0.0
    share_above: float = 0.0
    categories: tuple[CategoryShare, ...] = ()
    unseen: tuple[str, ...] = ()
    unseen_share: float = 0.0
    n_unreadable: int = 0
    rank_error: float = 0.0

    @property
    def missing_rates(self) -> tuple[float, float]:
        """The shares of missing values in reference and current."""
        return self.missing_reference / max(1, self.n_reference), self.missing_current / max(1, self.n_current)

    @property
    def asks_missing(self) -> bool:
        """Whether any value is missing, so that its rate is a question of its own."""
        return self.missing_reference + self.missing_current > 0

    @property
    def shift(self) -> float:
        """The difference of the means in standard deviations of the reference; 0 where that says nothing."""
        spread = self.spreads[0]
        change = self.means[1] - self.means[0]
        return change / spread if np.isfinite(change) and np.isfinite(spread) and spread > 0 else 0.0


def empty_facts(name: str, kind: str, rows: tuple[int, int], missing: tuple[int, int]) -> ColumnFacts:
    """Return what can be said of a column whose values cannot be compared: its missing rates.

    Examples
    --------
    >>> empty_facts("age", "number", (50, 50), (0, 50)).missing_pvalue < 1e-9
    True
    """
    return ColumnFacts(name, kind, "missing rate only", *rows, *missing, missing_pvalue(rows, missing))


def missing_pvalue(rows: tuple[int, int], missing: tuple[int, int]) -> float:
    """Return the p-value of equal missing rates.

    Examples
    --------
    >>> missing_pvalue((100, 100), (0, 0))
    1.0
    """
    if not any(missing):
        return 1.0
    counts = [np.array([count]) for count in missing]
    return float(fisher_exact_counts(counts[0], rows[0], counts[1], rows[1]).pvalue[0])


def describe_categories(
    categories: tuple[str, ...], reference: np.ndarray, current: np.ndarray
) -> tuple[tuple[CategoryShare, ...], tuple[str, ...], float]:
    """Return the categories that moved most, those that the reference has not, and the share of rows they have.

    Examples
    --------
    >>> moved, unseen, share = describe_categories(("red", "blue"), np.array([4, 0]), np.array([2, 2]))
    >>> [item.name for item in moved], unseen, share
    (['red', 'blue'], ('blue',), 0.5)
    """
    before, after = reference / max(1, reference.sum()), current / max(1, current.sum())
    order = np.argsort(-np.abs(after - before), kind="stable")[:CATEGORIES_SHOWN]
    moved = tuple(CategoryShare(categories[code], float(before[code]), float(after[code])) for code in order)
    is_unseen = (reference == 0) & (current > 0)
    unseen = sorted(np.flatnonzero(is_unseen).tolist(), key=lambda code: -current[code])
    return moved, tuple(categories[code] for code in unseen), float(after[is_unseen].sum())
