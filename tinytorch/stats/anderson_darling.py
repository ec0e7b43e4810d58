"""Anderson-Darling for two samples: squared gaps between distribution functions, tails weighted up. Numpy only.

    A^2 = n m / (n + m) * integral of (F - G)^2 / (H (1 - H)) dH,  H the distribution function of both together
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from tinytorch.stats._inputs import as_pair
from tinytorch.stats._merged import Merged, merged_columns
from tinytorch.stats._results import TwoSampleResult
from tinytorch.stats._squared_normals import anderson_darling_sf, bridge_traces
from tinytorch.stats.special import chi2_sf

# Standard deviation of the limit law: the sum over j of 2 / (j (j + 1))^2 is 2 (pi^2 - 9) / 3.
LIMIT_DEVIATION = math.sqrt(2 * (math.pi**2 - 9) / 3)
# The variance of A^2 divides by n + m - 3.
SMALLEST_POOL = 4


def anderson_2samp(reference: ArrayLike, current: ArrayLike) -> TwoSampleResult:
    """Test per column whether both samples come from one law, with most weight on the tails.

    The statistic is that of `scipy.stats.anderson_ksamp` for two samples with midranks. The p-value is not: scipy
    interpolates between seven tabulated levels and stops at 0.25 and 0.001. Here it is the tail of the limit law
    itself, at A^2 shifted and scaled to the limit's mean and variance, so it runs from 1 down to any small number.
    Ties change the law (three equally likely values make scipy's p-value reject twice as often as it says): with
    ties the tail is that of a gamma law with the mean, variance and third moment that A^2 has given those ties.

    Parameters
    ----------
    reference, current : array_like of shape (n,) or (n, n_features)
        At least 4 rows together.

    Returns
    -------
    TwoSampleResult
        statistic: (A^2 - 1) / its standard deviation; effect_size: the root of the weighted mean squared gap,
        sqrt(A^2 (n + m) / (n m)), about sqrt((n + m) / (n m)) by chance alone and at most about 1.24 for samples of
        equal size. A constant column has statistic 0, p = 1 and effect size 0.

    Raises
    ------
    ValueError
        If the tables do not match or have fewer than 4 rows together.

    References
    ----------
    F. W. Scholz and M. A. Stephens, K-Sample Anderson-Darling Tests, JASA 82 (1987).

    Examples
    --------
    >>> result = anderson_2samp([1, 2, 3, 4, 5, 6], [5.5, 6.5, 7.5, 8.5, 9.5])
    >>> print(f"standardised {result.statistic[0]:.3f}, p {result.pvalue[0]:.4f}")
    standardised 4.282, p 0.0065
    """
    left, right = as_pair(reference, current)
    n, m = len(left), len(right)
    if n + m < SMALLEST_POOL:
        raise ValueError(f"reference and current must have at least {SMALLEST_POOL} rows together, got {n + m}.")
    columns = [_squared_gap(column, n, m) for column in merged_columns(left, right)]
    squared, second, third = np.array(columns).T
    constant, tied = second == 0, third > 0
    deviation = _deviation(n, m)
    statistic = np.where(constant, 0.0, (squared - 1) / deviation)
    pvalue = np.where(constant, 1.0, anderson_darling_sf(1 + LIMIT_DEVIATION * statistic))
    pvalue[tied] = _tied_sf(squared[tied], second[tied], third[tied], deviation / LIMIT_DEVIATION)
    return TwoSampleResult(statistic, pvalue, np.sqrt(squared * (n + m) / (n * m)))


def _squared_gap(column: Merged, n: int, m: int) -> tuple[float, float, float]:
    """Return A^2 with midranks (Scholz and Stephens, eq. 7) and, for tied values, the traces that shape its law.

    For two samples both sums of eq. 7 are over the same squared gap, so one with factor 1/n + 1/m does. The traces
    stand as 1 and 0 without ties, and as 0 and 0 for a constant column.
    """
    if len(column.values) == 1:
        return 0.0, 0.0, 0.0
    rows = n + m
    reference = column.reference_upto - 0.5 * column.in_reference
    share = (column.in_reference + column.in_current) / rows
    pooled = reference + column.current_upto - 0.5 * column.in_current
    variance = pooled * (rows - pooled) - rows**2 * share / 4
    gaps = (rows * reference - pooled * n) ** 2 / variance
    squared = float((share * gaps).sum() * (1 / n + 1 / m) * (rows - 1) / rows)
    if len(column.values) == rows:
        return squared, 1.0, 0.0
    return squared, *_traces(share, pooled, rows - pooled, variance)


def _traces(share: np.ndarray, below: np.ndarray, above: np.ndarray, variance: np.ndarray) -> tuple[float, float]:
    """Return tr(M^2) and tr(M^3), M_jk = sqrt(share_j share_k) * correlation of the gaps at values j and k.

    A^2 = sum of share_j g_j^2 over standardised gaps g, so its mean is 1 whatever the ties; its variance is
    2 tr(M^2) and its third moment 8 tr(M^3). The covariance is below_j above_k for j < k.
    """
    low, middle, high = (share * part / variance for part in (below**2, below * above, above**2))
    return bridge_traces(share, low, middle, high)


def _tied_sf(squared: np.ndarray, second: np.ndarray, third: np.ndarray, narrowing: float) -> np.ndarray:
    """Return the tail of 1 + deviation * (chi2_dof - dof) / sqrt(2 dof): mean, variance, third moment as wanted."""
    dof = second**3 / third**2
    deviation = np.sqrt(2 * second) * narrowing
    return chi2_sf(np.maximum(0.0, dof + (squared - 1) / deviation * np.sqrt(2 * dof)), dof)


def _deviation(n: int, m: int) -> float:
    """Return the standard deviation of A^2 if all orders are equally likely (Scholz and Stephens, eq. 4, k = 2)."""
    rows = n + m
    inverse = 1 / n + 1 / m
    running = np.cumsum(1 / np.arange(rows - 1, 1, -1.0))
    h = running[-1] + 1
    g = float((running / np.arange(2, rows)).sum())
    a = (4 * g - 6) + (10 - 6 * g) * inverse
    b = (2 * g - 4) * 4 + 16 * h + (2 * g - 14 * h - 4) * inverse - 8 * h + 4 * g - 6
    c = (6 * h + 2 * g - 2) * 4 + (4 * h - 4 * g + 6) * 2 + (2 * h - 6) * inverse + 4 * h
    d = (2 * h + 6) * 4 - 8 * h
    return math.sqrt((a * rows**3 + b * rows**2 + c * rows + d) / ((rows - 1) * (rows - 2) * (rows - 3)))
