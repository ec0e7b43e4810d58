"""Floor 2, drift: columns of categories, by chi-square or G, and categories that the reference never had.

What it adds to `univariate`: codes and text have no order, so no distance between values may be used; a new category
is news in itself. May import contracts and `stats`.
"""

from __future__ import annotations

from collections.abc import Hashable
from enum import Enum

import numpy as np

from tinytorch._arguments import check_choice, check_in_range
from tinytorch.mlops.contracts import DriftReport
from tinytorch.mlops.drift._common import (
    DEFAULT_DRIFT_ALPHA,
    DEFAULT_MINIMUM_EFFECT,
    equivalent_shift,
    name_features,
    require_fitted,
)
from tinytorch.mlops.drift._shares import SHARE_TESTS, compare_shares
from tinytorch.mlops.validate import as_features, check_columns, check_rows, to_array
from tinytorch.stats import FittedCategories, adjust_pvalues

# Whole numbers above this one are no longer exact in float64.
LARGEST_CODE = 2.0**53
# What a table with text may hold: what can be compared with itself and counted.
TEXT_KINDS = (str, bytes, bool, int, float, type(None))


class MissingCategory(Enum):
    """What None and NaN become among text: a category like any other, under a name that no text has.

    Examples
    --------
    >>> MissingCategory.MISSING.value
    'missing'
    """

    MISSING = "missing"


class CategoricalDetector:
    """Flags columns whose categories come in other shares, with the chance of any false flag at most `alpha`.

    Categories that only the window has are counted, and named by `unseen_categories`; missing values are a category
    of their own. Rare categories (fewer than 5 rows expected) are counted together and judged by Fisher's exact test.
    P-values are corrected by Holm's method. The effect size is the shift of a normal distribution, in standard
    deviations, that would move the same share of the rows: 0.2 (8% of them) is small, 0.8 (31%) large. With many
    categories and few rows, chance alone moves more than a small share; the p-value knows, the effect size does not.

    Parameters
    ----------
    alpha : float
        Chance that a window without drift has any column flagged, at most.
    minimum_effect : float
        In standard deviations.
    test : str
        "chi2" (Pearson) or "g" (likelihood ratio).
    text : bool
        Whether tables hold text or other Python values. By default they hold whole numbers, and text is refused.
    feature_names : sequence of str, optional

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> detector = CategoricalDetector(text=True, feature_names=("browser",)).fit(rng.choice(["a", "b"], (500, 1)))
    >>> current = rng.choice(["a", "b", "new"], (200, 1))
    >>> print(detector.detect_drift(current, now=0.0))
    drift (high) in 1 of 1 features: browser
    >>> detector.unseen_categories(current)
    {'browser': ('new',)}
    """

    def __init__(
        self,
        alpha: float = DEFAULT_DRIFT_ALPHA,
        minimum_effect: float = DEFAULT_MINIMUM_EFFECT,
        test: str = "chi2",
        text: bool = False,
        feature_names: tuple[str, ...] | None = None,
    ) -> None:
        self.alpha = check_in_range(alpha, "alpha", 0, 1, open_ends=True)
        self.minimum_effect = check_in_range(minimum_effect, "minimum_effect", 0.0, np.inf)
        self.test = check_choice(test, "test", SHARE_TESTS)
        self.text = bool(text)
        self.feature_names = None if feature_names is None else tuple(feature_names)

    def fit(self, reference: np.ndarray) -> CategoricalDetector:
        """Count the reference, whole numbers or text of shape (n, n_features); NaN and None are missing values.

        Raises
        ------
        ValueError
            If it is malformed, has fewer than 2 rows, a column without any value, or not one column per name.
        """
        table = self._read(reference, "reference")
        empty = np.flatnonzero(_is_missing(table).all(axis=0))
        if empty.size:
            raise ValueError(f"reference must have a value in every column, got none in column {empty[0]}.")
        if self.feature_names is not None:
            check_columns(table, len(self.feature_names), "reference")
        missing_code = None if self.text else int(np.nanmin(table)) - 1
        self.reference_ = FittedCategories().fit(_encode(table, missing_code))
        self.categories_ = tuple(_distinct(column) for column in table.T)
        self.feature_names_ = name_features(self.feature_names, table.shape[1])
        self._missing_code = missing_code
        return self

    def detect_drift(self, current: np.ndarray, now: float) -> DriftReport:
        """Compare a window of shape (n, n_features) with the reference.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the window is malformed or has other columns than the reference.
        """
        table = self._read_window(current, "detect_drift")
        change = compare_shares(*self.reference_.tabulate(_encode(table, self._missing_code)), self.test)
        return DriftReport(
            feature_names=self.feature_names_,
            method=f"{'Chi-square' if self.test == 'chi2' else 'G'} of categories, holm",
            statistic=change.statistic,
            pvalue=change.pvalue,
            adjusted_pvalue=adjust_pvalues(change.pvalue, "holm"),
            effect_size=equivalent_shift(change.distance, self.reference_.n_samples_ + len(table)),
            missing_rate=_is_missing(table).mean(axis=0),
            alpha=self.alpha,
            minimum_effect=self.minimum_effect,
            n_reference=self.reference_.n_samples_,
            n_current=len(table),
            timestamp=now,
        )

    def unseen_categories(self, current: np.ndarray) -> dict[str, tuple[Hashable, ...]]:
        """Return, by feature, the categories of a window that the reference never had; where there are none, no entry.

        Raises
        ------
        NotFittedError, ValueError
            As `detect_drift`.
        """
        table = self._read_window(current, "unseen_categories")
        found = {}
        for name, column, known in zip(self.feature_names_, table.T, self.categories_, strict=True):
            unseen = _distinct(column) - known
            if unseen:
                found[name] = tuple(sorted(unseen, key=lambda value: (str(type(value)), value)))
        return found

    def _read_window(self, current: np.ndarray, method: str) -> np.ndarray:
        """Return a window that has the reference's columns."""
        require_fitted(self, method)
        table = self._read(current, "current")
        check_columns(table, self.reference_.n_features_, "current")
        return table

    def _read(self, values: np.ndarray, name: str) -> np.ndarray:
        """Return a table of whole numbers or, with `text`, of Python values."""
        table = _as_text(values, name) if self.text else _as_codes(values, name)
        check_rows(table, name, minimum=2)
        return table


def _as_codes(values: np.ndarray, name: str) -> np.ndarray:
    """Return a float64 table of whole numbers and NaN, or say what is wrong with it."""
    table = as_features(values, name, allow_missing=True)
    wrong = table[(table != np.rint(table)) & ~np.isnan(table) | (np.abs(table) > LARGEST_CODE)]
    if wrong.size:
        raise ValueError(f"{name} must hold categories as whole numbers up to 2**53 in size, got {wrong[0]:g}.")
    return table


def _as_text(values: np.ndarray, name: str) -> np.ndarray:
    """Return a table of hashable Python values, or say what is wrong with it."""
    table = to_array(values, name)
    table = (table[:, np.newaxis] if table.ndim == 1 else table).astype(object)
    if table.ndim != 2 or table.shape[1] == 0:
        raise ValueError(f"{name} must have shape (n, n_features), got {table.shape}.")
    kinds = {type(value) for value in table.ravel().tolist() if not isinstance(value, TEXT_KINDS)}
    if kinds:
        raise ValueError(f"{name} must hold text, numbers or None, got {kinds.pop().__name__}.")
    return table


def _is_missing(table: np.ndarray) -> np.ndarray:
    """Return where a table of either kind holds NaN or None."""
    # Only NaN differs from itself.
    return np.asarray((table == None) | (table != table), dtype=bool)  # noqa: E711


def _encode(table: np.ndarray, missing_code: int | None) -> np.ndarray:
    """Return the categories, a missing value among them as one more: text if `missing_code` is None, or integers.

    Integers from the missing code downwards, which no reference holds, move down by one to make room for it.
    """
    missing = _is_missing(table)
    if missing_code is None:
        encoded = table.copy()
        encoded[missing] = MissingCategory.MISSING
        return encoded
    codes = np.where(missing, 0, table).astype(np.int64)
    codes -= codes <= missing_code
    codes[missing] = missing_code
    return codes


def _distinct(column: np.ndarray) -> frozenset[Hashable]:
    """Return the categories in a column, without missing values."""
    present = column[~_is_missing(column)]
    return frozenset(present.tolist() if present.dtype.kind == "O" else np.unique(present).astype(np.int64).tolist())
