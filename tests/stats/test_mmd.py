"""MMD against the double loop of its definition, its false alarms, its power, and what it must not do."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from tinytorch.stats import _permutations, mmd
from tinytorch.stats._pairwise import permuted_pair_sums
from tinytorch.stats._permutations import blocks, permutation_pvalue, random_labels
from tinytorch.stats.mmd import mmd_test

ALPHA = 0.05


def slow_mmd(reference, current, bandwidth):
    """The definition, pair by pair."""

    def mean_kernel(left, right, skip_same):
        return np.mean(
            [
                np.exp(-((u - v) ** 2).sum() / (2 * bandwidth**2))
                for i, u in enumerate(left)
                for j, v in enumerate(right)
                if not (skip_same and i == j)
            ]
        )

    own = mean_kernel(reference, reference, True) + mean_kernel(current, current, True)
    return own - 2 * mean_kernel(reference, current, False)


@pytest.mark.parametrize(("n", "m", "d"), [(2, 2, 1), (7, 4, 2), (25, 25, 3), (25, 24, 12), (30, 30, 12)])
def test_the_statistic_is_the_definition(n, m, d, rng):
    reference, current = rng.normal(size=(n, d)), rng.normal(size=(m, d)) + 0.3
    result = mmd_test(reference, current, rng=rng, bandwidth=1.7)
    np.testing.assert_allclose(result.statistic[0], slow_mmd(reference, current, 1.7), rtol=0, atol=1e-13)


def test_the_single_precision_statistic_is_the_definition_to_1e_6(rng):
    reference, current = rng.normal(size=(600, 10)), rng.normal(size=(500, 10)) + 0.2
    squared = ((np.vstack([reference, current])[:, None] - np.vstack([reference, current])) ** 2).sum(axis=2)
    kernel = np.exp(-squared / (2 * 4.0**2))
    np.fill_diagonal(kernel, 0.0)
    own = kernel[:600, :600].sum() / (600 * 599) + kernel[600:, 600:].sum() / (500 * 499)
    slow = own - 2 * kernel[:600, 600:].mean()
    assert mmd_test(reference, current, rng=rng, bandwidth=4.0).statistic[0] == pytest.approx(slow, abs=1e-6)


def test_the_default_bandwidth_is_the_median_distance(rng):
    reference, current = rng.normal(size=(40, 3)), rng.normal(size=(50, 3))
    median = float(np.median(pdist(np.vstack([reference, current]))))
    ours = mmd_test(reference, current, rng=rng).statistic
    np.testing.assert_allclose(ours, mmd_test(reference, current, rng=rng, bandwidth=median).statistic, atol=1e-13)


@pytest.mark.parametrize(("n", "m"), [(3, 5), (20, 33)])
def test_relabelled_sums_are_those_of_a_shuffled_kernel(n, m, rng, monkeypatch):
    monkeypatch.setattr(_permutations, "BLOCK_NUMBERS", 100)  # many thin strips
    kernel = rng.random((n + m, n + m))
    kernel += kernel.T
    state = np.random.default_rng(5)
    sums = permuted_pair_sums(lambda rows, columns: kernel[np.ix_(rows, columns)], n, m, 20, state)
    for labels, own, other, between in zip(
        random_labels(n, m, 20, np.random.default_rng(5)), sums.reference, sums.current, sums.between, strict=True
    ):
        ones, zeros = np.flatnonzero(labels), np.flatnonzero(labels == 0)
        np.testing.assert_allclose(own, np.triu(kernel[np.ix_(ones, ones)], 1).sum())
        np.testing.assert_allclose(other, np.triu(kernel[np.ix_(zeros, zeros)], 1).sum())
        np.testing.assert_allclose(between, kernel[np.ix_(ones, zeros)].sum())


def test_swapped_sums_are_those_of_a_swapped_kernel(rng, monkeypatch):
    monkeypatch.setattr(_permutations, "BLOCK_NUMBERS", 500)  # many thin strips
    n = 25
    kernel = rng.random((2 * n, 2 * n))
    kernel += kernel.T
    sums = permuted_pair_sums(lambda rows, columns: kernel[np.ix_(rows, columns)], n, n, 20, np.random.default_rng(5))
    swapped = np.random.default_rng(5).integers(0, 2, size=(21, n), dtype=np.int8) == 0
    swapped[0] = False
    for swap, own, other, between in zip(swapped, sums.reference, sums.current, sums.between, strict=True):
        left = np.where(swap, np.arange(n) + n, np.arange(n))
        right = np.where(swap, np.arange(n), np.arange(n) + n)
        slow = np.triu(kernel[np.ix_(left, left)], 1).sum() + np.triu(kernel[np.ix_(right, right)], 1).sum()
        np.testing.assert_allclose(own + other, slow)
        np.testing.assert_allclose(between, kernel[np.ix_(left, right)].sum())


def test_every_labelling_has_as_many_reference_rows_and_every_row_is_drawn_alike(rng):
    labels = random_labels(30, 70, 2000, rng)
    assert (labels.sum(axis=1) == 30).all()
    # Each row is a reference row in 30% of 2,000 draws: standard deviation 20.5; five of them for 100 rows.
    assert (np.abs(labels[1:].sum(axis=0) - 600) < 5 * 20.5).all()


def test_blocks_cover_every_row_once():
    assert list(blocks(0, 10)) == []
    assert [row for start, stop in blocks(1234, 10**5) for row in range(start, stop)] == list(range(1234))


def test_trap_a_permutation_pvalue_is_never_zero(rng):
    result = mmd_test(rng.normal(size=(50, 2)), rng.normal(size=(50, 2)) + 100, rng=rng, n_permutations=19)
    assert result.pvalue[0] == 1 / 20
    assert permutation_pvalue(np.array([[2.0], [1.0]]))[0] == 0.5


@pytest.mark.parametrize(("n", "m"), [(30, 30), (20, 30), (600, 600)])
def test_trap_constant_columns_give_p_one_and_never_nan(n, m, rng):
    result = mmd_test(np.full((n, 3), 0.1), np.full((m, 3), 0.1), rng=rng)
    assert (result.statistic[0], result.pvalue[0], result.effect_size[0]) == (0.0, 1.0, 0.0)


def test_trap_tied_shuffles_count_as_ties(rng):
    """Rows at one distance from each other: every labelling has the same statistic but for rounding."""
    assert mmd_test(np.eye(60)[:25], np.eye(60)[25:], rng=rng).pvalue[0] == 1.0
    assert mmd_test(np.eye(60)[:30], np.eye(60)[30:], rng=rng).pvalue[0] == 1.0


@pytest.mark.parametrize(("n", "m"), [(20, 20), (15, 25)])
@pytest.mark.parametrize("law", ["normal", "two values"])
def test_false_alarms_stay_at_their_nominal_rate(n, m, law, rng):
    """300 clean pairs at 0.05: 15 expected; at most 28 (binomial, probability of more 5e-4)."""
    draw = rng.normal if law == "normal" else (lambda size: rng.integers(0, 2, size).astype(float))
    alarms = sum(
        mmd_test(draw(size=(n, 2)), draw(size=(m, 2)), rng=rng, n_permutations=99).pvalue[0] <= ALPHA
        for _ in range(300)
    )
    assert alarms <= 28
    assert law == "two values" or alarms >= 4  # normal data have no ties: the size is exact, fewer has 5e-4 too


def test_a_change_that_no_single_column_shows_is_found(rng):
    reference = rng.normal(size=(300, 2))
    current = rng.normal(size=(300, 2))
    current[:, 1] = np.abs(current[:, 1]) * np.sign(current[:, 0])  # each column still standard normal
    assert mmd_test(reference, current, rng=rng).pvalue[0] < ALPHA


@pytest.mark.parametrize("sizes", [(100, 100), (100, 60)])
def test_power_grows_with_the_shift(sizes, rng):
    found = []
    for shift in (0.1, 0.3, 0.8):
        results = [
            mmd_test(rng.normal(size=(sizes[0], 3)), rng.normal(shift, size=(sizes[1], 3)), rng=rng, n_permutations=99)
            for _ in range(20)
        ]
        found.append(sum(result.pvalue[0] <= ALPHA for result in results))
    assert found[0] <= found[1] <= found[2] == 20


def test_huge_offsets_and_one_far_row_do_not_spoil_the_kernel(rng):
    reference, current = rng.normal(size=(700, 9)), rng.normal(size=(600, 9))
    plain = mmd_test(reference, current, rng=np.random.default_rng(1), bandwidth=3.0)
    offset = mmd_test(reference + 2.0**20, current + 2.0**20, rng=np.random.default_rng(1), bandwidth=3.0)
    np.testing.assert_allclose(offset.statistic, plain.statistic, atol=1e-6)
    reference[0] = 1e5  # would cost single precision every near pair; double precision takes over
    far = mmd_test(reference, current, rng=rng, bandwidth=3.0).statistic[0]
    assert abs(far - plain.statistic[0]) < 0.01


def test_memory_does_not_grow_with_the_square_of_the_rows(rng):
    widths = []

    def kernel(rows, columns):
        widths.append(len(rows) * len(columns))
        return np.zeros((len(rows), len(columns)), dtype=np.float32)

    permuted_pair_sums(kernel, 3000, 3000, 2, rng)
    permuted_pair_sums(kernel, 3000, 2999, 2, rng)
    assert max(widths) <= _permutations.BLOCK_NUMBERS


def test_the_same_generator_gives_the_same_result():
    data = np.random.default_rng(3).normal(size=(700, 4))
    first = mmd_test(data[:400], data[400:], rng=np.random.default_rng(9))
    second = mmd_test(data[:400], data[400:], rng=np.random.default_rng(9))
    assert first.pvalue == second.pvalue and first.statistic == second.statistic


def test_coinciding_rows_do_not_make_a_zero_bandwidth():
    points = np.zeros((10, 1))
    points[0] = 5.0
    assert mmd._median_distance(points, np.random.default_rng(0)) == pytest.approx(5.0 * 9 / 45)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"current": [[1.0]]}, "columns of reference"),
        ({"current": [[1.0, 2.0]]}, "number of current rows must be an integer >= 2, got 1"),
        ({"current": [[1.0, np.nan], [1.0, 2.0]]}, "must hold no NaN"),
        ({"bandwidth": 0.0}, "bandwidth must be > 0, got 0.0"),
        ({"n_permutations": 0}, "n_permutations must be an integer >= 1, got 0"),
        ({"rng": 3}, "rng must be a numpy.random.Generator, got 3"),
    ],
)
def test_bad_input_is_named(change, message):
    arguments = {"reference": [[1.0, 2.0], [3.0, 4.0]], "current": [[1.0, 2.0], [0.0, 1.0]]}
    arguments |= {"rng": np.random.default_rng(0)} | change
    with pytest.raises(ValueError, match=message):
        mmd_test(**arguments)
