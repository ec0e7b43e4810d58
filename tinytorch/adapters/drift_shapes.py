"""Floor 4: the two distributions of a column in few numbers, to be drawn over each other. Numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinytorch.adapters.drift_exact import FittedColumn
from tinytorch.adapters.tables import Column

# Bins of a drawing: Rice's rule, twice the cube root of the rows, between these two; finer ones show noise.
FEWEST_BINS, DRAWN_BINS = 12, 40
# The drawing ends where so small a share of either table lies beyond; what does is drawn in the last bin.
TAIL_SHARE = 0.002
SECONDS_PER_DAY = 86_400.0
# Categories with a bar of their own.
DRAWN_CATEGORIES = 12


@dataclass(frozen=True, eq=False)
class ColumnShape:
    """Shares of rows per bin or category.

    Attributes
    ----------
    name, kind : str
    edges : ndarray of shape (n_bins + 1,)
        Empty for categories.
    labels : tuple of str
        Names of the categories; empty for measured columns.
    reference, current : ndarray of shape (n_bins,) or (n_categories,)
        Shares of the values that are there.

    Examples
    --------
    >>> ColumnShape("age", "number", np.array([0.0, 1.0]), (), np.array([1.0]), np.array([1.0])).is_drawable
    True
    """

    name: str
    kind: str
    edges: np.ndarray
    labels: tuple[str, ...]
    reference: np.ndarray
    current: np.ndarray

    @property
    def is_drawable(self) -> bool:
        """Whether there is anything to draw."""
        return len(self.reference) > 0


def shape_column(fitted: FittedColumn, current: Column) -> ColumnShape:
    """Return how a current column lies over a reference column.

    Examples
    --------
    >>> from tinytorch.adapters.drift_exact import fit_column
    >>> column = Column("age", "number", np.arange(100.0))
    >>> shape_column(fit_column(column), column).reference.sum().round(6)
    np.float64(1.0)
    """
    present = current.present
    if not current.is_measured:
        return shape_categories(current.name, current.categories, _padded(fitted.column, current), current.counts())
    if fitted.fitted is None or not present.size:
        return ColumnShape(current.name, current.kind, np.empty(0), (), np.empty(0), np.empty(0))
    known, values = fitted.fitted.sorted_[0], np.sort(present)
    low, high = (
        pick(_at(known, share), _at(values, share)) for pick, share in ((min, TAIL_SHARE), (max, 1 - TAIL_SHARE))
    )
    edges = bin_edges(low, high, _unit(known, values, current.kind), min(len(known), len(values)))
    shares = [
        _shares_between(np.searchsorted(sample, edges[1:-1], side="right"), len(sample)) for sample in (known, values)
    ]
    return ColumnShape(current.name, current.kind, edges, (), *shares)


def shape_categories(name: str, categories: tuple[str, ...], before: np.ndarray, after: np.ndarray) -> ColumnShape:
    """Return the shares of the most frequent categories, the rest together.

    Examples
    --------
    >>> shape_categories("colour", ("red", "blue"), np.array([1, 3]), np.array([2, 2])).labels
    ('blue', 'red')
    """
    p, q = before / max(1, before.sum()), after / max(1, after.sum())
    order = np.argsort(-np.maximum(p, q), kind="stable")
    shown, rest = order[:DRAWN_CATEGORIES], order[DRAWN_CATEGORIES:]
    labels = tuple(categories[code] for code in shown)
    if len(rest):
        labels += (f"{len(rest)} others",)
        p, q = np.append(p[shown], p[rest].sum()), np.append(q[shown], q[rest].sum())
    else:
        p, q = p[shown], q[shown]
    return ColumnShape(name, "category", np.empty(0), labels, p, q)


def bin_edges(low: float, high: float, unit: float = 0.0, n_rows: int | None = None) -> np.ndarray:
    """Return the edges of at most 40 bins from low to high; a single value gets bins around it.

    Parameters
    ----------
    low, high : float
    unit : float
        If above 0, all values are multiples of it, and each bin holds equally many of them: whole numbers in bins of
        uneven widths would look like a comb.
    n_rows : int, optional
        Of the smaller table: fewer rows get fewer bins.

    Examples
    --------
    >>> len(bin_edges(0.0, 1.0)), bool(bin_edges(7.0, 7.0)[0] < 7.0)
    (41, True)
    >>> bin_edges(0.0, 3.0, unit=1.0)
    array([-0.5,  0.5,  1.5,  2.5,  3.5])
    """
    most = DRAWN_BINS if n_rows is None else int(np.clip(2 * np.cbrt(n_rows), FEWEST_BINS, DRAWN_BINS))
    if unit > 0:
        step = unit * np.ceil(((high - low) / unit + 1) / most)
        n_bins = int(np.ceil((high - low + unit) / step))
        return np.asarray(low - unit / 2 + step * np.arange(n_bins + 1))
    if not low < high:
        low, high = low - max(0.5, abs(low) * 0.01), high + max(0.5, abs(high) * 0.01)
    return np.linspace(low, high, most + 1)


def _unit(reference: np.ndarray, current: np.ndarray, kind: str) -> float:
    """Return the unit that all values are multiples of, 0 if there is none: 1, or for dates a day."""
    unit = SECONDS_PER_DAY if kind == "date" else 1.0
    looked_at = np.concatenate([reference[:: max(1, len(reference) // 1000)], current[:: max(1, len(current) // 1000)]])
    return unit if not np.mod(looked_at, unit).any() else 0.0


def _padded(reference: Column, current: Column) -> np.ndarray:
    """Count the reference's categories in the current column's codes."""
    return np.bincount(reference.values[reference.values >= 0], minlength=len(current.categories))


def _at(sample: np.ndarray, share: float) -> float:
    """Return the value below which a share of a sorted sample lies."""
    return float(sample[min(len(sample) - 1, int(share * len(sample)))])


def _shares_between(upto: np.ndarray, n_values: int) -> np.ndarray:
    """Turn counts up to each inner edge into shares per bin."""
    return np.diff(np.concatenate([[0], upto, [n_values]])) / n_values
