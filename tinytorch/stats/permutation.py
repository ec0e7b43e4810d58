"""The permutation test of the mean: is the difference larger than what shuffling the rows gives? Numpy only.

    difference = mean(current) - mean(reference)
    pvalue = (1 + number of shuffles at least as extreme) / (1 + number of shuffles), so never 0
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tinytorch._arguments import check_choice, check_generator, check_integer
from tinytorch.stats._effects import cohens_d, in_common_unit, mean_and_squares
from tinytorch.stats._inputs import as_pair
from tinytorch.stats._permutations import blocks, permutation_pvalue, random_labels
from tinytorch.stats._results import TwoSampleResult

# The smallest p-value is then 0.001 and the standard error of one near 0.05 is 0.007.
DEFAULT_PERMUTATIONS = 999
# Shuffles that differ from the observed split by rounding only count as ties: a share of the column's mean
# absolute deviation, far above rounding (1e-16 times the root of the rows) and far below any true difference.
TIE_SHARE = 1e-12

ALTERNATIVES = ("two-sided", "less", "greater")


def permutation_test(
    reference: ArrayLike,
    current: ArrayLike,
    *,
    rng: np.random.Generator,
    n_permutations: int = DEFAULT_PERMUTATIONS,
    alternative: str = "two-sided",
) -> TwoSampleResult:
    """Test per column whether both samples have one mean, by shuffling which rows belong to which sample.

    Exact at any sample size for exchangeable rows, with no law assumed for the values. Rows that depend on their
    neighbours in time are not exchangeable: permute blocks of them instead. On few distinct values many shuffles tie
    with the data, and it rejects less often than its level.

    Parameters
    ----------
    reference, current : array_like of shape (n,) or (n, n_features)
    rng : numpy.random.Generator
        Draws the shuffles; all columns share them.
    n_permutations : int
        Number of shuffles.
    alternative : {"two-sided", "less", "greater"}
        "greater": the mean of `current` lies above that of `reference`; two-sided counts by absolute difference.

    Returns
    -------
    TwoSampleResult
        statistic: mean(current) - mean(reference); effect_size: Cohen's d, the statistic over the pooled standard
        deviation (0 if both columns are constant and equal, infinite if constant and unequal).

    Raises
    ------
    ValueError
        If the tables do not match or an argument breaks its rule.

    References
    ----------
    B. Phipson and G. K. Smyth, Permutation P-values Should Never Be Zero, Stat. Appl. Genet. Mol. Biol. 9 (2010).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> result = permutation_test(rng.normal(0, 1, 50), rng.normal(1, 1, 50), rng=rng)
    >>> result.pvalue
    array([0.001])
    """
    left, right = as_pair(reference, current)
    check_generator(rng)
    check_integer(n_permutations, "n_permutations", minimum=1)
    check_choice(alternative, "alternative", ALTERNATIVES)
    left, right, unit = in_common_unit(left, right)
    pooled = np.concatenate([left, right])
    pooled -= pooled.mean(axis=0)
    moments = mean_and_squares(left), mean_and_squares(right)
    labels = random_labels(len(left), len(right), n_permutations, rng)
    return TwoSampleResult(
        statistic=unit * (moments[1][0] - moments[0][0]),
        pvalue=permutation_pvalue(
            _extremeness(pooled, labels, alternative), rounding=TIE_SHARE * np.abs(pooled).sum(axis=0)
        ),
        effect_size=cohens_d(*moments, rows=len(pooled)),
    )


def _extremeness(pooled: np.ndarray, labels: np.ndarray, alternative: str) -> np.ndarray:
    """Return per labelling and column the sum over the current rows (as the pooled sum is 0: minus the reference's).

    For given sample sizes the difference of means grows with that sum, so ranking by it is the same.
    """
    sums = np.empty((len(labels), pooled.shape[1]))
    for start, stop in blocks(*labels.shape):
        sums[start:stop] = -(labels[start:stop].astype(np.float64) @ pooled)
    if alternative == "less":
        return -sums
    return sums if alternative == "greater" else np.abs(sums)
