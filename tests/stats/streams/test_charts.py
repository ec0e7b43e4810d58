"""CUSUM, EWMA and Shewhart's chart: against their definitions, one value at a time, and against known run lengths."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tinytorch.stats.streams import CUSUM, EWMA, Shewhart

seeds = st.integers(0, 2**32 - 1)


def slow_cusum(values, allowance, threshold, mode="both") -> list[int]:
    alarms, up, down = [], 0.0, 0.0
    for position, value in enumerate(values):
        up, down = max(0.0, up + value - allowance), max(0.0, down - value - allowance)
        if (mode != "down" and up > threshold) or (mode != "up" and down > threshold):
            alarms.append(position)
            up = down = 0.0
    return alarms


def slow_ewma(values, smoothing, n_sigmas) -> list[int]:
    alarms, average = [], 0.0
    limit = n_sigmas * math.sqrt(smoothing / (2 - smoothing))
    for position, value in enumerate(values):
        average = (1 - smoothing) * average + smoothing * value
        if abs(average) > limit:
            alarms.append(position)
            average = 0.0
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
@given(
    seed=seeds, allowance=st.floats(0, 1.5), threshold=st.floats(1, 30), mode=st.sampled_from(["both", "up", "down"])
)
def test_cusum_is_its_recurrence(changing_values, seed, allowance, threshold, mode):
    values = changing_values(seed)
    detector = CUSUM(allowance=allowance, threshold=threshold, mode=mode).update(values)
    assert detector.alarms_[0].tolist() == slow_cusum(values, allowance, threshold, mode)


@settings(max_examples=25)
@given(seed=seeds, smoothing=st.floats(0.001, 0.999), n_sigmas=st.floats(1, 6))
def test_ewma_is_its_recurrence(changing_values, seed, smoothing, n_sigmas):
    values = changing_values(seed)
    detector = EWMA(smoothing=smoothing, n_sigmas=n_sigmas).update(values)
    assert detector.alarms_[0].tolist() == slow_ewma(values, smoothing, n_sigmas)


@settings(max_examples=10)
@given(seed=seeds)
def test_shewhart_looks_at_every_value_alone(changing_values, seed):
    values = changing_values(seed)
    expected = [position for position, value in enumerate(values) if abs(value - 1.0) > 2.5 * 2.0]
    assert Shewhart(1.0, 2.0, n_sigmas=2.5).update(values).alarms_[0].tolist() == expected


@pytest.mark.parametrize("make", [CUSUM, EWMA, Shewhart])
def test_every_stream_may_have_a_target_of_its_own(make):
    rng = np.random.default_rng(1)
    scores = rng.normal(0, 1.5, (800, 3))
    mean, standard_deviation = np.array([0.0, 50.0, -3.0]), np.array([1.0, 8.0, 0.25])
    shifted = make(mean, standard_deviation).update(mean + standard_deviation * scores)
    plain = make().update(scores)
    assert [a.tolist() for a in shifted.alarms_] == [a.tolist() for a in plain.alarms_]
    assert make(mean).n_streams == 3
    with pytest.raises(ValueError, match=r"shape \(n, 3\)"):
        make(mean).update([0.0, 1.0])


def test_a_value_too_many_deviations_away_is_refused():
    with pytest.raises(ValueError, match="values in standard deviations must be at most"):
        CUSUM(standard_deviation=1e-200).update([1e100])


def test_a_long_quiet_cusum_does_not_lose_its_footing():
    """After millions of steps far below the target the sum must still see a shift exactly as a fresh one does."""
    quiet, shifted = np.full(1_000_000, -3.0), np.full(30, 1.25)
    detector = CUSUM(mode="up").update(quiet).update(shifted)
    assert (detector.alarms_[0] - len(quiet)).tolist() == slow_cusum(shifted, 0.5, 5.0)


def test_the_markov_chains_find_the_run_lengths_that_the_docstrings_state():
    assert cusum_run_length(0.5, 5.0, 0.0) == pytest.approx(930, rel=0.01)
    assert both_sides_run_length(0.5, 5.0, 0.0) == pytest.approx(465, rel=0.005)
    assert both_sides_run_length(0.5, 5.0, 1.0) == pytest.approx(10.4, abs=0.05)
    assert ewma_run_length(0.1, 2.814, 0.0) == pytest.approx(500, rel=0.005)
    assert ewma_run_length(0.1, 2.814, 1.0) == pytest.approx(10.3, abs=0.05)


def test_the_normal_tail_gives_the_run_lengths_that_shewharts_docstring_states():
    assert 1 / (2 * stats.norm.sf(3)) == pytest.approx(370.4, abs=0.05)
    assert 1 / (stats.norm.sf(2) + stats.norm.cdf(-4)) == pytest.approx(43.9, abs=0.05)
    assert 1 / (stats.norm.sf(0) + stats.norm.cdf(-6)) == pytest.approx(2, abs=0.01)


@pytest.mark.parametrize(("allowance", "threshold"), [(0.5, 5.0), (0.5, 4.0), (0.25, 8.0), (1.0, 2.5)])
def test_measured_run_lengths_of_cusum_are_those_of_the_markov_chain(run_length_agrees, allowance, threshold):
    values = np.random.default_rng(11).normal(size=300_000)
    both = CUSUM(allowance=allowance, threshold=threshold).update(values)
    assert run_length_agrees(both.alarms_[0].size, values.size, both_sides_run_length(allowance, threshold, 0.0))
    upwards = CUSUM(allowance=allowance, threshold=threshold, mode="up").update(values)
    assert run_length_agrees(upwards.alarms_[0].size, values.size, cusum_run_length(allowance, threshold, 0.0))


@pytest.mark.parametrize(("smoothing", "n_sigmas"), [(0.1, 2.814), (0.05, 2.6), (0.25, 3.0), (0.75, 3.0)])
def test_measured_run_lengths_of_ewma_are_those_of_the_markov_chain(run_length_agrees, smoothing, n_sigmas):
    values = np.random.default_rng(12).normal(size=300_000)
    detector = EWMA(smoothing=smoothing, n_sigmas=n_sigmas).update(values)
    assert run_length_agrees(detector.alarms_[0].size, values.size, ewma_run_length(smoothing, n_sigmas, 0.0))


def test_measured_run_length_of_shewharts_chart_is_that_of_the_normal_tail(run_length_agrees):
    values = np.random.default_rng(13).normal(size=1_000_000)
    assert run_length_agrees(Shewhart().update(values).alarms_[0].size, values.size, 370.4)


@pytest.mark.parametrize("shift", [0.5, 1.0, 2.0])
@pytest.mark.parametrize(
    ("make", "expect"),
    [
        (CUSUM, lambda shift: both_sides_run_length(0.5, 5.0, shift)),
        (EWMA, lambda shift: ewma_run_length(0.1, 2.814, shift)),
    ],
)
def test_delays_after_a_shift_are_those_of_the_markov_chain(make, expect, shift):
    """Streams that start shifted; the deviation of a delay is below its mean, which bounds the tolerance."""
    n_streams, expected = 300, expect(shift)
    values = np.random.default_rng(14).normal(shift, 1, (int(20 * expected), n_streams))
    delays = [found[0] + 1 for found in make().update(values).alarms_]
    assert np.mean(delays) == pytest.approx(expected, abs=4 * expected / math.sqrt(n_streams))
