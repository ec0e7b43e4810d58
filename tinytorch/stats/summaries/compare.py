"""Drift between two summaries, without the raw rows: z-test, KS, chi-square and PSI. Imports numpy only.

z = difference of means / standard error          D = max |F_reference - F_current|
chi-square = sum (seen - expected)^2 / expected   PSI = sum (q - p) log(q / p)
"""

from __future__ import annotations

import numpy as np

from tinytorch._arguments import check_in_range
from tinytorch.stats._effects import ratio_or_infinity
from tinytorch.stats._results import TwoSampleResult
from tinytorch.stats.categories import _compared, _pearson
from tinytorch.stats.fisher import fisher_exact_counts
from tinytorch.stats.ks import asymptotic_pvalue
from tinytorch.stats.psi import HALF_A_COUNT, psi_of_counts
from tinytorch.stats.special import normal_sf
from tinytorch.stats.summaries._checks import check_same_kind, check_same_width
from tinytorch.stats.summaries.categories import CategoryCounts
from tinytorch.stats.summaries.histogram import Histogram
from tinytorch.stats.summaries.missing import Missing
from tinytorch.stats.summaries.moments import Moments, mean_difference
from tinytorch.stats.summaries.quantiles import Quantiles


def z_test_from_moments(reference: Moments, current: Moments) -> TwoSampleResult:
    """Test per column whether the means are equal, as `z_test` does on the rows.

    Parameters
    ----------
    reference, current : Moments
        Of the same columns.

    Returns
    -------
    TwoSampleResult
        `statistic` is z, positive if the mean of `current` is higher; `effect_size` is Cohen's d. A column with fewer
        than two values on either side says nothing: z = 0, p = 1. Unequal constants give an infinite z and d.

    Raises
    ------
    ValueError
        If the two are not Moments of the same number of columns.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> reference, current = Moments.from_batch(rng.normal(0, 1, 4000)), Moments.from_batch(rng.normal(0.1, 1, 4000))
    >>> bool(z_test_from_moments(reference, current).pvalue[0] < 0.01)
    True
    """
    check_same_kind(reference, current)
    check_same_width(len(reference.count), len(current.count))
    n, m = reference.count, current.count
    enough = (n > 1) & (m > 1)
    difference = np.where(enough, mean_difference(reference, current), 0.0)
    with np.errstate(invalid="ignore"):  # a variance of fewer than two values is NaN
        error = np.where(
            enough, np.sqrt(reference.variance / np.maximum(n, 1) + current.variance / np.maximum(m, 1)), 0
        )
    spread = np.sqrt((reference.squares + current.squares) / np.maximum(n + m - 2, 1))
    statistic = ratio_or_infinity(difference, error)
    pvalue = np.minimum(2 * normal_sf(np.abs(statistic)), 1.0)
    return TwoSampleResult(statistic, pvalue, ratio_or_infinity(difference, spread))


def ks_from_quantiles(reference: Quantiles, current: Quantiles) -> TwoSampleResult:
    """Test per column whether two sketched distributions differ: Kolmogorov-Smirnov within the sketches' error.

    On discrete columns the p-value is too large rather than too small, as that of `ks_2samp`.

    Parameters
    ----------
    reference, current : Quantiles
        Of the same columns.

    Returns
    -------
    TwoSampleResult
        `statistic` and `effect_size` are D between the sketches: within `reference.rank_error + current.rank_error`
        of D between the rows (with 99.8% probability). `pvalue` is that of D less this error, so that a sketch raises
        no false alarms, however many rows it stands for; exact sketches give the law of `scipy.stats.ks_2samp` with
        method "asymp". A column without values on either side says nothing: D = 0, p = 1.

    Raises
    ------
    ValueError
        If the two are not Quantiles of the same number of columns.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> sketches = [Quantiles.from_batch(rng.normal(shift, 1, 20_000), rng=rng) for shift in (0.0, 0.1)]
    >>> result = ks_from_quantiles(*sketches)
    >>> result.statistic.round(2), bool(result.pvalue[0] < 0.001)
    (array([0.04]), True)
    """
    check_same_kind(reference, current)
    check_same_width(len(reference.count), len(current.count))
    both = (reference.count > 0) & (current.count > 0)
    statistic = np.zeros(len(both))
    pvalue = np.ones(len(both))
    certain = np.zeros(len(both))
    for column in np.flatnonzero(both):
        n, m = int(reference.count[column]), int(current.count[column])
        statistic[column] = _largest_gap(reference, current, int(column))
        certain[column] = statistic[column] - reference.rank_error[column] - current.rank_error[column]
        if certain[column] > 0:
            pvalue[column] = asymptotic_pvalue(certain[column], n, m, "two-sided")
    return TwoSampleResult(statistic, pvalue, statistic.copy())


def chi2_from_counts(reference: CategoryCounts, current: CategoryCounts) -> TwoSampleResult:
    """Test per column whether the categories come in the shares they had, as `chi2_test` does on the rows.

    A category that only one side has seen counts as 0 on the other. Where a category is expected fewer than about
    five times, the p-value is rough.

    Parameters
    ----------
    reference, current : CategoryCounts
        Of the same columns.

    Returns
    -------
    TwoSampleResult
        `statistic` is that of `scipy.stats.chi2_contingency(..., correction=False)`; `effect_size` is Cramer's V, from
        0 (alike) to 1 (no category in common). A column with one category, or without values on either side, says
        nothing: p = 1.

    Raises
    ------
    ValueError
        If the two are not CategoryCounts of the same number of columns, or one holds text where the other holds
        numbers.

    Examples
    --------
    >>> reference, current = CategoryCounts.from_batch(["a", "b"] * 50), CategoryCounts.from_batch(["a", "c"] * 50)
    >>> result = chi2_from_counts(reference, current)
    >>> result.statistic, result.effect_size.round(2)
    (array([100.]), array([0.71]))
    """
    check_same_kind(reference, current)
    check_same_width(len(reference.counts), len(current.counts))
    aligned = [reference.align(current, column)[1:] for column in range(len(reference.counts))]
    observed = np.zeros((2, len(aligned), max((len(ours) for ours, _ in aligned), default=0)))
    for column, counts in enumerate(aligned):
        observed[:, column, : len(counts[0])] = counts
    both = observed.sum(axis=2).all(axis=0)
    statistic, pvalue, effect_size = np.zeros(len(both)), np.ones(len(both)), np.zeros(len(both))
    if both.any():
        found = _chi2(observed[:, both])
        statistic[both], pvalue[both], effect_size[both] = found.statistic, found.pvalue, found.effect_size
    return TwoSampleResult(statistic, pvalue, effect_size)


def psi_from_histograms(reference: Histogram, current: Histogram, *, smoothing: float = HALF_A_COUNT) -> np.ndarray:
    """Population stability index of each column, shape (n_features,), from counts in the same bins.

    Parameters
    ----------
    reference, current : Histogram
        With the same edges.
    smoothing : float
        Counts added to every bin that either side uses, so that an empty bin has a logarithm; >= 0.

    Returns
    -------
    ndarray of shape (n_features,)
        0 for equal shares. Without drift it averages about (n_bins - 1) (1 / n + 1 / m), so a fixed threshold of 0.1
        or 0.2 means nothing on small samples. A column without values on either side says nothing: 0.

    Raises
    ------
    ValueError
        If the two are not Histograms with the same edges, or `smoothing` is negative.

    Examples
    --------
    >>> reference = Histogram.from_batch(np.arange(100.0), edges=[49.5])
    >>> current = Histogram.from_batch(np.arange(100.0) + 30, edges=[49.5])
    >>> psi_from_histograms(reference, current).round(2)
    array([0.41])
    """
    check_same_kind(reference, current)
    check_in_range(smoothing, "smoothing", 0.0, np.finfo(np.float64).max)
    if not np.array_equal(reference.edges, current.edges):
        raise ValueError("current must have the edges of reference, got other ones.")
    both = (reference.counts.sum(axis=1) > 0) & (current.counts.sum(axis=1) > 0)
    found = np.zeros(len(both))
    found[both] = psi_of_counts(reference.counts[both], current.counts[both], smoothing=smoothing)
    return found


def missing_rate_from_counts(reference: Missing, current: Missing) -> TwoSampleResult:
    """Test per column whether values are missing at the same rate, as `missing_rate_test` does on the rows.

    Parameters
    ----------
    reference, current : Missing
        Of the same columns.

    Returns
    -------
    TwoSampleResult
        `statistic` is the odds ratio of being missing, current over reference; `effect_size` the difference of the
        rates, current - reference.

    Raises
    ------
    ValueError
        If the two are not Missing of the same number of columns.

    Examples
    --------
    >>> current = np.where(np.arange(20) < 8, np.nan, 1.0)
    >>> missing_rate_from_counts(Missing.from_batch(np.ones(20)), Missing.from_batch(current)).pvalue.round(4)
    array([0.0033])
    """
    check_same_kind(reference, current)
    check_same_width(len(reference.n_missing), len(current.n_missing))
    return fisher_exact_counts(reference.n_missing, reference.n_rows, current.n_missing, current.n_rows)


def _chi2(observed: np.ndarray) -> TwoSampleResult:
    """Run `chi2_test` on counts of shape (2, n_features, n_categories), with a value in every row."""
    rows = observed.sum(axis=2, keepdims=True)
    expected = rows * (observed.sum(axis=0) / rows.sum(axis=0))
    return _compared(_pearson(observed, expected), observed, expected)


def _largest_gap(reference: Quantiles, current: Quantiles, column: int) -> float:
    """Largest distance between two columns' distribution functions."""
    left_values, left_upto = reference.distribution(column)
    right_values, right_upto = current.distribution(column)
    points = np.concatenate([left_values, right_values])
    left = np.append(0, left_upto)[np.searchsorted(left_values, points, side="right")] / left_upto[-1]
    right = np.append(0, right_upto)[np.searchsorted(right_values, points, side="right")] / right_upto[-1]
    return float(np.abs(left - right).max())
