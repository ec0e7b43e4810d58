"""Every test of `tinytorch.stats`, with how its p-values are drawn.

A subject's function `(rng, setting, repetitions, change)` returns one p-value per repetition. What has no p-value
(PSI, an interval) gives the smallest of `LEVELS` at which it raises an alarm, and 1 if it raises none.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from calibration.laws import RARE_SHARE, TWO_VALUED_SHARE, Change, Setting, draw_counts, draw_pair
from scipy import stats as scipy_stats

from tinytorch import stats

LEVELS = (0.05, 0.01)
SIZES = ((10, 10), (50, 20), (100, 100), (1000, 300))
TABLE_SIZES = ((20, 20), (50, 20), (200, 200))
"""For tests of whole tables, whose cost grows with the square of the rows."""
N_TABLE_COLUMNS = 5
N_FAMILY = 20
"""Columns that are corrected together."""
QUINTILES = scipy_stats.norm.ppf([0.2, 0.4, 0.6, 0.8])
N_LOOKS = 30

PValues = Callable[[np.random.Generator, Setting, int, Change], np.ndarray]
Test = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Subject:
    """One public name, the settings it is calibrated in, and how to draw its p-values."""

    name: str
    pvalues: PValues
    settings: tuple[Setting, ...]
    repetitions: int = 10_000
    """Of the full-size run; the bounded test takes a share of them."""
    at_once: int = 1000
    """Repetitions per call. Columns tested together share their shuffles, so those tests take fewer at once."""


def columns(test: Test) -> PValues:
    """Every column is a repetition."""

    def pvalues(rng: np.random.Generator, setting: Setting, repetitions: int, change: Change) -> np.ndarray:
        return test(*draw_pair(rng, setting, repetitions, change), rng)

    return pvalues


def tables(test: Test, n_columns: int = N_TABLE_COLUMNS) -> PValues:
    """Every table of some columns is a repetition; the smallest of its p-values counts."""

    def pvalues(rng: np.random.Generator, setting: Setting, repetitions: int, change: Change) -> np.ndarray:
        pairs = (draw_pair(rng, setting, n_columns, change) for _ in range(repetitions))
        return np.array([test(*pair, rng).min() for pair in pairs])

    return pvalues


def counts(test: Callable[..., object]) -> PValues:
    """Every pair of counts is a repetition."""

    def pvalues(rng: np.random.Generator, setting: Setting, repetitions: int, change: Change) -> np.ndarray:
        left, right = draw_counts(rng, setting, repetitions, change)
        return test(left, setting.n, right, setting.m).pvalue

    return pvalues


def categories(test: Test) -> PValues:
    """Every column of categories is a repetition; normal values are cut at their quintiles."""

    def pvalues(rng: np.random.Generator, setting: Setting, repetitions: int, change: Change) -> np.ndarray:
        pair = draw_pair(rng, setting, repetitions, change)
        if setting.law == "normal":
            pair = tuple(np.searchsorted(QUINTILES, table) for table in pair)
        return test(*(table.astype(np.int64) for table in pair), rng)

    return pvalues


def shares(test: Test) -> PValues:
    """Every column of zeros and ones is a repetition; its change is one of the share of ones."""

    def pvalues(rng: np.random.Generator, setting: Setting, repetitions: int, change: Change) -> np.ndarray:
        share = {"two-valued": TWO_VALUED_SHARE, "rare": RARE_SHARE}[setting.law]
        reference = (rng.random((setting.n, repetitions)) < share).astype(float)
        current = (rng.random((setting.m, repetitions)) < share + change.share).astype(float)
        return test(reference, current, rng)

    return pvalues


def looks(test: Callable[[np.ndarray, int, np.ndarray, int], np.ndarray]) -> PValues:
    """Every pair of growing counts is a repetition: n and m more rows at each of the looks."""

    def pvalues(rng: np.random.Generator, setting: Setting, repetitions: int, change: Change) -> np.ndarray:
        batches = [draw_counts(rng, setting, repetitions, change) for _ in range(N_LOOKS)]
        left, right = (np.array(counted) for counted in zip(*batches, strict=True))
        return test(left, setting.n, right, setting.m)

    return pvalues


def every_look(left: np.ndarray, n: int, right: np.ndarray, m: int) -> np.ndarray:
    """Smallest p-value over the looks, each from all counts so far."""
    so_far = np.arange(1, N_LOOKS + 1)[:, np.newaxis]
    result = stats.sequential_two_proportion(left.cumsum(axis=0), n * so_far, right.cumsum(axis=0), m * so_far)
    return result.pvalue.min(axis=0)


def batch_by_batch(left: np.ndarray, n: int, right: np.ndarray, m: int) -> np.ndarray:
    """The same from the object that is fed one batch after the other."""
    sequential = stats.SequentialTwoProportion()
    for row_left, row_right in zip(left, right, strict=True):
        sequential.update(row_left, n, row_right, m)
    return sequential.pvalue_


def psi_alarm(reference: np.ndarray, current: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Smallest level whose threshold the index exceeds."""
    fitted = stats.FittedReference().fit(reference)
    index, bins = stats.psi(fitted, current), (fitted.bin_counts_ > 0).sum(axis=1)
    return smallest_level(
        lambda level: index > stats.psi_threshold(len(reference), len(current), bins, level), len(index)
    )


def smallest_level(raises_alarm: Callable[[float], np.ndarray], repetitions: int) -> np.ndarray:
    """For each repetition the smallest of the levels at which there is an alarm, 1 without one."""
    smallest = np.ones(repetitions)
    for level in sorted(LEVELS, reverse=True):
        smallest[raises_alarm(level)] = level
    return smallest


def share_interval(interval: Callable[..., stats.Interval]) -> PValues:
    """An interval for a share of n raises a false alarm where it misses the share its n rows were drawn with."""

    def pvalues(rng: np.random.Generator, setting: Setting, repetitions: int, change: Change) -> np.ndarray:
        share = {"two-valued": TWO_VALUED_SHARE, "rare": RARE_SHARE}[setting.law]
        successes = rng.binomial(setting.n, share, repetitions)

        def misses(level: float) -> np.ndarray:
            found = interval(successes, setting.n, 1 - level)
            return (found.low > share) | (found.high < share)

        return smallest_level(misses, repetitions)

    return pvalues


def mean_interval(interval: Callable[..., stats.Interval]) -> Test:
    """An interval for the mean raises a false alarm where it misses the mean, 0."""

    def test(reference: np.ndarray, current: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        def misses(level: float) -> np.ndarray:
            found = interval(reference, rng=rng, confidence=1 - level)
            return (found.low > 0) | (found.high < 0)

        return smallest_level(misses, reference.shape[1])

    return test


def paired_alarm(reference: np.ndarray, current: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The paired bootstrap finds a difference where its interval leaves out 0."""

    def misses(level: float) -> np.ndarray:
        found = stats.paired_bootstrap(reference, current, rng=rng, confidence=1 - level)
        return (found.low > 0) | (found.high < 0)

    return smallest_level(misses, reference.shape[1])


def families(correct: Callable[[np.ndarray], np.ndarray]) -> PValues:
    """Every family of columns, tested by Welch's test and corrected together, is a repetition; its smallest counts."""

    def pvalues(rng: np.random.Generator, setting: Setting, repetitions: int, change: Change) -> np.ndarray:
        reference, current = draw_pair(rng, setting, repetitions * N_FAMILY, change)
        raw = stats.welch_t_test(reference, current).pvalue.reshape(repetitions, N_FAMILY)
        return np.array([correct(family).min() for family in raw])

    return pvalues


def as_missing(table: np.ndarray) -> np.ndarray:
    return np.where(table == 1, np.nan, 1.0)


def summarised(compare: Callable[..., stats.TwoSampleResult], summary: type) -> Test:
    """A comparison of two summaries in place of the rows."""
    return lambda left, right, rng: compare(summary.from_batch(left), summary.from_batch(right)).pvalue


def sketched(reference: np.ndarray, current: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    first, second = rng.spawn(2)
    left, right = stats.Quantiles.from_batch(reference, rng=first), stats.Quantiles.from_batch(current, rng=second)
    return stats.ks_from_quantiles(left, right).pvalue


def grid(laws: tuple[str, ...], sizes: tuple[tuple[int, int], ...]) -> tuple[Setting, ...]:
    return tuple(Setting(law, n, m) for law in laws for n, m in sizes)


def plain(test: Callable[..., stats.TwoSampleResult]) -> Test:
    return lambda reference, current, rng: test(reference, current).pvalue


def shuffled(test: Callable[..., stats.TwoSampleResult]) -> Test:
    return lambda reference, current, rng: test(reference, current, rng=rng).pvalue


NUMBERS = grid(("normal", "two-valued", "few-valued", "heavy-tailed"), SIZES)
CATEGORIES = grid(("normal", "two-valued", "few-valued"), SIZES)
SHARES = grid(("two-valued", "rare"), SIZES)
TABLES = grid(("normal", "few-valued", "heavy-tailed"), TABLE_SIZES)
SERIES = grid(("normal", "AR(1) 0.5", "AR(1) 0.8"), ((100, 100),)) + grid(("AR(1) 0.8", "AR(1) 0.9"), ((500, 500),))
PAIRED = grid(("two-valued",), tuple((n, n) for n, _ in SIZES))
LOOKS = (Setting("two-valued", 50, 10), Setting("rare", 20, 20), Setting("rare", 200, 200), Setting("rare", 1800, 200))
FAMILIES = grid(("normal",), ((50, 20), (100, 100)))
STEPS = grid(("normal", "two-valued", "few-valued", "heavy-tailed"), ((10, 0), (20, 0), (50, 0)))
ONE_SAMPLE = grid(("two-valued", "rare"), tuple((n, 0) for n, _ in SIZES))

SUBJECTS = (
    *(
        Subject(test.__name__, columns(plain(test)), NUMBERS)
        for test in (
            stats.ks_2samp,
            stats.cramervonmises_2samp,
            stats.anderson_2samp,
            stats.mannwhitneyu,
            stats.welch_t_test,
            stats.z_test,
            stats.brown_forsythe_test,
        )
    ),
    Subject("permutation_test", columns(shuffled(stats.permutation_test)), NUMBERS, at_once=250),
    Subject("psi", columns(psi_alarm), NUMBERS, 4000),
    Subject("ks_from_quantiles", columns(sketched), NUMBERS, 2000, at_once=250),
    Subject("z_test_from_moments", columns(summarised(stats.z_test_from_moments, stats.Moments)), NUMBERS, 4000),
    Subject("chi2_test", categories(plain(stats.chi2_test)), CATEGORIES),
    Subject("g_test", categories(plain(stats.g_test)), CATEGORIES),
    Subject("chi2_from_counts", categories(summarised(stats.chi2_from_counts, stats.CategoryCounts)), CATEGORIES, 4000),
    Subject("fisher_exact", shares(plain(stats.fisher_exact)), SHARES, 4000),
    Subject("fisher_exact_counts", counts(stats.fisher_exact_counts), SHARES, 4000),
    Subject("two_proportion_test", counts(stats.two_proportion_test), SHARES),
    Subject(
        "missing_rate_test",
        shares(lambda left, right, rng: stats.missing_rate_test(as_missing(left), as_missing(right)).pvalue),
        SHARES,
        2000,
    ),
    Subject(
        "missing_rate_from_counts",
        shares(
            lambda left, right, rng: summarised(stats.missing_rate_from_counts, stats.Missing)(
                as_missing(left), as_missing(right), rng
            )
        ),
        SHARES,
        2000,
    ),
    Subject("mcnemar_test", shares(plain(stats.mcnemar_test)), PAIRED),
    Subject("sequential_two_proportion", looks(every_look), LOOKS),
    Subject("SequentialTwoProportion", looks(batch_by_batch), LOOKS),
    Subject(
        "trend_test",
        columns(lambda left, right, rng: stats.trend_test(np.concatenate([left, right])).pvalue),
        STEPS,
        4000,
    ),
    *(
        Subject(test.__name__, tables(shuffled(test)), TABLES, 1000)
        for test in (stats.mmd_test, stats.energy_test, stats.covariance_shift_test, stats.pca_reconstruction_test)
    ),
    *(
        Subject(test.__name__, tables(shuffled(test), n_columns=1), SERIES, 1000)
        for test in (stats.block_permutation_mean_test, stats.block_permutation_ks_test)
    ),
    Subject(
        "column_report",
        tables(lambda left, right, rng: stats.column_report(left, right).adjusted_pvalue, N_FAMILY),
        FAMILIES,
        2000,
    ),
    *(
        Subject(correct.__name__, families(correct), FAMILIES, 4000, at_once=100)
        for correct in (stats.bonferroni, stats.holm, stats.benjamini_hochberg, stats.benjamini_yekutieli)
    ),
    Subject("wilson_interval", share_interval(stats.wilson_interval), ONE_SAMPLE),
    Subject("clopper_pearson_interval", share_interval(stats.clopper_pearson_interval), ONE_SAMPLE),
    *(
        Subject(interval.__name__, columns(mean_interval(interval)), grid(("normal",), ((30, 0), (100, 0))), 4000, 250)
        for interval in (stats.bootstrap_interval, stats.percentile_interval)
    ),
    Subject("paired_bootstrap", columns(paired_alarm), grid(("normal",), ((30, 30), (100, 100))), 4000, 250),
)


def steps(total: int, at_once: int) -> list[int]:
    """Cut a number of repetitions into calls."""
    n_calls = math.ceil(total / at_once)
    return [total // n_calls + (call < total % n_calls) for call in range(n_calls)]
