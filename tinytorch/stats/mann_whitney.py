"""Mann-Whitney: how often a value of one sample exceeds a value of the other. Numpy only.

    U = number of pairs (x of reference, y of current) with x > y, plus half of those with x = y
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from tinytorch._arguments import check_choice
from tinytorch.stats._inputs import as_pair
from tinytorch.stats._merged import merged_columns
from tinytorch.stats._results import TwoSampleResult
from tinytorch.stats.special import normal_sf

# method="auto" counts the law of U exactly if the smaller sample has at most so many rows, as scipy does.
EXACT_SIZE = 8


def mannwhitneyu(
    reference: ArrayLike,
    current: ArrayLike,
    use_continuity: bool = True,
    alternative: str = "two-sided",
    method: str = "auto",
) -> TwoSampleResult:
    """Test per column whether values of one sample tend to exceed those of the other.

    Statistic, switches and p-value are those of `scipy.stats.mannwhitneyu`, except that "auto" looks for ties in
    each column by itself (scipy drops the exact law for all columns if one has ties). With few rows it rejects
    slightly less often than its level: about 0.04 at 0.05 with 10 rows each.

    Parameters
    ----------
    reference, current : array_like of shape (n,) or (n, n_features)
    use_continuity : bool
        Move U by 1/2 towards its mean before the normal law is taken.
    alternative : {"two-sided", "less", "greater"}
        As in scipy it speaks of the first argument: "greater" means that `reference` is greater.
    method : {"auto", "exact", "asymptotic"}
        "exact" counts the orders of data without ties; "asymptotic" is the tie-corrected normal law; "auto" is exact
        without ties if a sample has at most 8 rows.

    Returns
    -------
    TwoSampleResult
        statistic: U of `reference`; effect_size: rank-biserial correlation 1 - 2U / (n m), from -1 to 1, positive if
        `current` tends to be larger. A constant column has p = 1.

    Raises
    ------
    ValueError
        If the tables do not match or a choice is unknown.

    References
    ----------
    H. B. Mann and D. R. Whitney, On a Test of Whether One of Two Random Variables is Stochastically Larger than the
    Other, Ann. Math. Stat. 18 (1947).

    Examples
    --------
    >>> result = mannwhitneyu([1, 2, 3, 4], [3.5, 5, 6, 7])
    >>> print(f"U {result.statistic[0]:.0f}, p {result.pvalue[0]:.4f}, effect {result.effect_size[0]:.3f}")
    U 1, p 0.0571, effect 0.875
    """
    left, right = as_pair(reference, current)
    check_choice(alternative, "alternative", ("two-sided", "less", "greater"))
    check_choice(method, "method", ("auto", "exact", "asymptotic"))
    n, m = len(left), len(right)
    statistic, ties = _counts(left, right)
    extreme = {"greater": statistic, "less": n * m - statistic, "two-sided": np.maximum(statistic, n * m - statistic)}
    pvalue = _asymptotic_sf(extreme[alternative], ties, (n, m), use_continuity)
    exact = np.full(len(ties), method == "exact") | ((method == "auto") & (min(n, m) <= EXACT_SIZE) & (ties == 0))
    if exact.any():
        pvalue[exact] = _exact_tail(n, m)[n * m - extreme[alternative][exact].astype(np.int64)]
    if alternative == "two-sided":
        pvalue = 2 * pvalue
    pvalue = np.where(ties == float(n + m) ** 3 - (n + m), 1.0, np.minimum(pvalue, 1.0))
    return TwoSampleResult(statistic, pvalue, 1 - 2 * statistic / (n * m))


def _counts(reference: np.ndarray, current: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return per column U of the reference, and the sum of t^3 - t over groups of t tied values."""
    statistic, ties = np.empty(reference.shape[1]), np.empty(reference.shape[1])
    for place, column in enumerate(merged_columns(reference, current)):
        statistic[place] = 0.5 * int((column.in_reference * (2 * column.current_upto - column.in_current)).sum())
        tied = (column.in_reference + column.in_current).astype(np.float64)
        ties[place] = (tied**3 - tied).sum()
    return statistic, ties


def _asymptotic_sf(extreme: np.ndarray, ties: np.ndarray, sizes: tuple[int, int], use_continuity: bool) -> np.ndarray:
    """Return the normal tail above U, with the variance that the ties leave."""
    n, m = sizes
    rows = n + m
    variance = n * m / 12 * ((rows + 1) - ties / (rows * (rows - 1)))
    excess = extreme - n * m / 2 - (0.5 if use_continuity else 0.0)
    return normal_sf(np.divide(excess, np.sqrt(variance), out=np.zeros_like(excess), where=variance > 0))


@lru_cache(maxsize=16)
def _exact_tail(n: int, m: int) -> np.ndarray:
    """Return P(U <= 0), P(U <= 1), ... for untied samples of n and m rows; by symmetry P(U >= n m - u) = P(U <= u).

    The counts are the coefficients of the product over i = 1..s of (1 - q^(l+i)) / (1 - q^i) for s = min(n, m) and
    l = max(n, m) (MacMahon). Dividing by 1 - q^i is a running sum in steps of i. Each factor is scaled so that all
    probabilities so far add up to 1. Only the lower half is computed, where subtraction costs few digits.
    """
    small, large = min(n, m), max(n, m)
    half = n * m // 2 + 1
    law = np.zeros(half)
    law[0] = 1.0
    for i in range(1, small + 1):
        padded = np.append(law, np.zeros(-half % i)).reshape(-1, i)
        law = np.cumsum(padded, axis=0).ravel()[:half]
        law[large + i :] -= law[: max(0, half - large - i)].copy()
        law *= i / (large + i)
    lower = np.cumsum(law)
    upper = 1 - np.append(lower, np.zeros(n * m + 1 - half))[n * m - np.arange(half, n * m + 1) - 1]
    return np.concatenate([lower, upper])
