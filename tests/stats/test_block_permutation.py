"""Block permutation: labels against a slow shuffle, statistics against scipy, size and power on AR(1) series."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.stats import ks_2samp, ttest_ind

from tinytorch.stats.block_permutation import (
    block_permutation_ks_test,
    block_permutation_mean_test,
    circular_block_labels,
    suggest_block_length,
)

ALPHA = 0.05
N_SERIES = 1000
N_ROWS = 500
PHI = 0.8
# The promised size; at the measured size of 0.06 a share beyond it in 1,000 series has probability 0.5%.
LARGEST_SIZE = 0.08


def ar1(rng, phi, n_rows, n_series):
    """Stationary AR(1) series of variance 1, one per column."""
    noise = rng.normal(size=(n_rows, n_series)) * np.sqrt(1 - phi**2)
    noise[0] /= np.sqrt(1 - phi**2)
    return lfilter([1.0], [1.0, -phi], noise, axis=0)


def test_labels_are_those_of_rows_moved_one_by_one():
    """The same draws, spelled out: turn the circle, cut it into blocks, shuffle them, take the first n rows."""
    n, m, length = 7, 6, 3
    labels = circular_block_labels((n, m), length, 50, np.random.default_rng(8))
    draws = np.random.default_rng(8)
    orders = draws.permuted(np.tile(np.arange(5), (50, 1)), axis=1)
    turns = draws.integers(0, n + m, size=(50, 1))[:, 0]
    for row, order, turn in zip(labels[1:], orders, turns, strict=True):
        circle = [(position - turn) % (n + m) for position in range(n + m)]  # which row stands at each place
        pieces = [circle[start : start + length] for start in range(0, n + m, length)]
        shuffled = [row_number for piece in order for row_number in pieces[piece]]
        assert set(np.flatnonzero(row)) == set(shuffled[:n])


@pytest.mark.parametrize("length", [1, 4, 100])
def test_every_labelling_has_as_many_reference_rows(length, rng):
    assert (circular_block_labels((30, 21), length, 40, rng).sum(axis=1) == 30).all()


def test_statistics_are_the_plain_ones(rng):
    reference, current = rng.integers(0, 9, size=(40, 3)), rng.integers(1, 8, size=(55, 3))
    mean = block_permutation_mean_test(reference, current, rng=rng)
    np.testing.assert_allclose(mean.statistic, current.mean(axis=0) - reference.mean(axis=0), atol=1e-12)
    ks = block_permutation_ks_test(reference, current, rng=rng)
    np.testing.assert_allclose(ks.statistic, ks_2samp(reference, current, axis=0).statistic, atol=1e-12)


def test_permuted_ks_statistics_are_scipys_on_the_relabelled_rows(rng):
    column, n = rng.integers(0, 12, size=60).astype(float), 25
    labels = circular_block_labels((n, 35), 5, 30, np.random.default_rng(2)) == 1
    slow = np.array([ks_2samp(column[row], column[~row]).statistic for row in labels])
    expected = (1 + np.sum(slow[1:] >= slow[0] - 1e-12)) / len(slow)
    ours = block_permutation_ks_test(
        column[:n], column[n:], rng=np.random.default_rng(2), block_length=5, n_permutations=30
    )
    assert ours.pvalue[0] == expected


def test_permuted_means_are_those_of_the_relabelled_rows(rng):
    column, n = rng.integers(0, 12, size=60).astype(float), 25
    labels = circular_block_labels((n, 35), 5, 30, np.random.default_rng(2)) == 1
    slow = np.array([abs(column[row].mean() - column[~row].mean()) for row in labels])
    expected = (1 + np.sum(slow[1:] >= slow[0] - 1e-12)) / len(slow)
    ours = block_permutation_mean_test(
        column[:n], column[n:], rng=np.random.default_rng(2), block_length=5, n_permutations=30
    )
    assert ours.pvalue[0] == expected


def test_trap_ar1_windows_raise_false_alarms_in_tests_for_independent_rows(rng):
    """Why this file exists: at phi = 0.8 a t-test at 0.05 fires on about half of the clean windows, KS likewise."""
    series = ar1(rng, PHI, 2 * N_ROWS, N_SERIES)
    assert np.mean(ttest_ind(series[:N_ROWS], series[N_ROWS:]).pvalue <= ALPHA) > 0.4
    assert np.mean(ks_2samp(series[:N_ROWS], series[N_ROWS:], axis=0).pvalue <= ALPHA) > 0.3


@pytest.mark.parametrize("test", [block_permutation_mean_test, block_permutation_ks_test])
def test_trap_ar1_false_alarms_stay_below_0_08_when_blocks_are_shuffled(test, rng):
    series = ar1(rng, PHI, 2 * N_ROWS, N_SERIES)
    alarms = sum(
        test(column[:N_ROWS], column[N_ROWS:], rng=rng, n_permutations=99).pvalue[0] <= ALPHA for column in series.T
    )
    assert alarms <= LARGEST_SIZE * N_SERIES


@pytest.mark.parametrize("test", [block_permutation_mean_test, block_permutation_ks_test])
def test_independent_rows_keep_the_nominal_rate(test, rng):
    """300 clean columns at 0.05: 15 expected; 3 to 31 (binomial at 0.05 and 0.06, 5e-4 on either side)."""
    alarms = sum(
        test(rng.normal(size=60), rng.normal(size=90), rng=rng, n_permutations=99).pvalue[0] <= ALPHA
        for _ in range(300)
    )
    assert 3 <= alarms <= 31


@pytest.mark.parametrize("test", [block_permutation_mean_test, block_permutation_ks_test])
def test_power_grows_with_the_shift(test, rng):
    found = []
    for shift in (0.0, 1.0, 2.5):
        series = ar1(rng, PHI, 2 * N_ROWS, 20)
        series[N_ROWS:] += shift
        pvalues = [test(column[:N_ROWS], column[N_ROWS:], rng=rng, n_permutations=99).pvalue[0] for column in series.T]
        found.append(sum(pvalue <= ALPHA for pvalue in pvalues))
    assert found[0] < found[1] <= found[2] == 20


@pytest.mark.parametrize("test", [block_permutation_mean_test, block_permutation_ks_test])
def test_trap_constant_columns_give_p_one_and_never_nan(test, rng):
    result = test(np.full((30, 2), 0.1), np.full((20, 2), 0.1), rng=rng)
    assert (result.pvalue == 1).all() and (result.statistic == 0).all() and (result.effect_size == 0).all()


@pytest.mark.parametrize("test", [block_permutation_mean_test, block_permutation_ks_test])
def test_trap_a_permutation_pvalue_is_never_zero(test, rng):
    assert test(rng.normal(size=200), rng.normal(size=200) + 9, rng=rng, n_permutations=19).pvalue[0] == 1 / 20


def test_the_block_length_follows_the_memory_of_the_series(rng):
    lengths = [suggest_block_length(*np.split(ar1(rng, phi, 10_000, 3), 2)) for phi in (0.0, 0.5, 0.8)]
    assert lengths[0] <= 2
    assert lengths[1] == pytest.approx(20 * 0.5 / 0.75, abs=3)
    assert lengths[2] == pytest.approx(20 * 0.8 / 0.36, abs=8)
    assert suggest_block_length(np.arange(50.0), np.arange(50.0)) == 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"block_length": 0}, "block_length must be an integer >= 1, got 0"),
        ({"n_permutations": 0}, "n_permutations must be an integer >= 1, got 0"),
        ({"rng": 3}, "rng must be a numpy.random.Generator, got 3"),
        ({"current": [np.inf]}, "current must be finite"),
    ],
)
def test_bad_input_is_named(change, message):
    arguments = {"reference": [1.0, 2.0], "current": [2.0, 3.0], "rng": np.random.default_rng(0)} | change
    for test in (block_permutation_mean_test, block_permutation_ks_test):
        with pytest.raises(ValueError, match=message):
            test(**arguments)
