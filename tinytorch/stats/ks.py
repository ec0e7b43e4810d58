"""The two-sample Kolmogorov-Smirnov test: how far apart two distribution functions come at their worst point.

    D = max over x of |F_reference(x) - F_current(x)|,   F(x) = share of values <= x
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from tinytorch._arguments import check_choice
from tinytorch.stats._columns import sorted_columns
from tinytorch.stats._inputs import as_pair
from tinytorch.stats._results import TwoSampleResult
from tinytorch.stats.kolmogorov import kstwo_sf
from tinytorch.stats.ks_exact import exact_pvalue
from tinytorch.stats.reference import FittedReference, as_current

ALTERNATIVES = ("two-sided", "less", "greater")
METHODS = ("auto", "exact", "asymp")
# Up to this size of the larger sample "auto" is exact, as in scipy.
LARGEST_EXACT = 10_000


def ks_2samp(
    reference: ArrayLike | FittedReference,
    current: ArrayLike,
    *,
    alternative: str = "two-sided",
    method: str = "auto",
) -> TwoSampleResult:
    """Test per column whether `reference` and `current` come from one law, by the largest gap between their CDFs.

    Statistic and p-value are those of `scipy.stats.ks_2samp`. Three differences: where scipy's exact one-sided
    count overflows and falls back to the approximation (unequal samples of some hundreds), this one stays exact;
    `method="exact"` is exact at any size, however long it takes; a p-value of a discrete column is, here as there,
    too large rather than too small (on two values the test fires 1% of the time at a nominal 5%).

    Parameters
    ----------
    reference : array_like of shape (n, n_features) or (n,), or FittedReference
    current : array_like of shape (m, n_features) or (m,)
    alternative : {"two-sided", "less", "greater"}
        "greater": the reference's CDF lies above the current one somewhere (current values are larger).
    method : {"auto", "exact", "asymp"}
        "auto" is exact up to max(n, m) = 10,000. "asymp" takes the law of one sample of round(n m / (n + m))
        values (two-sided) or Hodges' formula (one-sided), as scipy does.

    Returns
    -------
    TwoSampleResult
        The effect size is D itself, a difference of probabilities between 0 and 1.

    Raises
    ------
    ValueError
        If a sample is not a table of finite numbers or the columns differ, or a switch is unknown.

    References
    ----------
    N. Smirnov, Table for estimating the goodness of fit of empirical distributions (1948).
    J. Hodges, The significance probability of the Smirnov two-sample test (1958).

    Examples
    --------
    >>> result = ks_2samp([1.0, 2.0, 3.0, 4.0], [3.5, 4.5, 5.5])
    >>> result.statistic
    array([0.75])
    >>> result.pvalue.round(4)
    array([0.2286])
    """
    check_choice(alternative, "alternative", ALTERNATIVES)
    check_choice(method, "method", METHODS)
    if isinstance(reference, FittedReference):
        reference_columns, table = reference.sorted_, as_current(current, reference)
    else:
        raw, table = as_pair(reference, current)
        reference_columns = sorted_columns(raw)
    n, m = reference_columns.shape[1], table.shape[0]
    excess = _chosen(*sorted_excess(reference_columns, sorted_columns(table)), alternative)
    distance = excess / (float(n) * m)
    exact = method == "exact" or (method == "auto" and max(n, m) <= LARGEST_EXACT)
    pvalue = exact_pvalue(excess, n, m, alternative) if exact else asymptotic_pvalue(distance, n, m, alternative)
    return TwoSampleResult(distance, pvalue, distance.copy())


def sorted_excess(reference: np.ndarray, current: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return max(F_reference - F_current) and max(F_current - F_reference) per sorted column, times n m.

    Whole numbers, so that no rounding can move a distance to a neighbouring point of its lattice.

    Parameters
    ----------
    reference, current : ndarray of shape (n_features, n_samples)
        Sorted columns.

    Examples
    --------
    >>> sorted_excess(np.array([[1.0, 2.0]]), np.array([[2.0, 3.0, 4.0]]))
    (array([4]), array([0]))
    """
    n, m = reference.shape[1], current.shape[1]
    rank = np.arange(m + 1)
    above = np.empty((2, reference.shape[0]), dtype=np.int64)
    for row, (left, right) in enumerate(zip(reference, current, strict=True)):
        above[0, row] = (left.searchsorted(right, side="left") * m - rank[:-1] * n).max()
        above[1, row] = (rank[1:] * n - left.searchsorted(right, side="right") * m).max()
    np.maximum(above, 0, out=above)
    return above[0], above[1]


def asymptotic_pvalue(distance: np.ndarray, n: int, m: int, alternative: str) -> np.ndarray:
    """Return the approximate P(D >= distance) for samples of n and m values, as scipy's `method="asymp"` does.

    References
    ----------
    J. Hodges (1958), equation 5.3, for the one-sided case.

    Examples
    --------
    >>> asymptotic_pvalue(np.array([0.02]), 50_000, 10_000, "two-sided").round(4)
    array([0.0025])
    """
    if alternative == "two-sided":
        return kstwo_sf(distance, max(1, round(n * m / (n + m))))
    large, small = float(max(n, m)), float(min(n, m))
    z = math.sqrt(large * small / (large + small)) * distance
    with np.errstate(under="ignore"):
        pvalue = np.exp(-2.0 * z**2 - 2.0 * z * (large + 2.0 * small) / (3.0 * math.sqrt(n * m * (large + small))))
    return np.clip(pvalue, 0.0, 1.0)


def _chosen(greater: np.ndarray, less: np.ndarray, alternative: str) -> np.ndarray:
    """Pick the excess that the alternative asks for."""
    return np.asarray({"greater": greater, "less": less}.get(alternative, np.maximum(greater, less)))
