"""HDDM_W, against its definition one value at a time, and how often it raises false alarms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.stats.streams import HDDM_W

seeds = st.integers(0, 2**32 - 1)


class FadingMean:
    """A fading mean and the sum of its squared weights, which the method starts at 1."""

    def __init__(self) -> None:
        self.mean, self.weights, self.empty = 0.0, 1.0, True

    def add(self, value: float, smoothing: float) -> None:
        self.mean = value if self.empty else (1 - smoothing) * self.mean + smoothing * value
        self.weights = smoothing**2 + (1 - smoothing) ** 2 * self.weights
        self.empty = False


def slow_hddm_w(values, confidence=0.001, smoothing=0.05, two_sided=False) -> list[int]:
    def bound(weights: float) -> float:
        return math.sqrt(weights * math.log(1 / confidence) / 2)

    alarms, fresh = [], True
    for position, value in enumerate(values):
        if fresh:
            sides = {sign: [FadingMean(), math.inf, 0.0, 0.0, FadingMean()] for sign in (1, -1)}
        fresh = False
        for sign in (1, -1) if two_sided else (1,):
            side = sides[sign]
            whole, lowest, _, _, newer = side
            whole.add(sign * value, smoothing)
            level = whole.mean + bound(whole.weights)
            if level < lowest:
                side[1:] = [level, whole.mean, whole.weights, FadingMean()]
                continue
            newer.add(sign * value, smoothing)
            fresh |= newer.mean - side[2] > bound(side[3] + newer.weights)
        if fresh:
            alarms.append(position)
    return alarms


@settings(max_examples=25)
@given(
    seed=seeds,
    confidence=st.floats(1e-6, 0.2),
    smoothing=st.floats(0.005, 0.9),
    two_sided=st.booleans(),
    fractions=st.booleans(),
)
def test_hddm_w_is_its_definition(changing_errors, seed, confidence, smoothing, two_sided, fractions):
    values = changing_errors(seed)
    if fractions:
        values = np.random.default_rng(seed).random(values.size) * 0.5 + values / 2
    found = HDDM_W(confidence, smoothing, two_sided).update(values).alarms_[0].tolist()
    assert found == slow_hddm_w(values, confidence, smoothing, two_sided)


def test_hddm_w_is_its_definition_when_every_update_ends_at_a_cut(changing_errors):
    """Fed one by one, the first value behind a cut always comes with the update after it."""
    n_alarms = 0
    for seed in range(6):
        values = np.random.default_rng(seed).random(700) * 0.2 + changing_errors(seed, 700) * 0.8
        detector = HDDM_W(drift_confidence=0.3, smoothing=0.2, two_sided=True)
        for value in values:
            detector.update(value)
        assert detector.alarms_[0].tolist() == slow_hddm_w(values, 0.3, 0.2, two_sided=True)
        n_alarms += detector.alarms_[0].size
    assert n_alarms >= 10


def test_one_sided_detection_lets_an_improvement_pass():
    rng = np.random.default_rng(6)
    improved = np.concatenate([rng.random(2000) < 0.5, rng.random(2000) < 0.05])
    assert not np.any(HDDM_W(drift_confidence=1e-5).update(improved).alarms_[0] >= 2000)
    assert np.any(HDDM_W(drift_confidence=1e-5, two_sided=True).update(improved).alarms_[0] >= 2000)


@pytest.mark.parametrize(("rate", "quoted"), [(0.1, 0.0), (0.3, 0.99)])
def test_the_share_of_false_alarms_is_the_one_the_docstring_states(shares_agree, rate, quoted):
    errors = np.random.default_rng(24).random((10_000, 150)) < rate
    assert shares_agree(float(HDDM_W().update(errors).drifted_streams.mean()), quoted, errors.shape[1])


@pytest.mark.parametrize(("rate", "quoted"), [(0.3, 2700)])
def test_the_run_length_is_the_one_the_docstring_states(rate, quoted):
    errors = np.random.default_rng(25).random((10_000, 150)) < rate
    n_alarms = sum(found.size for found in HDDM_W().update(errors).alarms_)
    # Alarms cluster within a stream; the tolerance takes every stream's count as a draw with twice Poisson's deviation.
    assert errors.size / n_alarms == pytest.approx(quoted, rel=0.02 + 8 / math.sqrt(n_alarms))
