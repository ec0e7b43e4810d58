"""What every joint and every time-ordered test must survive: ties, constants, heavy tails, offsets, units."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.stats.block_permutation import block_permutation_ks_test, block_permutation_mean_test
from tinytorch.stats.covariance import covariance_shift_test
from tinytorch.stats.energy_test import energy_test
from tinytorch.stats.mmd import mmd_test
from tinytorch.stats.pca import pca_reconstruction_test

JOINT = (mmd_test, energy_test, covariance_shift_test, pca_reconstruction_test)
PER_COLUMN = (block_permutation_mean_test, block_permutation_ks_test)


@pytest.mark.parametrize("test", JOINT + PER_COLUMN)
@pytest.mark.parametrize(("n", "m"), [(4, 3), (25, 25), (60, 31)])
def test_hard_columns_give_a_pvalue_and_never_nan(test, n, m, hard_pair):
    for seed in range(3):
        result = test(*hard_pair(seed, n, m), rng=np.random.default_rng(seed), n_permutations=19)
        assert result.pvalue.shape == ((1,) if test in JOINT else (10,))
        assert ((result.pvalue >= 1 / 20) & (result.pvalue <= 1)).all()
        assert np.isfinite(result.statistic).all() and np.isfinite(result.effect_size).all()


@pytest.mark.parametrize("test", (*JOINT[:3], *PER_COLUMN))  # PCA holds out half: its two sets of errors differ
def test_a_sample_against_itself_gives_p_one(test, rng):
    data = rng.normal(size=(40, 3))
    assert (test(data, data, rng=rng).pvalue == 1).all()


@pytest.mark.parametrize("scale", [1e-310, 1e-200, 1e200, 1e307])
@pytest.mark.parametrize("test", JOINT + PER_COLUMN)
def test_the_largest_and_smallest_units_change_no_pvalue(test, scale, rng):
    reference, current = rng.normal(size=(30, 3)), rng.normal(size=(25, 3))
    plain = test(reference, current, rng=np.random.default_rng(1), n_permutations=19)
    scaled = test(reference * scale, current * scale, rng=np.random.default_rng(1), n_permutations=19)
    np.testing.assert_allclose(scaled.pvalue, plain.pvalue)
    np.testing.assert_allclose(scaled.effect_size, plain.effect_size, rtol=1e-9)


@pytest.mark.parametrize("test", JOINT + PER_COLUMN)
def test_arguments_are_left_as_they_were(test, rng):
    reference, current = rng.normal(size=(30, 3)), rng.normal(size=(30, 3))
    copies = reference.copy(), current.copy()
    test(reference, current, rng=rng)
    np.testing.assert_array_equal(reference, copies[0])
    np.testing.assert_array_equal(current, copies[1])


@pytest.mark.parametrize("test", (*JOINT[:3], *PER_COLUMN))
def test_trap_a_tiny_shift_of_a_big_sample_is_significant_but_small(test, rng):
    """An effect size stands beside every p-value, on a scale that does not grow with the sample."""
    small = test(rng.normal(size=(100, 2)), 2 * rng.normal(size=(100, 2)) + 1, rng=rng).effect_size
    large = test(rng.normal(size=(1000, 2)), 2 * rng.normal(size=(1000, 2)) + 1, rng=rng).effect_size
    np.testing.assert_allclose(large, small, rtol=0.5)
