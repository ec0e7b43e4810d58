from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tinytorch.stats.energy import energy_distance


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 60), st.integers(1, 60))
def test_it_equals_scipy(hard_pair, seed, n, m):
    reference, current = hard_pair(seed, n, m)
    result = energy_distance(reference, current)
    expected = [stats.energy_distance(*columns) for columns in zip(reference.T, current.T, strict=True)]
    np.testing.assert_allclose(result, expected, rtol=1e-9, atol=1e-300)


def test_it_equals_the_mean_distances_between_pairs():
    rng = np.random.default_rng(0)
    x, y = rng.exponential(size=30), rng.normal(size=40)

    def mean_distance(a, b):
        return np.abs(a[:, None] - b[None, :]).mean()

    slow = np.sqrt(2 * mean_distance(x, y) - mean_distance(x, x) - mean_distance(y, y))
    np.testing.assert_allclose(energy_distance(x, y), slow, rtol=1e-10)


def test_chance_alone_gives_the_size_the_docstring_names():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(100, 1000)), rng.normal(size=(50, 1000))
    mean_square = (energy_distance(x, y) ** 2).mean()
    expected = 2 / np.sqrt(np.pi) * (1 / 100 + 1 / 50)  # E|X - X'| of the standard normal is 2 / sqrt(pi)
    assert abs(mean_square / expected - 1) < 0.15


def test_a_constant_column_is_at_distance_zero_and_a_shifted_one_at_its_root():
    np.testing.assert_array_equal(energy_distance(np.ones((4, 2)), np.ones((3, 2))), [0, 0])
    np.testing.assert_allclose(energy_distance(np.zeros(5), np.full(5, 8.0)), 4.0)


def test_trap_samples_outside_the_references_range_count():
    reference = np.random.default_rng(2).normal(size=200)
    near, far = energy_distance(reference, reference + 10), energy_distance(reference, reference + 100)
    assert far > 2 * near > 2


def test_unequal_widths_are_refused():
    with pytest.raises(ValueError, match="columns of reference"):
        energy_distance(np.ones((2, 2)), np.ones((2, 3)))
