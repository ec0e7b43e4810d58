"""One summary of a whole table, to be merged, stored and compared later. Imports numpy only; writes where told."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any, TypeVar, get_type_hints

import numpy as np
from numpy.typing import ArrayLike

from tinytorch._arguments import check_integer
from tinytorch._storage import load_npz, save_npz
from tinytorch.stats.summaries._checks import check_same_kind
from tinytorch.stats.summaries.categories import CategoryCounts, as_any_table, missing_cells
from tinytorch.stats.summaries.histogram import Histogram, quantile_edges
from tinytorch.stats.summaries.missing import Missing
from tinytorch.stats.summaries.moments import Moments
from tinytorch.stats.summaries.quantiles import Quantiles

# Written into every file, so that later versions can tell how to read it.
FORMAT = 1

Part = TypeVar("Part")


@dataclass(frozen=True, eq=False)
class TableSummary:
    """Everything the tests on summaries need of a table, in a size that does not grow with its rows.

    Attributes
    ----------
    numeric, categorical : ndarray of int64
        Which columns of the table are numbers and which are categories.
    missing : Missing
        Of all columns, in the table's order.
    moments : Moments
        Of the numeric columns, as are the next two.
    histogram : Histogram
    quantiles : Quantiles
    categories : CategoryCounts
        Of the categorical columns.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> reference = TableSummary.from_batch(rng.normal(size=(100, 2)), rng=rng)
    >>> current = TableSummary.from_batch(rng.normal(size=(50, 2)), rng=rng, edges=reference.histogram.edges)
    >>> reference.merge(current).moments.count
    array([150, 150])
    """

    numeric: np.ndarray
    categorical: np.ndarray
    missing: Missing
    moments: Moments
    histogram: Histogram
    quantiles: Quantiles
    categories: CategoryCounts

    @classmethod
    def from_batch(
        cls,
        batch: ArrayLike,
        *,
        rng: np.random.Generator,
        edges: ArrayLike | None = None,
        categorical: Collection[int] = (),
    ) -> TableSummary:
        """Summarise a table.

        Parameters
        ----------
        batch : array_like of shape (n_samples, n_features) or (n_samples,)
            Numbers, or objects where some columns are text. NaN and None are missing.
        rng : numpy.random.Generator
            Tosses the coins of the quantile sketch; a generator of its own for every part that will be merged.
        edges : array_like of shape (n_numeric, n_bins - 1) or (n_bins - 1,), optional
            Inner edges of the histograms; by default the deciles of this very batch. Parts of one whole, and what is
            to be compared, need the same edges: hand the first one's `histogram.edges` to the others.
        categorical : collection of int
            The columns that are categories; at least one column must be left that is not.

        Raises
        ------
        ValueError
            If `batch` is no table, a numeric column holds text or an infinity, or an argument breaks its rule.
        """
        table = as_any_table(batch)
        chosen = sorted({check_integer(column, "categorical column") for column in categorical})
        numeric = np.setdiff1d(np.arange(table.shape[1]), chosen)
        if not len(numeric) or (chosen and chosen[-1] >= table.shape[1]):
            raise ValueError(f"categorical must leave a column of the {table.shape[1]} numeric, got {chosen}.")
        numbers = _numeric_columns(table[:, numeric])
        return cls(
            numeric=numeric,
            categorical=np.array(chosen, dtype=np.int64),
            missing=Missing.from_batch(table),
            moments=Moments.from_batch(numbers),
            histogram=Histogram.from_batch(numbers, edges=quantile_edges(numbers) if edges is None else edges),
            quantiles=Quantiles.from_batch(numbers, rng=rng),
            categories=CategoryCounts.from_batch(table[:, chosen]) if chosen else CategoryCounts((), ()),
        )

    def merge(self, other: TableSummary) -> TableSummary:
        """Summarise the rows of both.

        Raises
        ------
        ValueError
            If `other` is no TableSummary of the same columns and edges.
        """
        check_same_kind(self, other)
        if not np.array_equal(self.categorical, other.categorical):
            raise ValueError(f"other must have the categorical columns {self.categorical}, got {other.categorical}.")
        return TableSummary(
            self.numeric,
            self.categorical,
            missing=self.missing.merge(other.missing),
            moments=self.moments.merge(other.moments),
            histogram=self.histogram.merge(other.histogram),
            quantiles=self.quantiles.merge(other.quantiles),
            categories=self.categories.merge(other.categories),
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write to exactly `path`, in numpy's `.npz` format, without pickle; whole or not at all.

        Examples
        --------
        >>> import tempfile
        >>> rng = np.random.default_rng(0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     TableSummary.from_batch(rng.normal(size=(100, 2)), rng=rng).save(f"{folder}/reference.npz")
        ...     TableSummary.load(f"{folder}/reference.npz").moments.count
        array([100, 100])
        """
        save_npz(path, {"format": np.array(FORMAT), **_packed(self, "")})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> TableSummary:
        """Read what `save` wrote.

        Raises
        ------
        ValueError
            If the file is damaged, holds a pickle, or is no TableSummary of a known format.
        """
        arrays = load_npz(path)
        if arrays.get("format", np.array(0)).tolist() != FORMAT:
            raise ValueError(f"path must name a TableSummary of format {FORMAT}, got {os.fspath(path)!r}.")
        try:
            return _unpacked(cls, arrays, "")
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"path must name a whole TableSummary, got {os.fspath(path)!r} ({error}).") from error


def _numeric_columns(table: np.ndarray) -> np.ndarray:
    """Turn the numeric columns of a table of any dtype into float64, None into NaN."""
    try:
        return np.where(missing_cells(table), np.nan, table).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"batch must hold numbers outside its categorical columns ({error}).") from error


def _packed(record: Any, prefix: str) -> dict[str, np.ndarray]:
    """Spread a summary over named arrays: parts by a dot, the members of a tuple by their number."""
    arrays: dict[str, np.ndarray] = {}
    for field in fields(record):
        value, name = getattr(record, field.name), prefix + field.name
        if isinstance(value, tuple):
            arrays[f"{name}.length"] = np.array(len(value))
            arrays |= {f"{name}.{number}": member for number, member in enumerate(value)}
        elif isinstance(value, (int, np.ndarray)):
            arrays[name] = np.asarray(value)
        else:
            arrays |= _packed(value, f"{name}.")
    return arrays


def _unpacked(kind: type[Part], arrays: dict[str, np.ndarray], prefix: str) -> Part:
    """Put a summary together from the arrays of `_packed`."""
    values: dict[str, Any] = {}
    for name, hint in get_type_hints(kind).items():
        key = prefix + name
        if hint is int:
            values[name] = int(arrays[key])
        elif hint is np.ndarray:
            values[name] = arrays[key]
        elif f"{key}.length" in arrays:
            values[name] = tuple(arrays[f"{key}.{number}"] for number in range(int(arrays[f"{key}.length"])))
        else:
            values[name] = _unpacked(hint, arrays, f"{key}.")
    return kind(**values)
