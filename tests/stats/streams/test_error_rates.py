"""DDM, EDDM and HDDM, against their definitions one value at a time, and how often they raise false alarms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.stats.streams import DDM, EDDM, HDDM_A, HDDM_W

seeds = st.integers(0, 2**32 - 1)


def slow_ddm(errors, warm_start=30, drift_threshold=3.0) -> list[int]:
    alarms, count = [], 0
    for position, error in enumerate(errors):
        if count == 0:
            total, lowest = 0.0, (math.inf, 0.0)
        count, total = count + 1, total + error
        rate = total / count
        deviation = math.sqrt(rate * (1 - rate) / count)
        if count > warm_start:
            if rate + deviation <= sum(lowest):
                lowest = (rate, deviation)
            if rate + deviation > lowest[0] + drift_threshold * lowest[1]:
                alarms.append(position)
                count = 0
    return alarms


def slow_eddm(errors, warm_start=30, beta=0.9) -> list[int]:
    alarms, count = [], 0
    for position, error in enumerate(errors):
        if count == 0:
            distances, last_error, longest = [], 0, -1.0
        count += 1
        if not error:
            continue
        distances.append(count - last_error)
        last_error = count
        if count <= warm_start:
            continue
        deviation = np.std(distances, ddof=1) if len(distances) > 1 else 0.0
        level = np.mean(distances) + 2 * deviation
        longest = max(longest, level)
        if len(distances) > warm_start and level < beta * longest:
            alarms.append(position)
            count = 0
    return alarms


def slow_hddm_a(values, confidence=0.001, two_sided=False) -> list[int]:
    alarms, count = [], 0
    for position, value in enumerate(values):
        if count == 0:
            total, cuts = 0.0, {1: (math.inf, 1, 0.0), -1: (math.inf, 1, 0.0)}
        count, total = count + 1, total + value
        fired = False
        for sign in (1, -1) if two_sided else (1,):
            mean = sign * total / count
            level = mean + math.sqrt(math.log(1 / confidence) / (2 * count))
            if level <= cuts[sign][0]:
                cuts[sign] = (level, count, mean)
            _, at_cut, mean_at_cut = cuts[sign]
            share = (count - at_cut) / (count * at_cut)
            fired |= count > at_cut and mean - mean_at_cut >= math.sqrt(share / 2 * math.log(2 / confidence))
        if fired:
            alarms.append(position)
            count = 0
    return alarms


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
@given(seed=seeds, warm_start=st.integers(1, 100), drift_threshold=st.floats(0.5, 5))
def test_ddm_is_its_definition(changing_errors, seed, warm_start, drift_threshold):
    errors = changing_errors(seed)
    expected = slow_ddm(errors, warm_start, drift_threshold)
    assert DDM(warm_start, drift_threshold).update(errors).alarms_[0].tolist() == expected


@settings(max_examples=25)
@given(seed=seeds, warm_start=st.integers(1, 60), beta=st.floats(0.3, 0.99))
def test_eddm_is_its_definition(changing_errors, seed, warm_start, beta):
    errors = changing_errors(seed)
    assert EDDM(warm_start, beta).update(errors).alarms_[0].tolist() == slow_eddm(errors, warm_start, beta)


@settings(max_examples=25)
@given(seed=seeds, confidence=st.floats(1e-6, 0.2), two_sided=st.booleans(), fractions=st.booleans())
def test_hddm_a_is_its_definition(changing_errors, seed, confidence, two_sided, fractions):
    values = changing_errors(seed)
    if fractions:
        values = np.random.default_rng(seed).random(values.size) * 0.5 + values / 2
    assert HDDM_A(confidence, two_sided).update(values).alarms_[0].tolist() == slow_hddm_a(
        values, confidence, two_sided
    )


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


def test_after_a_faultless_start_ddm_alarms_at_the_next_error():
    errors = np.zeros(200)
    errors[150] = 1
    assert DDM().update(errors).alarms_[0].tolist() == [150]


def test_one_sided_detectors_let_an_improvement_pass():
    rng = np.random.default_rng(6)
    improved = np.concatenate([rng.random(2000) < 0.5, rng.random(2000) < 0.05])
    for make in (HDDM_A, HDDM_W):
        found = make(drift_confidence=1e-5).update(improved).alarms_[0]
        assert not np.any(found >= 2000)
        assert make(drift_confidence=1e-5, two_sided=True).update(improved).alarms_[0].size


@pytest.mark.parametrize(
    ("make", "rate", "quoted"),
    [
        (DDM, 0.05, 0.62),
        (DDM, 0.1, 0.45),
        (DDM, 0.3, 0.20),
        (EDDM, 0.1, 0.96),
        (EDDM, 0.3, 0.96),
        (HDDM_A, 0.1, 0.02),
        (HDDM_A, 0.3, 0.16),
        (HDDM_W, 0.1, 0.0),
        (HDDM_W, 0.3, 0.99),
    ],
)
def test_the_share_of_false_alarms_is_the_one_the_docstring_states(shares_agree, make, rate, quoted):
    errors = np.random.default_rng(24).random((10_000, 150)) < rate
    assert shares_agree(float(make().update(errors).drifted_streams.mean()), quoted, errors.shape[1])


@pytest.mark.parametrize(("make", "rate", "quoted"), [(EDDM, 0.1, 610), (EDDM, 0.3, 540), (HDDM_W, 0.3, 2700)])
def test_the_run_length_is_the_one_the_docstring_states(make, rate, quoted):
    errors = np.random.default_rng(25).random((10_000, 150)) < rate
    n_alarms = sum(found.size for found in make().update(errors).alarms_)
    # Alarms cluster within a stream; the tolerance takes every stream's count as a draw with twice Poisson's deviation.
    assert errors.size / n_alarms == pytest.approx(quoted, rel=0.02 + 8 / math.sqrt(n_alarms))
