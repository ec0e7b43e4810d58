"""Floor 2, drift: what its detectors share: how tables are read, in which unit, and how large a change is.

May import `validate` and `stats`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinytorch.mlops.validate import NotFittedError, as_features, check_columns, check_rows
from tinytorch.stats.missing import missing_rate_test
from tinytorch.stats.special import normal_isf

# What the one row of a report is called that takes all features together.
ALL_FEATURES = "all features"
# One clean window in a hundred is flagged, whatever the number of features. Who looks often should ask for less.
DEFAULT_DRIFT_ALPHA = 0.01
# Cohen's small effect, in standard deviations: less than that hardly moves a model's answers.
DEFAULT_MINIMUM_EFFECT = 0.2
# Two questions are asked of a feature that has missing values: its rate and its values.
QUESTIONS_WITH_MISSING = 2
# Values farther out than this many standard deviations are taken to lie there: a normal column passes it once in
# 1.7 million rows, and a single wild value shall not hide what the others say.
FARTHEST = 5.0
# A spread below this many roundings of the column's largest value is no spread.
SPREAD_ROUNDINGS = 4.0


@dataclass(frozen=True, eq=False)
class StandardUnits:
    """Means and standard deviations of a reference, in which every later table is measured.

    Attributes
    ----------
    unit, mean, spread : ndarray of shape (n_features,)
        Values are divided by `unit` first, so that no square overflows; `mean` and `spread` are those of the result.
        A spread of 0 stands for a column that never varied.

    Examples
    --------
    >>> units = StandardUnits.from_reference(np.array([[0.0, 7.0], [4.0, 7.0]]))
    >>> units.standardise(np.array([[6.0, 7.0], [np.nan, 8.0], [1e9, 6.0]])).tolist()
    [[2.0, 0.0], [0.0, 5.0], [5.0, -5.0]]
    """

    unit: np.ndarray
    mean: np.ndarray
    spread: np.ndarray

    @classmethod
    def from_reference(cls, reference: np.ndarray) -> StandardUnits:
        """Measure a table of shape (n, n_features) whose columns each have a value; NaN is left out."""
        largest = np.nanmax(np.abs(reference), axis=0)
        unit = np.where(largest > 0, largest, 1.0)
        scaled = reference / unit
        lowest, highest = np.nanmin(scaled, axis=0), np.nanmax(scaled, axis=0)
        varies = highest - lowest > SPREAD_ROUNDINGS * np.finfo(np.float64).eps
        spread = np.where(varies, np.nanstd(scaled, axis=0), 0.0)
        return cls(unit, np.where(varies, np.nanmean(scaled, axis=0), lowest), spread)

    def standardise(self, table: np.ndarray) -> np.ndarray:
        """Return standard deviations from the reference's mean, from -5 to 5; NaN becomes 0.

        Whatever leaves a column that never varied lies 5 away: such a column has no unit of its own.
        """
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            departure = table / self.unit - self.mean
            is_rounding = np.abs(departure) <= SPREAD_ROUNDINGS * np.finfo(np.float64).eps
            departure[is_rounding & (self.spread == 0)] = 0.0
            standardised = np.nan_to_num(departure / self.spread, nan=0.0, posinf=FARTHEST, neginf=-FARTHEST)
        clipped: np.ndarray = np.clip(standardised, -FARTHEST, FARTHEST)
        return clipped


def read_reference(values: np.ndarray, feature_names: Sequence[str] | None = None) -> np.ndarray:
    """Return a reference of shape (n, n_features) as a new float64 table, in which NaN is a missing value.

    Raises
    ------
    ValueError
        If it is malformed, has fewer than 2 rows, a feature without any value, or not one column per name.

    Examples
    --------
    >>> read_reference([[1.0], [2.0]], ("age", "income"))
    Traceback (most recent call last):
    ...
    ValueError: reference must have 2 columns, got 1.
    """
    table = as_features(values, "reference", allow_missing=True)
    check_rows(table, "reference", minimum=2)
    empty = np.flatnonzero(np.isnan(table).all(axis=0))
    if empty.size:
        raise ValueError(f"reference must have a value in every column, got none in column {empty[0]}.")
    if feature_names is not None:
        check_columns(table, len(feature_names), "reference")
    return table


def read_window(values: np.ndarray, n_features: int) -> np.ndarray:
    """Return a window of shape (n, n_features) as a float64 table, in which NaN is a missing value.

    Raises
    ------
    ValueError
        If it is malformed, has fewer than 2 rows, or other columns than the reference.

    Examples
    --------
    >>> read_window([[1.0, 2.0], [3.0, 4.0]], 3)
    Traceback (most recent call last):
    ...
    ValueError: current must have 3 columns, got 2.
    """
    table = as_features(values, "current", allow_missing=True)
    check_rows(table, "current", minimum=2)
    check_columns(table, n_features, "current")
    return table


def require_fitted(detector: object, method: str = "detect_drift") -> None:
    """Raise NotFittedError unless `fit` has given the detector a reference.

    Examples
    --------
    >>> require_fitted(object())
    Traceback (most recent call last):
    ...
    tinytorch.mlops.validate.NotFittedError: detector must be fitted before detect_drift: call fit(reference) first.
    """
    if not hasattr(detector, "reference_"):
        raise NotFittedError(f"detector must be fitted before {method}: call fit(reference) first.")


def name_features(feature_names: Sequence[str] | None, n_features: int) -> tuple[str, ...]:
    """Return the given names, or feature_0, feature_1, ...

    Examples
    --------
    >>> name_features(None, 2)
    ('feature_0', 'feature_1')
    """
    return tuple(feature_names) if feature_names is not None else tuple(f"feature_{i}" for i in range(n_features))


def equivalent_shift(distance: np.ndarray, n_rows: int) -> np.ndarray:
    """Return the shift of a normal column, in standard deviations, that would move this share of its rows.

    For a shifted normal law the Kolmogorov-Smirnov distance and the total variation distance are the same number,
    2 Phi(shift / 2) - 1, so both are put in one unit. Samples that do not overlap at all would give infinity; n rows
    cannot show more than a distance of 1 - 1/n.

    Examples
    --------
    >>> equivalent_shift(np.array([0.0, 0.383, 1.0]), n_rows=800).round(2)
    array([0.  , 1.  , 6.45])
    """
    seen = np.minimum(distance, 1.0 - 1.0 / n_rows)
    shift: np.ndarray = 2.0 * normal_isf((1.0 - seen) / 2.0) + 0.0  # turns a zero with a minus sign into a plain one
    return shift


def missing_shift(reference: np.ndarray, current: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return, per feature, the p-value of a changed missing rate and the change as an equivalent shift.

    Examples
    --------
    >>> pvalue, effect = missing_shift(np.zeros((40, 1)), np.array([[0.0], [np.nan]] * 20))
    >>> bool(pvalue[0] < 1e-6), effect.round(2)
    (True, array([1.35]))
    """
    result = missing_rate_test(reference, current)
    return result.pvalue, equivalent_shift(np.abs(result.effect_size), len(reference) + len(current))
