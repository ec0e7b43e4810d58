"""Floor 4: rows that depend on their neighbours in time: how much they do, and a test that allows for it.

All columns share the same shuffles of whole blocks of rows, and each is held against the largest distance of any column
in each shuffle (Westfall and Young's maximum), so that no correction for their number is needed. Uses `stats`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tinytorch.adapters.tables import MISSING_CODE, Column, Table
from tinytorch.stats import lag1_autocorrelation, suggest_block_length
from tinytorch.stats.block_permutation import _largest_gaps, circular_block_labels

# Above it the usual tests raise visibly more false alarms than they promise: 0.08 at 0.05, and 0.57 at 0.8.
LARGEST_HARMLESS_CORRELATION = 0.2
# A correlation that chance gives n independent rows is normal with standard deviation 1 / sqrt(n): three of them are
# needed besides, so that short tables bring no false warnings. From 225 rows on that is below the limit itself.
NEEDED_DEVIATIONS = 3.0
FEWEST_ORDERED_ROWS = 20
# The first rows of a long table tell the correlation to a hundredth.
MOST_LOOKED_AT_ROWS = 10_000
# Shuffles hold a byte a row: with more rows than this, every second, third, ... of them is taken.
MOST_ORDERED_ROWS = 20_000
FEWEST_SHUFFLES = 499


def strongest_correlation(table: Table, names: Sequence[str]) -> tuple[str, float]:
    """Return the measured column whose neighbouring rows are most alike, and its lag-1 autocorrelation.

    Examples
    --------
    >>> table = Table((Column("age", "number", np.sin(np.arange(300) / 30)),), "a.csv")
    >>> name, correlation = strongest_correlation(table, ["age"])
    >>> name, round(correlation, 2)
    ('age', 1.0)
    """
    correlations = {name: _correlation(table[name]) for name in names}
    strongest = max(correlations, key=lambda name: correlations[name], default="")
    return strongest, correlations.get(strongest, 0.0)


def warn_if_alike(table: Table, names: Sequence[str]) -> tuple[str, ...]:
    """Return a warning if neighbouring rows of a column are alike, for tables whose rows cannot be shuffled.

    Examples
    --------
    >>> warn_if_alike(Table((Column("age", "number", np.sin(np.arange(300) / 30)),), "a.csv"), ["age"])[0][:44]
    'Warning: neighbouring rows of `age` are alik'
    """
    name, correlation = strongest_correlation(table, names)
    if correlation <= LARGEST_HARMLESS_CORRELATION:
        return ()
    return (f"Warning: {tell_alike(name, correlation)}. If the rows are in the order of time, p-values are too small.",)


def tell_alike(name: str, correlation: float) -> str:
    """Return in words that neighbouring rows are alike.

    Examples
    --------
    >>> tell_alike("age", 0.5)
    'neighbouring rows of `age` are alike (lag-1 autocorrelation 0.50)'
    """
    return f"neighbouring rows of `{name}` are alike (lag-1 autocorrelation {correlation:.2f})"


def sort_by_time(table: Table, time: str) -> Table:
    """Return the rows in the order of a time column; rows without a time come first.

    Raises
    ------
    ValueError
        If no row has a time.

    Examples
    --------
    >>> table = Table((Column("day", "date", np.array([2.0, 1.0])),), "a.csv")
    >>> sort_by_time(table, "day")["day"].values.tolist()
    [1.0, 2.0]
    """
    moments = table[time].values
    if np.isnan(moments).all():
        raise ValueError(
            f"time must name a column of dates or numbers, got {time!r}, in which {table.source} has none."
        )
    order = np.argsort(np.where(np.isnan(moments), -np.inf, moments), kind="stable")
    return table if (np.diff(order) == 1).all() else table.take(order)


def compare_in_time_order(
    reference: Table, current: Table, names: Sequence[str], alpha: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return p-values of the columns, each alone and adjusted for their number, by shuffles of blocks of rows.

    A missing value counts as the lowest of all, categories stand in the order of their frequency, and the statistic
    is Kolmogorov's distance.

    Parameters
    ----------
    reference, current : Table
        Rows in the order of time.
    names : sequence of str
    alpha : float
        Level of the verdict; there are shuffles enough to reach it.
    rng : numpy.random.Generator
        Draws the shuffles.

    References
    ----------
    P. Westfall and S. Young, Resampling-Based Multiple Testing (1993), section 2.3.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> before, after = (Table((Column("x", "number", rng.normal(mean, 1, 300)),), "") for mean in (0, 1))
    >>> compare_in_time_order(before, after, ["x"], 0.05, rng)[1]
    array([0.002])
    """
    step = math.ceil((reference.n_rows + current.n_rows) / MOST_ORDERED_ROWS)
    tables = [table.take(slice(None, None, step)) for table in (reference, current)]
    ranked = [_as_ranks(tables[0][name], tables[1][name]) for name in names]
    n_reference, n_current = tables[0].n_rows, tables[1].n_rows
    length = suggest_block_length(*np.split(np.column_stack(ranked), [n_reference]))
    n_shuffles = max(FEWEST_SHUFFLES, math.ceil(1.0 / alpha))
    labels = circular_block_labels((n_reference, n_current), length, n_shuffles, rng)
    gaps = np.stack([_largest_gaps(column, labels, n_reference) for column in ranked], axis=1)
    alone = (gaps[1:] >= gaps[0]).sum(axis=0)
    together = (gaps[1:].max(axis=1)[:, np.newaxis] >= gaps[0]).sum(axis=0)
    return (1.0 + alone) / (1.0 + n_shuffles), (1.0 + together) / (1.0 + n_shuffles)


def _correlation(column: Column) -> float:
    """Return the lag-1 autocorrelation of what a measured column holds, 0 where chance explains it."""
    if not column.is_measured:
        return 0.0
    present = column.present[:MOST_LOOKED_AT_ROWS]
    if len(present) < FEWEST_ORDERED_ROWS:
        return 0.0
    correlation = float(lag1_autocorrelation(present)[0])
    return correlation if correlation > NEEDED_DEVIATIONS / math.sqrt(len(present)) else 0.0


def _as_ranks(reference: Column, current: Column) -> np.ndarray:
    """Return both columns as one of finite numbers whose order is what counts: ranks of the distinct values."""
    if reference.is_measured:
        pooled = np.concatenate([reference.values, current.values])
        pooled = np.where(np.isnan(pooled), -np.inf, pooled)
    else:
        place = np.argsort(np.argsort(-reference.counts(), kind="stable"), kind="stable")
        codes = np.concatenate([reference.values, current.values])
        pooled = np.where(codes == MISSING_CODE, -1, place[codes])
    return np.unique(pooled, return_inverse=True)[1].astype(np.float64)
