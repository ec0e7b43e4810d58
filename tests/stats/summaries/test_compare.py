"""Drift from summaries against the same drift from the rows, and against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2_contingency, fisher_exact, ks_2samp, ttest_ind

from tinytorch.stats.categories import chi2_test
from tinytorch.stats.means import z_test
from tinytorch.stats.psi import psi
from tinytorch.stats.summaries import (
    CategoryCounts,
    Histogram,
    Missing,
    Moments,
    Quantiles,
    chi2_from_counts,
    ks_from_quantiles,
    missing_rate_from_counts,
    psi_from_histograms,
    quantile_edges,
    z_test_from_moments,
)

ALPHA = 0.05


def sketched(table, rng, n_parts=7, **arguments):
    """A sketch put together from parts."""
    parts = [Quantiles.from_batch(part, rng=rng, **arguments) for part in np.array_split(table, n_parts)]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.merge(part)
    return whole


def test_z_from_merged_moments_is_z_from_the_rows(rng, hard_pair):
    reference, current = hard_pair(1, 300, 200)
    parts = [Moments.from_batch(part) for part in np.array_split(current, 9)]
    merged = parts[0]
    for part in parts[1:]:
        merged = merged.merge(part)
    ours, rows = z_test_from_moments(Moments.from_batch(reference), merged), z_test(reference, current)
    np.testing.assert_allclose(ours.statistic, rows.statistic, rtol=1e-9)
    np.testing.assert_allclose(ours.pvalue, rows.pvalue, rtol=1e-9)
    np.testing.assert_allclose(ours.effect_size, rows.effect_size, rtol=1e-9)
    scipys = ttest_ind(current[:, 0], reference[:, 0], equal_var=False)
    assert ours.statistic[0] == pytest.approx(scipys.statistic, rel=1e-12)


def test_ks_of_exact_sketches_is_scipys(rng):
    reference, current = rng.integers(0, 50, size=(400, 3)), rng.integers(2, 48, size=(300, 3))
    ours = ks_from_quantiles(sketched(reference, rng), sketched(current, rng))
    scipys = ks_2samp(reference, current, axis=0, method="asymp")
    np.testing.assert_allclose(ours.statistic, scipys.statistic, atol=1e-15)
    np.testing.assert_allclose(ours.pvalue, scipys.pvalue, rtol=1e-9)


@pytest.mark.parametrize("shift", [0.0, 0.05, 0.5])
def test_ks_of_sketches_is_within_the_stated_error(shift, rng):
    reference, current = rng.normal(size=(30_000, 4)), rng.normal(shift, size=(20_000, 4))
    left, right = sketched(reference, rng, capacity=128), sketched(current, rng, capacity=128)
    ours, exact = ks_from_quantiles(left, right), ks_2samp(reference, current, axis=0, method="asymp")
    assert (left.rank_error > 0).all()
    assert (np.abs(ours.statistic - exact.statistic) <= left.rank_error + right.rank_error).all()
    assert (ours.pvalue >= exact.pvalue).all()


def test_a_coarse_sketch_of_many_rows_raises_no_false_alarms(rng):
    """The sketch errs by more than KS of 40,000 rows would forgive; 50 clean columns, and none may fire.

    Fewer than one in twenty may fire by KS's own size; the p-value of D less the error is far above its own law.
    """
    left = sketched(rng.normal(size=(40_000, 50)), rng, capacity=32)
    right = sketched(rng.normal(size=(40_000, 50)), rng, capacity=32)
    result = ks_from_quantiles(left, right)
    assert (left.rank_error > 0.02).all()
    assert (result.pvalue > ALPHA).all()
    moved = sketched(rng.normal(1.0, size=(40_000, 50)), rng, capacity=32)
    assert (ks_from_quantiles(left, moved).pvalue < 1e-6).all()


def test_chi2_from_counts_is_scipys(rng):
    reference, current = rng.integers(0, 6, size=(300, 3)), rng.integers(0, 7, size=(200, 3))
    ours = chi2_from_counts(CategoryCounts.from_batch(reference), CategoryCounts.from_batch(current))
    for column in range(3):
        counts = [np.bincount(sample[:, column], minlength=7) for sample in (reference, current)]
        scipys = chi2_contingency(counts, correction=False)
        assert ours.statistic[column] == pytest.approx(scipys.statistic, rel=1e-12)
        assert ours.pvalue[column] == pytest.approx(scipys.pvalue, rel=1e-9)
        assert ours.effect_size[column] == pytest.approx(np.sqrt(scipys.statistic / 500), rel=1e-12)


def test_chi2_from_counts_is_chi2_from_the_rows(rng):
    reference, current = rng.integers(0, 6, size=(300, 3)), rng.integers(0, 7, size=(200, 3))
    ours = chi2_from_counts(CategoryCounts.from_batch(reference), CategoryCounts.from_batch(current))
    rows = chi2_test(reference, current)
    np.testing.assert_allclose(ours.statistic, rows.statistic, rtol=1e-12)
    np.testing.assert_allclose([ours.pvalue, ours.effect_size], [rows.pvalue, rows.effect_size], rtol=1e-11)


def test_trap_a_category_the_reference_never_saw_counts(rng):
    reference, current = CategoryCounts.from_batch(["a", "b"] * 50), CategoryCounts.from_batch(["z"] * 100)
    result = chi2_from_counts(reference, current)
    assert result.pvalue[0] < 1e-20 and result.effect_size[0] == pytest.approx(1.0)


def slow_psi(reference, current, smoothing):
    """The definition, bin by bin."""
    total = 0.0
    for seen, now in zip(reference, current, strict=True):
        expected = (seen + smoothing) / (sum(reference) + smoothing * len(reference))
        actual = (now + smoothing) / (sum(current) + smoothing * len(current))
        total += (actual - expected) * np.log(actual / expected)
    return total


def test_psi_from_histograms_is_the_definition(rng):
    reference, current = rng.normal(size=(500, 3)), rng.normal(0.4, size=(300, 3))
    edges = quantile_edges(reference)
    left, right = Histogram.from_batch(reference, edges=edges), Histogram.from_batch(current, edges=edges)
    expected = [slow_psi(*counts, 0.5) for counts in zip(left.counts.tolist(), right.counts.tolist(), strict=True)]
    np.testing.assert_allclose(psi_from_histograms(left, right), expected, rtol=1e-12)
    np.testing.assert_allclose(psi_from_histograms(left, right), psi(reference, current), rtol=1e-12)


def test_trap_psi_of_small_samples_is_large_without_drift(rng):
    """Its null mean is about (B - 1)(1 / n + 1 / m); half a count a bin shrinks it, a tiny fill explodes it."""
    values = {0.5: [], 1e-4: [], 1e-10: []}
    for _ in range(300):
        reference, current = rng.normal(size=100), rng.normal(size=100)
        edges = quantile_edges(reference, n_bins=20)
        left, right = Histogram.from_batch(reference, edges=edges), Histogram.from_batch(current, edges=edges)
        for smoothing, found in values.items():
            found.append(psi_from_histograms(left, right, smoothing=smoothing)[0])
    assert np.mean(values[0.5]) == pytest.approx(19 * (1 / 100 + 1 / 100), rel=0.4)
    assert np.mean(values[0.5]) < np.mean(values[1e-4]) < np.mean(values[1e-10])


def test_missing_rates_are_compared_by_fishers_test():
    reference, current = np.ones(40), np.where(np.arange(30) < 6, np.nan, 1.0)
    ours = missing_rate_from_counts(Missing.from_batch(reference), Missing.from_batch(current))
    assert ours.pvalue[0] == pytest.approx(fisher_exact([[0, 40], [6, 24]]).pvalue, rel=1e-9)
    assert ours.effect_size[0] == 0.2


def test_trap_constant_columns_give_p_one_and_never_nan(rng):
    constant = np.full((20, 1), 0.1)
    assert z_test_from_moments(Moments.from_batch(constant), Moments.from_batch(constant[:9])).pvalue[0] == 1
    sketches = Quantiles.from_batch(constant, rng=rng), Quantiles.from_batch(constant[:9], rng=rng)
    assert ks_from_quantiles(*sketches).pvalue[0] == 1
    counts = CategoryCounts.from_batch(constant), CategoryCounts.from_batch(constant[:9])
    assert chi2_from_counts(*counts).pvalue[0] == 1
    edges = quantile_edges(constant)
    histograms = Histogram.from_batch(constant, edges=edges), Histogram.from_batch(constant, edges=edges)
    assert psi_from_histograms(*histograms)[0] == 0


def test_a_column_without_values_says_nothing(rng):
    nothing, something = np.full((9, 1), np.nan), np.arange(9.0)[:, np.newaxis]
    z = z_test_from_moments(Moments.from_batch(something), Moments.from_batch(nothing))
    ks = ks_from_quantiles(Quantiles.from_batch(something, rng=rng), Quantiles.from_batch(nothing, rng=rng))
    chi = chi2_from_counts(CategoryCounts.from_batch(something), CategoryCounts.from_batch(nothing))
    for result in (z, ks, chi):
        assert (result.statistic[0], result.pvalue[0], result.effect_size[0]) == (0.0, 1.0, 0.0)
    edges = quantile_edges(something)
    left, right = Histogram.from_batch(something, edges=edges), Histogram.from_batch(nothing, edges=edges)
    assert psi_from_histograms(left, right)[0] == 0


def test_false_alarms_from_summaries_stay_at_their_nominal_rate(rng, binomial_limits):
    """400 clean columns of 400 and 300 rows, each test at 0.05."""
    reference, current = rng.normal(size=(400, 400)), rng.normal(size=(300, 400))
    z = z_test_from_moments(Moments.from_batch(reference), Moments.from_batch(current))
    ks = ks_from_quantiles(Quantiles.from_batch(reference, rng=rng), Quantiles.from_batch(current, rng=rng))
    codes = [CategoryCounts.from_batch(np.floor(2 * np.abs(sample)).clip(max=3)) for sample in (reference, current)]
    low, high = binomial_limits(ALPHA, 400)
    for result in (z, ks, chi2_from_counts(*codes)):
        assert low <= np.mean(result.pvalue <= ALPHA) <= high


def test_summaries_that_do_not_fit_are_refused(rng):
    one, two = rng.normal(size=(9, 1)), rng.normal(size=(9, 2))
    with pytest.raises(ValueError, match="other must have 1 columns, got 2"):
        z_test_from_moments(Moments.from_batch(one), Moments.from_batch(two))
    with pytest.raises(ValueError, match="other must be a Moments, got Missing"):
        z_test_from_moments(Moments.from_batch(one), Missing.from_batch(one))
    with pytest.raises(ValueError, match="current must have the edges of reference"):
        psi_from_histograms(Histogram.from_batch(one, edges=[0.0]), Histogram.from_batch(one, edges=[1.0]))
    with pytest.raises(ValueError, match="smoothing must be in"):
        histogram = Histogram.from_batch(one, edges=[0.0])
        psi_from_histograms(histogram, histogram, smoothing=-1)
