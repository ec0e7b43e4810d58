"""Tests whether the categories of a column come in other shares than in the reference.

    O = counts of one sample and category, E = row total * column total / grand total
    chi-square = sum (O - E)^2 / E,   G = 2 sum O log(O / E),   each with (categories - 1) degrees of freedom
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from tinytorch.stats._results import TwoSampleResult
from tinytorch.stats.special import chi2_sf

# Integer codes that span no more than this many values per column are counted in a flat table, others by their name.
WIDEST_TABLE = 4096
# Codes turned into cells at once: 64,000 of eight bytes stay in the cache between the two passes over them.
CODES_AT_ONCE = 64_000


class FittedCategories:
    """The category counts of a reference sample, taken once; `chi2_test` and `g_test` accept it.

    Attributes
    ----------
    n_samples_, n_features_ : int
    counts_ : list of dict
        How often each category occurs, one dictionary a column.

    Examples
    --------
    >>> FittedCategories().fit(["red", "blue", "red"]).counts_
    [{'blue': 1, 'red': 2}]
    """

    n_samples_: int
    n_features_: int
    counts_: list[dict[Hashable, int]]

    def fit(self, reference: ArrayLike) -> FittedCategories:
        """Count `reference`, integers, booleans or text of shape (n_samples, n_features) or (n_samples,).

        Raises
        ------
        ValueError
            If it is no table of categories, is empty, or has missing values.
        """
        table = as_categories(reference, "reference")
        counts = [_counts_by_name(column) for column in table.T]
        self.n_samples_, self.n_features_ = table.shape
        self.counts_ = counts
        self._low, self._table = _count_table(counts)
        return self

    def tabulate(self, current: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Count `current` beside the reference: two (n_features, n_cells) tables, unseen categories included.

        Raises
        ------
        ValueError
            If current is no table of categories, its width differs, or nothing has been fitted.
        """
        if not hasattr(self, "counts_"):
            raise ValueError("reference must be fitted before it is used, got an unfitted one.")
        table = as_categories(current, "current")
        if table.shape[1] != self.n_features_:
            raise ValueError(f"current must have the {self.n_features_} columns of reference, got {table.shape[1]}.")
        if self._table is not None and table.dtype.kind in "iub":
            low, high = int(table.min()), int(table.max())
            if self._low <= low and high < self._low + self._table.shape[1]:
                return self._table, _flat_counts(table, self._low, self._table.shape[1])
        return _tables_by_name(self.counts_, [_counts_by_name(column) for column in table.T])


def chi2_test(reference: ArrayLike | FittedCategories, current: ArrayLike) -> TwoSampleResult:
    """Test per column whether categories come in the same shares, by Pearson's chi-square.

    Statistic and p-value are those of `scipy.stats.chi2_contingency(table, correction=False)` on the 2 by
    categories table of counts. Categories that only one sample has count like all others. A column with a single
    category has statistic 0 and p-value 1. Where a category is expected fewer than about five times, it rejects less
    often than its level: 0.033 at 0.05.

    Parameters
    ----------
    reference : array_like of shape (n, n_features) or (n,), or FittedCategories
        Integers, booleans or text.
    current : array_like of shape (m, n_features) or (m,)

    Returns
    -------
    TwoSampleResult
        The effect size is Cramer's V, from 0 to 1 (1: no category in common). With two samples it equals Cohen's
        w of the table. For the same shift it is largest when both samples have one size.

    Raises
    ------
    ValueError
        If a sample is no table of categories, is empty or has missing values, or the columns differ.

    References
    ----------
    K. Pearson, On the criterion that a given system of deviations ... (1900).
    H. Cramer, Mathematical Methods of Statistics (1946), section 21.9.

    Examples
    --------
    >>> result = chi2_test(["red"] * 30 + ["blue"] * 30, ["red"] * 20 + ["green"] * 20)
    >>> result.statistic.round(6), result.effect_size.round(3)
    (array([50.]), array([0.707]))
    """
    observed, expected = _contingency(reference, current)
    return _compared(_pearson(observed, expected), observed, expected)


def g_test(reference: ArrayLike | FittedCategories, current: ArrayLike) -> TwoSampleResult:
    """Test per column whether categories come in the same shares, by the likelihood ratio.

    Statistic and p-value are those of `scipy.stats.chi2_contingency(table, correction=False,
    lambda_="log-likelihood")`; everything else is as in `chi2_test`, the effect size (Cramer's V, which rests on
    Pearson's statistic) included. On few rows it rejects too often, where `chi2_test` does not: at 0.05 in 0.10 of
    cases with 10 rows each in five categories, in 0.07 with 50 against 20.

    Raises
    ------
    ValueError
        As `chi2_test`.

    References
    ----------
    S. Wilks, The likelihood test of independence in contingency tables (1935).

    Examples
    --------
    >>> g_test([0, 0, 1, 1], [0, 1, 0, 1]).pvalue
    array([1.])
    """
    observed, expected = _contingency(reference, current)
    ratio = np.divide(observed, expected, where=observed > 0, out=np.ones_like(expected))
    statistic = 2.0 * (observed * np.log(ratio)).sum(axis=(0, 2))
    return _compared(np.maximum(statistic, 0.0), observed, expected)


def as_categories(values: ArrayLike, name: str) -> np.ndarray:
    """Return `values` as a table of categories, or say what is wrong with it.

    Examples
    --------
    >>> as_categories(["a", "b"], "current").shape
    (2, 1)
    >>> as_categories([0.5, 1.5], "current")
    Traceback (most recent call last):
    ...
    ValueError: current must hold integers, booleans or text, got float64.
    """
    try:
        table = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} must be a rectangular array of categories, got ragged rows.") from error
    if table.ndim == 1:
        table = table[:, np.newaxis]
    if table.ndim != 2 or table.size == 0:
        raise ValueError(f"{name} must have 1 or 2 dimensions and at least one value, got shape {table.shape}.")
    if table.dtype.kind not in "iubUSO":
        raise ValueError(f"{name} must hold integers, booleans or text, got {table.dtype}.")
    n_missing = _count_missing(table)
    if n_missing:
        raise ValueError(f"{name} must hold no missing values (they have a test of their own), got {n_missing}.")
    return table


def _count_missing(table: np.ndarray) -> int:
    """Count None and NaN, which only Python objects can be here."""
    if table.dtype.kind != "O":
        return 0
    return sum(value is None or value != value for value in table.ravel().tolist())


def _contingency(reference: ArrayLike | FittedCategories, current: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return observed and expected counts, both of shape (2, n_features, n_cells)."""
    fitted = reference if isinstance(reference, FittedCategories) else FittedCategories().fit(reference)
    observed = np.stack(fitted.tabulate(current)).astype(np.float64)
    rows = observed.sum(axis=2, keepdims=True)
    return observed, rows * (observed.sum(axis=0) / rows.sum(axis=0))


def _pearson(observed: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Sum (O - E)^2 / E over samples and the categories in use."""
    parts = np.divide((observed - expected) ** 2, expected, where=expected > 0, out=np.zeros_like(expected))
    return np.asarray(parts.sum(axis=(0, 2)))


def _compared(statistic: np.ndarray, observed: np.ndarray, expected: np.ndarray) -> TwoSampleResult:
    """Attach the p-value and Cramer's V."""
    dof = (observed.sum(axis=0) > 0).sum(axis=1) - 1
    statistic = np.where(dof == 0, 0.0, statistic)
    effect = np.sqrt(_pearson(observed, expected) / observed.sum(axis=(0, 2)))
    return TwoSampleResult(statistic, chi2_sf(statistic, dof), np.where(dof == 0, 0.0, np.minimum(effect, 1.0)))


def _counts_by_name(column: np.ndarray) -> dict[Hashable, int]:
    """Count a column of any kind; Python objects need not be sortable."""
    if column.dtype.kind == "O":
        return dict(Counter(column.tolist()))
    names, counts = np.unique(column, return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))


def _count_table(counts: Sequence[dict[Hashable, int]]) -> tuple[int, np.ndarray | None]:
    """Return the lowest code and a (n_features, n_codes) table, or no table if names are no close integers."""
    names: set[Hashable] = set().union(*counts)
    codes = [name for name in names if isinstance(name, int)]
    if len(codes) < len(names) or max(codes) - min(codes) >= WIDEST_TABLE:
        return 0, None
    span = range(min(codes), max(codes) + 1)
    return span.start, np.array([[column.get(code, 0) for code in span] for column in counts], dtype=np.int64)


def _flat_counts(table: np.ndarray, low: int, width: int) -> np.ndarray:
    """Count all columns at once, some rows at a time: column f uses the cells from f * width on."""
    n_rows, n_columns = table.shape
    offset = np.arange(n_columns) * width - low
    counts = np.zeros(n_columns * width, dtype=np.int64)
    at_once = max(1, CODES_AT_ONCE // n_columns)
    cells = np.empty((min(at_once, n_rows), n_columns), dtype=np.int64)
    for start in range(0, n_rows, at_once):
        part = table[start : start + at_once]
        np.add(part, offset, out=cells[: part.shape[0]], dtype=np.int64)
        counts += np.bincount(cells[: part.shape[0]].ravel(), minlength=counts.size)
    return counts.reshape(n_columns, width)


def _tables_by_name(
    reference: Sequence[dict[Hashable, int]], current: Sequence[dict[Hashable, int]]
) -> tuple[np.ndarray, np.ndarray]:
    """Lay the counts of both samples side by side, one cell per category that either has."""
    names = [list(dict.fromkeys([*left, *right])) for left, right in zip(reference, current, strict=True)]
    tables = np.zeros((2, len(names), max(len(column) for column in names)), dtype=np.int64)
    for row, column in enumerate(names):
        tables[0, row, : len(column)] = [reference[row].get(name, 0) for name in column]
        tables[1, row, : len(column)] = [current[row].get(name, 0) for name in column]
    return tables[0], tables[1]
