"""Comparing two shares, or two models on the same rows. Numpy only.

    two proportions   z = (p2 - p1) / sqrt(p (1-p) (1/n1 + 1/n2)), p the pooled share
    McNemar           of the rows only one model got right, current's share is Binomial(half) if both are as good
    paired bootstrap  the spread of mean(current - reference) over rows drawn again with replacement
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tinytorch._arguments import check_choice, check_generator, check_in_range, check_integer
from tinytorch.stats._inputs import as_pair
from tinytorch.stats._permutations import blocks
from tinytorch.stats._results import TwoSampleResult
from tinytorch.stats.intervals import DEFAULT_CONFIDENCE, check_counts
from tinytorch.stats.special import normal_sf
from tinytorch.stats.special_beta import binomial_cdf, binomial_pmf

ALTERNATIVES = ("two-sided", "less", "greater")
# A 95% bound then rests on 50 resamples beyond it: its own standard error is about 6% of the interval's half width.
DEFAULT_RESAMPLES = 2_000


@dataclass(frozen=True, eq=False)
class PairedDifference:
    """How much higher `current` scores than `reference` on the same rows, with its interval.

    Attributes
    ----------
    difference : ndarray of shape (n_columns,)
        mean(current - reference).
    low, high : ndarray of shape (n_columns,)
        Bounds of the interval.

    Examples
    --------
    >>> PairedDifference(np.array([0.05]), np.array([0.01]), np.array([0.09])).low
    array([0.01])
    """

    difference: np.ndarray
    low: np.ndarray
    high: np.ndarray


def two_proportion_test(
    successes_reference: ArrayLike,
    n_reference: ArrayLike,
    successes_current: ArrayLike,
    n_current: ArrayLike,
    alternative: str = "two-sided",
) -> TwoSampleResult:
    """Test whether two independent samples have the same share of successes, by the pooled z-statistic.

    The normal law is an approximation: trust it from about five successes and five failures expected on each side,
    and use Fisher's exact test below that. It may be looked at once; `SequentialTwoProportion` at every batch.

    Parameters
    ----------
    successes_reference, n_reference, successes_current, n_current : array_like
        Counts, 0 <= successes <= n and n >= 1; they broadcast.
    alternative : {"two-sided", "less", "greater"}
        "greater": the share of `current` is higher.

    Returns
    -------
    TwoSampleResult
        Of the broadcast shape, at least (1,). statistic: z, positive if the share of `current` is higher;
        effect_size: the difference of the shares, current - reference. Two samples of successes only, or of
        failures only, give z = 0 and p = 1.

    Raises
    ------
    ValueError
        If a count or the alternative breaks its rule.

    Examples
    --------
    >>> result = two_proportion_test(20, 1000, 40, 1000)
    >>> print(f"z {result.statistic[0]:.2f}, p {result.pvalue[0]:.3f}, difference {result.effect_size[0]:.3f}")
    z 2.62, p 0.009, difference 0.020
    """
    left, n_left = check_counts(successes_reference, n_reference, ("successes_reference", "n_reference"))
    right, n_right = check_counts(successes_current, n_current, ("successes_current", "n_current"))
    check_choice(alternative, "alternative", ALTERNATIVES)
    left, n_left, right, n_right = np.broadcast_arrays(*map(np.atleast_1d, (left, n_left, right, n_right)))
    difference = right / n_right - left / n_left
    share = (left + right) / (n_left + n_right)
    error = np.sqrt(share * (1 - share) * (1 / n_left + 1 / n_right))
    z = np.divide(difference, error, out=np.zeros_like(error), where=error > 0)
    tails = {"less": normal_sf(-z), "greater": normal_sf(z), "two-sided": np.minimum(1.0, 2 * normal_sf(np.abs(z)))}
    return TwoSampleResult(z, np.where(error > 0, tails[alternative], 1.0), difference)


def mcnemar_test(
    reference_correct: ArrayLike, current_correct: ArrayLike, *, method: str = "exact", alternative: str = "two-sided"
) -> TwoSampleResult:
    """Test whether two models are right equally often, from their answers to the same rows.

    Rows that both got right, or both wrong, say nothing about the difference and drop out.

    Parameters
    ----------
    reference_correct, current_correct : array_like of bool or 0/1, shape (n_rows,) or (n_rows, n_columns)
        Whether each model was right on each row; one comparison per column.
    method : {"exact", "mid-p"}
        "exact" never exceeds its level, and so stays well below it on few rows; "mid-p" counts half of the observed
        outcome's probability and comes closer to the level on average, but may exceed it (0.077 at a level of 0.05
        with 16 rows that differ).
    alternative : {"two-sided", "less", "greater"}
        "greater": `current` is right more often.

    Returns
    -------
    TwoSampleResult
        statistic: number of rows that only `current` got right; effect_size: the difference of the accuracies,
        current - reference. Without a row that only one of them got right, p = 1.

    Raises
    ------
    ValueError
        If the tables differ in shape, hold anything but 0 and 1, or a choice is unknown.

    References
    ----------
    M. W. Fagerland, S. Lydersen and P. Laake, The McNemar Test for Binary Matched-pairs Data: Mid-p and Asymptotic
    are Better than Exact Conditional, BMC Medical Research Methodology 13 (2013).

    Examples
    --------
    >>> champion, challenger = np.zeros(20), np.repeat([0, 1], 10)
    >>> result = mcnemar_test(champion, challenger)
    >>> print(f"p {result.pvalue[0]:.4f}, accuracy {result.effect_size[0]:+.2f}")
    p 0.0020, accuracy +0.50
    """
    left, right = _as_paired(reference_correct, current_correct)
    for table, name in ((left, "reference_correct"), (right, "current_correct")):
        if not ((table == 0) | (table == 1)).all():
            raise ValueError(f"{name} must hold only 0 and 1 (or False and True), got another value.")
    check_choice(method, "method", ("exact", "mid-p"))
    check_choice(alternative, "alternative", ALTERNATIVES)
    won, lost = (right > left).sum(axis=0), (right < left).sum(axis=0)
    discordant = won + lost
    halved = 0.5 * binomial_pmf(won, discordant, 0.5) if method == "mid-p" else 0.0
    tails = {name: binomial_cdf(count, discordant, 0.5) - halved for name, count in (("less", won), ("greater", lost))}
    tails["two-sided"] = 2 * np.minimum(tails["less"], tails["greater"])
    pvalue = np.where(discordant == 0, 1.0, np.minimum(1.0, tails[alternative]))
    return TwoSampleResult(won.astype(np.float64), pvalue, (won - lost) / len(left))


def paired_bootstrap(
    reference_scores: ArrayLike,
    current_scores: ArrayLike,
    *,
    rng: np.random.Generator,
    n_resamples: int = DEFAULT_RESAMPLES,
    confidence: float = DEFAULT_CONFIDENCE,
) -> PairedDifference:
    """Return the mean difference of two models' scores on the same rows, with its percentile interval.

    Parameters
    ----------
    reference_scores, current_scores : array_like of shape (n_rows,) or (n_rows, n_columns)
        One score per row and model, such as right/wrong or a loss; one comparison per column.
    rng : numpy.random.Generator
        Draws the resamples of rows; all columns share them.
    n_resamples : int
        Number of resamples.
    confidence : float
        In (0, 1). The interval is approximate: on 30 rows or fewer it covers a few points less.

    Raises
    ------
    ValueError
        If the tables differ in shape or an argument breaks its rule.

    References
    ----------
    B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> difficulty = rng.normal(size=200)
    >>> result = paired_bootstrap(difficulty, difficulty + rng.normal(0.1, 0.1, 200), rng=rng)
    >>> bool(result.low[0] > 0)
    True
    """
    left, right = _as_paired(reference_scores, current_scores)
    check_generator(rng)
    check_integer(n_resamples, "n_resamples", minimum=1)
    check_in_range(confidence, "confidence", 0, 1, open_ends=True)
    differences = right - left
    centre = differences.mean(axis=0)
    n_rows = len(differences)
    means = np.empty((n_resamples, differences.shape[1]))
    for start, stop in blocks(n_resamples, n_rows):
        drawn = rng.multinomial(n_rows, np.full(n_rows, 1 / n_rows), size=stop - start)
        means[start:stop] = drawn @ (differences - centre) / n_rows
    tail = 0.5 * (1 - confidence)
    low, high = centre + np.quantile(means, [tail, 1 - tail], axis=0)
    return PairedDifference(centre, low, high)


def _as_paired(reference: ArrayLike, current: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return two tables of one shape: row i of both is the same case."""
    left, right = as_pair(reference, current)
    if len(left) != len(right):
        raise ValueError(f"current must have the {len(left)} rows of reference (they are pairs), got {len(right)}.")
    return left, right
