"""EWMA, against its definition one value at a time, and its run lengths, against Brook and Evans' Markov chain."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tinytorch.stats.streams import EWMA

seeds = st.integers(0, 2**32 - 1)


def slow_ewma(values, smoothing, n_sigmas) -> list[int]:
    alarms, average = [], 0.0
    limit = n_sigmas * math.sqrt(smoothing / (2 - smoothing))
    for position, value in enumerate(values):
        average = (1 - smoothing) * average + smoothing * value
        if abs(average) > limit:
            alarms.append(position)
            average = 0.0
    return alarms


def ewma_run_length(smoothing: float, n_sigmas: float, shift: float, n_states: int = 401) -> float:
    """Average run length from 0, by Brook and Evans' Markov chain over intervals between the limits."""
    limit = n_sigmas * math.sqrt(smoothing / (2 - smoothing))
    width = 2 * limit / n_states
    centres = -limit + width * (np.arange(n_states) + 0.5)
    kept = (1 - smoothing) * centres[:, np.newaxis]
    law = stats.norm(loc=shift)
    chances = law.cdf((centres + width / 2 - kept) / smoothing) - law.cdf((centres - width / 2 - kept) / smoothing)
    return float(np.linalg.solve(np.eye(n_states) - chances, np.ones(n_states))[n_states // 2])


@settings(max_examples=25)
@given(seed=seeds, smoothing=st.floats(0.001, 0.999), n_sigmas=st.floats(1, 6))
def test_ewma_is_its_recurrence(changing_values, seed, smoothing, n_sigmas):
    values = changing_values(seed)
    detector = EWMA(smoothing=smoothing, n_sigmas=n_sigmas).update(values)
    assert detector.alarms_[0].tolist() == slow_ewma(values, smoothing, n_sigmas)


def test_the_markov_chain_finds_the_run_lengths_that_the_docstring_states():
    assert ewma_run_length(0.1, 2.814, 0.0) == pytest.approx(500, rel=0.005)
    assert ewma_run_length(0.1, 2.814, 1.0) == pytest.approx(10.3, abs=0.05)


@pytest.mark.parametrize(("smoothing", "n_sigmas"), [(0.1, 2.814), (0.05, 2.6), (0.25, 3.0), (0.75, 3.0)])
def test_measured_run_lengths_of_ewma_are_those_of_the_markov_chain(run_length_agrees, smoothing, n_sigmas):
    values = np.random.default_rng(12).normal(size=300_000)
    detector = EWMA(smoothing=smoothing, n_sigmas=n_sigmas).update(values)
    assert run_length_agrees(detector.alarms_[0].size, values.size, ewma_run_length(smoothing, n_sigmas, 0.0))


@pytest.mark.parametrize("shift", [0.5, 1.0, 2.0])
def test_delays_after_a_shift_are_those_of_the_markov_chain(shift):
    """Streams that start shifted; the deviation of a delay is below its mean, which bounds the tolerance."""
    n_streams, expected = 300, ewma_run_length(0.1, 2.814, shift)
    values = np.random.default_rng(14).normal(shift, 1, (int(20 * expected), n_streams))
    delays = [found[0] + 1 for found in EWMA().update(values).alarms_]
    assert np.mean(delays) == pytest.approx(expected, abs=4 * expected / math.sqrt(n_streams))
