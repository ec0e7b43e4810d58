"""CUSUM, against its definition one value at a time, and its run lengths, against Brook and Evans' Markov chain."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tinytorch.stats.streams import CUSUM
from tinytorch.stats.streams._scans import LONGEST_CYCLE

seeds = st.integers(0, 2**32 - 1)


def slow_cusum(values, allowance, threshold, mode="both") -> list[int]:
    alarms, up, down = [], 0.0, 0.0
    for position, value in enumerate(values):
        up, down = max(0.0, up + value - allowance), max(0.0, down - value - allowance)
        if (mode != "down" and up > threshold) or (mode != "up" and down > threshold):
            alarms.append(position)
            up = down = 0.0
    return alarms


def cusum_run_length(allowance: float, threshold: float, shift: float, n_states: int = 400) -> float:
    """Average run length of the upper sum from 0, by Brook and Evans' Markov chain.

    The sum is rounded to n_states values: 0 and multiples of `width`, each standing for all within width / 2.
    """
    width = 2 * threshold / (2 * n_states - 1)
    centres = width * np.arange(n_states)
    law = stats.norm(loc=shift - allowance)
    moves = np.subtract.outer(centres, centres).T  # [from, to]
    chances = law.cdf(moves + width / 2) - law.cdf(moves - width / 2)
    chances[:, 0] = law.cdf(width / 2 - centres)
    return float(np.linalg.solve(np.eye(n_states) - chances, np.ones(n_states))[0])


def both_sides_run_length(allowance: float, threshold: float, shift: float) -> float:
    """Two one-sided sums that never alarm together have alarms at the sum of both rates."""
    up, down = (cusum_run_length(allowance, threshold, s) for s in (shift, -shift))
    return 1 / (1 / up + 1 / down)


@settings(max_examples=25)
@given(
    seed=seeds, allowance=st.floats(0, 1.5), threshold=st.floats(1, 30), mode=st.sampled_from(["both", "up", "down"])
)
def test_cusum_is_its_recurrence(changing_values, seed, allowance, threshold, mode):
    values = changing_values(seed)
    detector = CUSUM(allowance=allowance, threshold=threshold, mode=mode).update(values)
    assert detector.alarms_[0].tolist() == slow_cusum(values, allowance, threshold, mode)


@pytest.mark.parametrize("level", [-3.0, -1e13])
def test_a_long_quiet_cusum_does_not_lose_its_footing(level):
    """After far values below the target the sum must still see a shift exactly as a fresh one does."""
    quiet, shifted = np.full(4 * LONGEST_CYCLE, level), np.full(30, 1.25)
    detector = CUSUM(mode="up").update(quiet).update(shifted)
    assert (detector.alarms_[0] - len(quiet)).tolist() == slow_cusum(shifted, 0.5, 5.0)


def test_the_markov_chain_finds_the_run_lengths_that_the_docstring_states():
    assert cusum_run_length(0.5, 5.0, 0.0) == pytest.approx(930, rel=0.01)
    assert both_sides_run_length(0.5, 5.0, 0.0) == pytest.approx(465, rel=0.005)
    assert both_sides_run_length(0.5, 5.0, 1.0) == pytest.approx(10.4, abs=0.05)


@pytest.mark.parametrize(("allowance", "threshold"), [(0.5, 5.0), (0.5, 4.0), (0.25, 8.0), (1.0, 2.5)])
def test_measured_run_lengths_of_cusum_are_those_of_the_markov_chain(run_length_agrees, allowance, threshold):
    values = np.random.default_rng(11).normal(size=300_000)
    both = CUSUM(allowance=allowance, threshold=threshold).update(values)
    assert run_length_agrees(both.alarms_[0].size, values.size, both_sides_run_length(allowance, threshold, 0.0))
    upwards = CUSUM(allowance=allowance, threshold=threshold, mode="up").update(values)
    assert run_length_agrees(upwards.alarms_[0].size, values.size, cusum_run_length(allowance, threshold, 0.0))


@pytest.mark.parametrize("shift", [0.5, 1.0, 2.0])
def test_delays_after_a_shift_are_those_of_the_markov_chain(shift):
    """Streams that start shifted; the deviation of a delay is below its mean, which bounds the tolerance."""
    n_streams, expected = 300, both_sides_run_length(0.5, 5.0, shift)
    values = np.random.default_rng(14).normal(shift, 1, (int(20 * expected), n_streams))
    delays = [found[0] + 1 for found in CUSUM().update(values).alarms_]
    assert np.mean(delays) == pytest.approx(expected, abs=4 * expected / math.sqrt(n_streams))
