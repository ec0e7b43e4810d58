"""Missing values as a signal of their own: did their share change? Numpy only.

    missing rate = rows that are NaN / rows,  compared by Fisher's exact test
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tinytorch.stats._inputs import as_pair
from tinytorch.stats._results import TwoSampleResult
from tinytorch.stats.fisher import fisher_exact_counts


def missing_rate_test(reference: ArrayLike, current: ArrayLike, alternative: str = "two-sided") -> TwoSampleResult:
    """Test per column whether values are missing (NaN) at the same rate in both samples.

    The other tests of this package refuse NaN, because dropping it in silence hides a broken sensor; run this first.
    It is Fisher's exact test. It never exceeds its level, and on few rows stays well below it.

    Parameters
    ----------
    reference, current : array_like of shape (n,) or (n, n_features)
        May hold NaN.
    alternative : {"two-sided", "less", "greater"}
        "greater": more is missing in `current`.

    Returns
    -------
    TwoSampleResult
        statistic: odds ratio of being missing, current over reference; effect_size: difference of the missing rates,
        current - reference. A column that is complete in both, or empty in both, has p = 1.

    Raises
    ------
    ValueError
        If the tables do not match or hold infinity, or the alternative is unknown.

    Examples
    --------
    >>> current = np.where(np.arange(20) < 8, np.nan, 1.0)
    >>> result = missing_rate_test(np.ones(20), current)
    >>> print(f"rate {result.effect_size[0]:+.2f}, p {result.pvalue[0]:.4f}")
    rate +0.40, p 0.0033
    """
    left, right = as_pair(reference, current, allow_missing=True)
    missing_left, missing_right = (np.isnan(table).sum(axis=0) for table in (left, right))
    return fisher_exact_counts(missing_left, len(left), missing_right, len(right), alternative)
