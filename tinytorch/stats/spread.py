"""Do two samples spread equally wide? Brown and Forsythe's test. Numpy only.

    F = analysis of variance of |x - median of its sample|, with 1 and n + m - 2 degrees of freedom
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tinytorch.stats._effects import in_common_unit, mean_and_squares
from tinytorch.stats._inputs import as_pair
from tinytorch.stats._results import TwoSampleResult
from tinytorch.stats.special_beta import f_sf

# With two rows each, both distances from the median are the same number and F divides by 0.
SMALLEST_SAMPLE, SMALLEST_POOL = 2, 5


def brown_forsythe_test(reference: ArrayLike, current: ArrayLike) -> TwoSampleResult:
    """Test per column whether both samples spread equally wide about their medians.

    Equals `scipy.stats.levene(reference, current, center="median")`. In small samples the distances from the median
    run short, and it rejects less often than its level: 0.036 of equal spreads at 0.05 with 10 rows each, 0.007 with 5.
    On two values and few rows it rejects too often: 0.10 with 10 rows each.

    Parameters
    ----------
    reference, current : array_like of shape (n,) or (n, n_features)
        At least 2 rows each and 5 together.

    Returns
    -------
    TwoSampleResult
        statistic: F; effect_size: natural logarithm of mean |x - median| of `current` over that of `reference`, so
        0.69 is twice as wide, -0.69 half; infinite if only one of them is constant. If both are constant, F = 0,
        p = 1 and effect size 0.

    Raises
    ------
    ValueError
        If the tables do not match or have too few rows.

    References
    ----------
    M. B. Brown and A. B. Forsythe, Robust Tests for the Equality of Variances, JASA 69 (1974).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> result = brown_forsythe_test(rng.normal(0, 1, 200), rng.normal(0, 2, 200))
    >>> bool(result.pvalue[0] < 1e-6), bool(abs(result.effect_size[0] - np.log(2)) < 0.3)
    (True, True)
    """
    left, right = as_pair(reference, current)
    n, m = len(left), len(right)
    if min(n, m) < SMALLEST_SAMPLE or n + m < SMALLEST_POOL:
        raise ValueError(f"reference and current must have at least 2 rows each and 5 together, got {n} and {m}.")
    left, right, _ = in_common_unit(left, right)
    left, right = (_distances_from_median(table) for table in (left, right))
    (mean_left, squares_left), (mean_right, squares_right) = mean_and_squares(left), mean_and_squares(right)
    between = n * m / (n + m) * (mean_right - mean_left) ** 2
    within = squares_left + squares_right
    certain = np.where(between > 0, np.inf, 0.0)
    statistic = np.divide(between * (n + m - 2), within, out=certain, where=within > 0)
    return TwoSampleResult(statistic, f_sf(statistic, 1, n + m - 2), _log_ratio(mean_left, mean_right))


def _log_ratio(reference: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Return log(current / reference), 0 where both are 0."""
    with np.errstate(divide="ignore"):
        logs = np.log(reference), np.log(current)
    both_zero = (reference == 0) & (current == 0)
    return np.asarray(np.subtract(logs[1], logs[0], out=np.zeros_like(reference), where=~both_zero))


def _distances_from_median(table: np.ndarray) -> np.ndarray:
    """Return |x - median of its column|; `table` is overwritten. The median works faster along contiguous rows."""
    table -= np.median(np.ascontiguousarray(table.T), axis=1)
    return np.asarray(np.abs(table, out=table))
