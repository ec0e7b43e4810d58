"""Fisher's exact test: two samples of yes and no, also when the counts are small. Numpy only.

    Given how many "yes" there are together, current's share of them is hypergeometric;
    p = sum of the probabilities that are no larger than the observed one
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from tinytorch._arguments import check_choice
from tinytorch.stats._inputs import as_pair
from tinytorch.stats._results import TwoSampleResult
from tinytorch.stats.intervals import check_counts
from tinytorch.stats.special_beta import binomial_pmf

ALTERNATIVES = ("two-sided", "less", "greater")
# Probabilities this close to the observed one are taken as equal to it: mirrored outcomes differ by rounding.
TIE_SHARE = 1e-12
# Outcomes farther from the mean than so many standard deviations and so many counts have probability below 1e-300.
REACH_DEVIATIONS, REACH_COUNTS = 45.0, 250


def fisher_exact(reference: ArrayLike, current: ArrayLike, alternative: str = "two-sided") -> TwoSampleResult:
    """Test per column whether two categories have the same shares in both samples.

    Equals `scipy.stats.fisher_exact` on [[current larger, current smaller], [reference larger, reference smaller]],
    the counts of the larger and the smaller of the column's two values. It never exceeds its level; on discrete
    counts it stays below it.

    Parameters
    ----------
    reference, current : array_like of shape (n,) or (n, n_features)
        At most two distinct values per column, over both samples together.
    alternative : {"two-sided", "less", "greater"}
        "greater": the larger value is more frequent in `current`.

    Returns
    -------
    TwoSampleResult
        statistic: odds ratio of the larger value, current over reference (1 for a column of one value);
        effect_size: difference of its shares, current - reference. A constant column has p = 1.

    Raises
    ------
    ValueError
        If the tables do not match, a column has more than two values, or the alternative is unknown.

    References
    ----------
    R. A. Fisher, The Logic of Inductive Inference, J. Royal Stat. Soc. 98 (1935).

    Examples
    --------
    >>> result = fisher_exact([0, 0, 0, 0, 0, 1], [1, 1, 1, 1, 0])
    >>> print(f"odds {result.statistic[0]:.0f}, p {result.pvalue[0]:.4f}, shares {result.effect_size[0]:+.2f}")
    odds 20, p 0.0801, shares +0.63
    """
    left, right = as_pair(reference, current)
    low = np.minimum(left.min(axis=0), right.min(axis=0))
    high = np.maximum(left.max(axis=0), right.max(axis=0))
    for table, name in ((left, "reference"), (right, "current")):
        other = ((table != low) & (table != high)).any(axis=0)
        if other.any():
            raise ValueError(f"{name} must have two values per column, got more in column {int(other.argmax())}.")
    differs = high > low
    count_left, count_right = ((table == high).sum(axis=0) * differs for table in (left, right))
    return fisher_exact_counts(count_left, len(left), count_right, len(right), alternative)


def fisher_exact_counts(
    successes_reference: ArrayLike,
    n_reference: ArrayLike,
    successes_current: ArrayLike,
    n_current: ArrayLike,
    alternative: str = "two-sided",
) -> TwoSampleResult:
    """Run Fisher's exact test on counts: is the share of successes the same in both samples?

    It never exceeds its level, and on few rows stays well below it.

    Parameters
    ----------
    successes_reference, n_reference, successes_current, n_current : array_like
        Counts, 0 <= successes <= n and n >= 1; they broadcast.
    alternative : {"two-sided", "less", "greater"}
        "greater": the share of `current` is higher.

    Returns
    -------
    TwoSampleResult
        Of the broadcast shape, at least (1,). statistic: odds ratio, current over reference; effect_size:
        difference of the shares, current - reference.

    Raises
    ------
    ValueError
        If a count or the alternative breaks its rule.

    Examples
    --------
    >>> fisher_exact_counts(1, 10, [1, 6], 10).pvalue.round(4)
    array([1.    , 0.0573])
    """
    left, n_left = check_counts(successes_reference, n_reference, ("successes_reference", "n_reference"))
    right, n_right = check_counts(successes_current, n_current, ("successes_current", "n_current"))
    check_choice(alternative, "alternative", ALTERNATIVES)
    left, n_left, right, n_right = np.broadcast_arrays(*map(np.atleast_1d, (left, n_left, right, n_right)))
    pvalue = np.empty(left.shape)
    for place in np.ndindex(left.shape):
        yes, rows = left[place] + right[place], n_left[place] + n_right[place]
        pvalue[place] = _table_pvalue(int(right[place]), int(yes), int(n_right[place]), int(rows), alternative)
    odds_current, odds_reference = right * (n_left - left), left * (n_right - right)
    without = np.where(odds_current > 0, np.inf, 1.0)
    statistic = np.divide(odds_current, odds_reference, out=without, where=odds_reference > 0)
    return TwoSampleResult(statistic, pvalue, right / n_right - left / n_left)


def _table_pvalue(observed: int, n_yes: int, n_drawn: int, n_total: int, alternative: str) -> float:
    """Return the p-value of `observed` successes among `n_drawn` rows of `n_total` that hold `n_yes` in all."""
    smallest, largest = max(0, n_yes + n_drawn - n_total), min(n_yes, n_drawn)
    if smallest == largest:
        return 1.0
    mean = n_drawn * n_yes / n_total
    variance = mean * (1 - n_yes / n_total) * (n_total - n_drawn) / (n_total - 1)
    reach = math.ceil(REACH_DEVIATIONS * math.sqrt(variance)) + REACH_COUNTS
    first, last = max(smallest, math.floor(mean) - reach), min(largest, math.ceil(mean) + reach)
    if not first <= observed <= last:
        observed = first if observed < first else last
    outcomes = np.arange(first, last + 1)
    law = _hypergeometric_pmf(outcomes, n_yes, n_drawn, n_total)
    if alternative == "two-sided":
        chosen = law <= law[observed - first] * (1 + TIE_SHARE)
    else:
        chosen = outcomes >= observed if alternative == "greater" else outcomes <= observed
    return min(1.0, float(law[chosen].sum()))


def _hypergeometric_pmf(successes: np.ndarray, n_yes: int, n_drawn: int, n_total: int) -> np.ndarray:
    """Return its probabilities as a ratio of binomial ones, which lose no digits in large numbers (Loader 2000)."""
    share = n_drawn / n_total
    among_yes = binomial_pmf(successes, n_yes, share)
    among_no = binomial_pmf(n_drawn - successes, n_total - n_yes, share)
    return np.asarray(among_yes * among_no / binomial_pmf(n_drawn, n_total, share))
