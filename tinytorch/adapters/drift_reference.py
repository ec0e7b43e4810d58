"""Floor 4: the side that is compared with: rows at hand, a file of sorted values, or counts between edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinytorch.adapters.drift_exact import FittedColumn, fit_column
from tinytorch.adapters.drift_facts import ColumnFacts
from tinytorch.adapters.drift_profile import ColumnProfile, aligned_counts, profile_column
from tinytorch.adapters.drift_shapes import ColumnShape, bin_edges, shape_categories, shape_column
from tinytorch.adapters.tables import Column, Table

# The open bins at either end of a profile are drawn this share of its width beyond the outermost edges.
MARGIN = 0.05


@dataclass(frozen=True, eq=False)
class Reference:
    """A reference, ready to be compared with many current tables.

    Attributes
    ----------
    source : str
    n_rows : int
    columns : tuple of FittedColumn or ColumnProfile
    rows : Table or None
        The rows themselves, where they are at hand: tests of all columns together need them.
    notes : tuple of str

    Examples
    --------
    >>> reference = fit_reference(Table((Column("age", "number", np.arange(40.0)),), "a.csv"), ["age"])
    >>> reference.names, reference.compare(reference.rows)[0].pvalue
    (('age',), 1.0)
    """

    source: str
    n_rows: int
    columns: tuple[FittedColumn | ColumnProfile, ...]
    rows: Table | None = None
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(_described(one).name for one in self.columns)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the columns."""
        return tuple(_described(one).kind for one in self.columns)

    @property
    def rank_error(self) -> float:
        """The largest error of a rank in any column; 0 where all values are at hand."""
        return max((one.rank_error for one in self.columns if isinstance(one, ColumnProfile)), default=0.0)

    def compare(self, current: Table) -> list[ColumnFacts]:
        """Return the facts of each column, against the column of its name."""
        return [one.compare(current[name]) for one, name in zip(self.columns, self.names, strict=True)]

    def shapes(self, current: Table) -> tuple[ColumnShape, ...]:
        """Return the two distributions of each column."""
        pairs = zip(self.columns, self.names, strict=True)
        return tuple(
            shape_column(one, current[name]) if isinstance(one, FittedColumn) else shape_profiles(one, current[name])
            for one, name in pairs
        )

    def select(self, names: Sequence[str]) -> Reference:
        """Return the reference with some of its columns."""
        kept = tuple(one for one, name in zip(self.columns, self.names, strict=True) if name in names)
        return Reference(self.source, self.n_rows, kept, self.rows, self.notes)


def fit_reference(table: Table, names: Sequence[str]) -> Reference:
    """Return a reference of the named columns of a table in memory.

    Examples
    --------
    >>> fit_reference(Table((Column("age", "number", np.arange(40.0)),), "a.csv"), ["age"]).n_rows
    40
    """
    columns = tuple(fit_column(table[name]) for name in names)
    return Reference(table.source, table.n_rows, columns, table)


def shape_profiles(reference: ColumnProfile, current: Column | ColumnProfile) -> ColumnShape:
    """Return the two distributions of a column of which only counts are known.

    Within a bin of the profile values are taken to lie evenly.

    Examples
    --------
    >>> column = Column("age", "number", np.arange(1000.0))
    >>> shape = shape_profiles(profile_column(column), column)
    >>> bool(abs(shape.reference.sum() - 1) < 1e-9)
    True
    """
    other = current if isinstance(current, ColumnProfile) else profile_column(current, reference)
    if reference.categories is not None:
        return shape_categories(reference.name, *aligned_counts(reference, other))
    if reference.histogram is None or other.histogram is None:
        return ColumnShape(reference.name, reference.kind, np.empty(0), (), np.empty(0), np.empty(0))
    edges = reference.histogram.edges[0]
    margin = (edges[-1] - edges[0]) * MARGIN or max(1.0, abs(edges[0]) * MARGIN)
    knots = np.concatenate([[edges[0] - margin], edges, [edges[-1] + margin]])
    drawn = bin_edges(knots[0], knots[-1])
    before, after = (_spread_evenly(one.counts[0], knots, drawn) for one in (reference.histogram, other.histogram))
    return ColumnShape(reference.name, reference.kind, drawn, (), before, after)


def _spread_evenly(counts: np.ndarray, knots: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Return the shares of counts between knots in other bins, as if values lay evenly between knots."""
    upto = np.interp(drawn, knots, np.append(0, np.cumsum(counts)))
    shares: np.ndarray = np.diff(upto) / max(1, counts.sum())
    return shares


def _described(one: FittedColumn | ColumnProfile) -> Column | ColumnProfile:
    """Return what knows a column's name and kind."""
    return one.column if isinstance(one, FittedColumn) else one
