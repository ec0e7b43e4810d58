"""Floor 4: compares columns whose values are at hand, each by the test that fits its kind and size. Uses `stats`.

numbers, dates, lengths of text: Kolmogorov-Smirnov;  few different values, categories: chi-square, Fisher if rare
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinytorch.adapters.drift_facts import ColumnFacts, describe_categories, empty_facts, missing_pvalue
from tinytorch.adapters.tables import Column, Table
from tinytorch.mlops.drift._shares import compare_shares
from tinytorch.stats import FittedReference, ks_2samp

# Kolmogorov-Smirnov is far too careful on so few different values: it fires in 1% of cases at 5% on two of them.
MOST_COUNTED_VALUES = 20
# Up to so many pairs of values the law of Kolmogorov-Smirnov is counted out; beyond, its limit is as good and instant.
MOST_EXACT_PAIRS = 10_000
KS = "Kolmogorov-Smirnov"
CHI_SQUARE = "chi-square"


@dataclass(frozen=True, eq=False)
class FittedColumn:
    """One reference column, sorted and summed up once, to be compared with many current ones.

    Attributes
    ----------
    column : Column
    n_missing : int
    fitted : FittedReference or None
        None for a column that is counted or has no value.
    mean, spread : float

    Examples
    --------
    >>> fit_column(Column("age", "number", np.array([1.0, 3.0, np.nan]))).mean
    2.0
    """

    column: Column
    n_missing: int
    fitted: FittedReference | None
    mean: float
    spread: float

    def compare(self, current: Column) -> ColumnFacts:
        """Return what a current column shows against this one; categories must have the same codes."""
        missing = (self.n_missing, int(current.missing.sum()))
        rows = (len(self.column.values), len(current.values))
        if missing[0] == rows[0] or missing[1] == rows[1]:
            return empty_facts(current.name, current.kind, rows, missing)
        if self.fitted is None:
            return self._compare_counted(current, rows, missing)
        return self._compare_measured(current, self.fitted, rows, missing)

    def _compare_counted(self, current: Column, rows: tuple[int, int], missing: tuple[int, int]) -> ColumnFacts:
        """Compare shares of categories; those that the current table brought stand behind the reference's."""
        after = current.counts()
        before = np.bincount(self.column.values[self.column.values >= 0], minlength=len(after))
        change = compare_shares(before[np.newaxis], after[np.newaxis], "chi2")
        moved, unseen, unseen_share = describe_categories(current.categories, before, after)
        return ColumnFacts(
            current.name,
            current.kind,
            CHI_SQUARE,
            *rows,
            *missing,
            missing_pvalue(rows, missing),
            statistic=float(change.statistic[0]),
            pvalue=float(change.pvalue[0]),
            distance=float(change.distance[0]),
            categories=moved,
            unseen=unseen,
            unseen_share=unseen_share,
        )

    def _compare_measured(
        self, current: Column, fitted: FittedReference, rows: tuple[int, int], missing: tuple[int, int]
    ) -> ColumnFacts:
        """Compare distributions of numbers."""
        present, known = current.present, fitted.sorted_[0]
        test, statistic, pvalue, distance = compare_values(fitted, present)
        return ColumnFacts(
            current.name,
            current.kind,
            test,
            *rows,
            *missing,
            missing_pvalue(rows, missing),
            statistic=statistic,
            pvalue=pvalue,
            distance=distance,
            means=(self.mean, float(present.mean())),
            spreads=(self.spread, float(present.std())),
            share_below=float((present < known[0]).mean()),
            share_above=float((present > known[-1]).mean()),
            n_unreadable=current.n_unreadable,
        )


def fit_column(column: Column) -> FittedColumn:
    """Return a reference column, ready to be compared.

    Examples
    --------
    >>> fit_column(Column("age", "number", np.array([1.0, 2.0, 3.0]))).compare(
    ...     Column("age", "number", np.array([4.0, 5.0, 6.0]))).share_above
    1.0
    """
    n_missing = int(column.missing.sum())
    if not column.is_measured or n_missing == len(column.values):
        return FittedColumn(column, n_missing, None, float("nan"), float("nan"))
    present = column.present
    return FittedColumn(column, n_missing, FittedReference().fit(present), float(present.mean()), float(present.std()))


def fit_columns(table: Table, names: Sequence[str]) -> list[FittedColumn]:
    """Return the named columns of a reference, ready to be compared.

    Examples
    --------
    >>> len(fit_columns(Table((Column("age", "number", np.array([1.0, 2.0])),), "a.csv"), ["age"]))
    1
    """
    return [fit_column(table[name]) for name in names]


def compare_values(fitted: FittedReference, current: np.ndarray) -> tuple[str, float, float, float]:
    """Return the test that fits, its statistic and p-value, and the distance of the two samples.

    Examples
    --------
    >>> compare_values(FittedReference().fit([0.0, 1.0] * 50), np.array([0.0, 1.0] * 40))[0]
    'chi-square'
    >>> compare_values(FittedReference().fit(np.arange(50.0)), np.arange(50.0))
    ('Kolmogorov-Smirnov', 0.0, 1.0, 0.0)
    """
    counts = _counts_of_few_values(fitted.sorted_[0], current)
    if counts is None:
        method = "exact" if fitted.n_samples_ * len(current) <= MOST_EXACT_PAIRS else "asymp"
        result = ks_2samp(fitted, current, method=method)
        return KS, float(result.statistic[0]), float(result.pvalue[0]), float(result.statistic[0])
    change = compare_shares(counts[:1], counts[1:], "chi2")
    return CHI_SQUARE, float(change.statistic[0]), float(change.pvalue[0]), float(change.distance[0])


def _counts_of_few_values(reference: np.ndarray, current: np.ndarray) -> np.ndarray | None:
    """Return how often both samples hold each different value, (2, n_values), or None if there are many.

    A few rows of both are looked at first: they tell of nearly every column that it has many.
    """
    looked_at = np.concatenate([reference[:: max(1, len(reference) // 100)], current[: MOST_COUNTED_VALUES + 1]])
    if len(np.unique(looked_at)) > MOST_COUNTED_VALUES:
        return None
    first = np.append(0, np.flatnonzero(np.diff(reference)) + 1)
    if len(first) > MOST_COUNTED_VALUES:
        return None
    found, current_counts = np.unique(current, return_counts=True)
    values = np.union1d(reference[first], found)
    if len(values) > MOST_COUNTED_VALUES:
        return None
    counts = np.zeros((2, len(values)), dtype=np.int64)
    counts[0, np.searchsorted(values, reference[first])] = np.diff(np.append(first, len(reference)))
    counts[1, np.searchsorted(values, found)] = current_counts
    return counts
