"""Cramer-von Mises: the mean squared gap between two empirical distribution functions. Numpy only.

    T = n m / (n + m)^2 * sum over the pooled values of (F(x) - G(x))^2
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from tinytorch._arguments import check_choice
from tinytorch.stats._inputs import as_pair
from tinytorch.stats._merged import Merged, merged_columns
from tinytorch.stats._results import TwoSampleResult
from tinytorch.stats._squared_normals import cramer_von_mises_sf

# method="auto" counts the law exactly up to this size of the larger sample, as scipy does.
EXACT_SIZE = 20
# With so many rows or fewer the sums of squared ranks fit int64; above, Python's integers keep them exact.
INT64_ROWS = 2_000_000


def cramervonmises_2samp(reference: ArrayLike, current: ArrayLike, method: str = "auto") -> TwoSampleResult:
    """Test per column whether both samples come from one law, by all of the gap between their distributions.

    Ties get midranks. The exact law and the limit law are those of data without ties: with many ties the test
    rejects less often than its level. Statistic and p-value follow `scipy.stats.cramervonmises_2samp`.

    Parameters
    ----------
    reference, current : array_like of shape (n,) or (n, n_features)
    method : {"auto", "exact", "asymptotic"}
        "exact" counts all orders of the pooled rows (feasible to about 20 rows a sample); "asymptotic" takes the
        limit law of T, shifted and scaled to T's exact mean and variance; "auto" is exact up to 20 rows a sample.

    Returns
    -------
    TwoSampleResult
        statistic: T; effect_size: root mean square gap of the distribution functions, sqrt(T (n + m) / (n m)),
        0 to about 0.58; chance alone gives about sqrt((n + m) / (6 n m)). A constant column has p = 1.

    Raises
    ------
    ValueError
        If the tables do not match or the method is unknown.

    References
    ----------
    T. W. Anderson, On the Distribution of the Two-sample Cramer-von Mises Criterion, Ann. Math. Stat. 33 (1962);
    Y. Xiao, A. Gordon and A. Yakovlev, A C++ Program for the Cramer-von Mises Two-sample Test, J. Stat. Software 17
    (2006).

    Examples
    --------
    >>> result = cramervonmises_2samp([1, 2, 3, 4, 5], [6, 7, 8, 9, 10])
    >>> print(f"T {result.statistic[0]:.3f}, p {result.pvalue[0]:.4f}")
    T 0.850, p 0.0079
    """
    left, right = as_pair(reference, current)
    check_choice(method, "method", ("auto", "exact", "asymptotic"))
    n, m = len(left), len(right)
    numerators = [_numerator(column, n, m) for column in merged_columns(left, right)]
    statistic = np.array([numerator / (12 * n * m * (n + m)) for numerator in numerators])
    if method == "exact" or (method == "auto" and max(n, m) <= EXACT_SIZE):
        pvalue = _exact_pvalue(numerators, n, m)
    else:
        pvalue = _asymptotic_pvalue(statistic, n, m)
    constant = (left == left[0]).all(axis=0) & (right == left[0]).all(axis=0)
    effect_size = np.sqrt(np.maximum(statistic, 0.0) * (n + m) / (n * m))
    return TwoSampleResult(statistic, np.where(constant, 1.0, pvalue), np.where(constant, 0.0, effect_size))


def _numerator(column: Merged, n: int, m: int) -> int:
    """Return 12 n m (n + m) T, a whole number: 12 U - 2 n m (4 n m - 1).

    U = n * (sum over reference of (pooled midrank - own rank)^2) + m * (the same over current); c tied values of one
    sample among d of the other add c (a + d/2)^2 + c (c^2 - 1) / 12, where a of the other lie below.
    """
    dtype = np.int64 if n + m <= INT64_ROWS else object
    total = 0
    own, other = column.in_reference.astype(dtype), column.in_current.astype(dtype)
    own_upto, other_upto = column.reference_upto.astype(dtype), column.current_upto.astype(dtype)
    for size, tied, met, met_upto in ((n, own, other, other_upto), (m, other, own, own_upto)):
        total += size * (3 * int((tied * (2 * met_upto - met) ** 2).sum()) + int((tied * (tied**2 - 1)).sum()))
    return total - 2 * n * m * (4 * n * m - 1)


def _asymptotic_pvalue(statistic: np.ndarray, n: int, m: int) -> np.ndarray:
    """Return the limit law's tail at T after matching mean and variance (Anderson 1962, eq. 14)."""
    rows, pairs = n + m, n * m
    mean = (1 + 1 / rows) / 6
    variance = (rows + 1) * (4 * pairs * rows - 3 * (n**2 + m**2) - 2 * pairs) / (45 * rows**2 * 4 * pairs)
    if variance == 0:  # one row against one
        return np.ones_like(statistic)
    return cramer_von_mises_sf(1 / 6 + (statistic - mean) / math.sqrt(45 * variance))


def _exact_pvalue(numerators: list[int], n: int, m: int) -> np.ndarray:
    """Return the share of orders whose T is at least the observed one."""
    values, tail = _exact_law(n, m)
    common = math.lcm(n, m)
    levels = [common**2 * (n + m) * numerator // (12 * (n * m) ** 2) for numerator in numerators]
    return np.asarray(tail[np.searchsorted(values, levels, side="left")])


@lru_cache(maxsize=64)
def _exact_law(n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of zeta = sum of (a i - b j)^2 over a path from (0, 0) to (n, m), and the tail from each on.

    A path says in which order the samples' values come; all are equally likely. T = zeta n m / (lcm^2 (n + m)^2).
    """
    common = math.lcm(n, m)
    step_reference, step_current = common // n, common // m
    column = [(np.zeros(0, dtype=np.int64), np.zeros(0))] * (m + 1)
    for i in range(n + 1):
        for j in range(m + 1):
            parts = [column[j]] if j == 0 else [column[j], column[j - 1]]
            values, counts = _add_counts(parts) if i + j else (np.zeros(1, dtype=np.int64), np.ones(1))
            column[j] = (values + (step_reference * i - step_current * j) ** 2, counts)
    values, counts = column[m]
    tail = np.append(np.cumsum(counts[::-1])[::-1], 0.0) / math.comb(n + m, n)
    return values, tail


def _add_counts(parts: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Join frequency tables, adding the counts of equal values."""
    values, places = np.unique(np.concatenate([part[0] for part in parts]), return_inverse=True)
    return values, np.bincount(places, weights=np.concatenate([part[1] for part in parts]), minlength=len(values))
