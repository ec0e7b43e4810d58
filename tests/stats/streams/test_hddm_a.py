"""HDDM_A, against its definition one value at a time, and how often it raises false alarms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.stats.streams import HDDM_A

seeds = st.integers(0, 2**32 - 1)


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


@settings(max_examples=25)
@given(seed=seeds, confidence=st.floats(1e-6, 0.2), two_sided=st.booleans(), fractions=st.booleans())
def test_hddm_a_is_its_definition(changing_errors, seed, confidence, two_sided, fractions):
    values = changing_errors(seed)
    if fractions:
        values = np.random.default_rng(seed).random(values.size) * 0.5 + values / 2
    assert HDDM_A(confidence, two_sided).update(values).alarms_[0].tolist() == slow_hddm_a(
        values, confidence, two_sided
    )


def test_one_sided_detection_lets_an_improvement_pass():
    rng = np.random.default_rng(6)
    improved = np.concatenate([rng.random(2000) < 0.5, rng.random(2000) < 0.05])
    assert not np.any(HDDM_A(drift_confidence=1e-5).update(improved).alarms_[0] >= 2000)
    assert np.any(HDDM_A(drift_confidence=1e-5, two_sided=True).update(improved).alarms_[0] >= 2000)


@pytest.mark.parametrize(("rate", "quoted"), [(0.1, 0.02), (0.3, 0.16)])
def test_the_share_of_false_alarms_is_the_one_the_docstring_states(shares_agree, rate, quoted):
    errors = np.random.default_rng(24).random((10_000, 150)) < rate
    assert shares_agree(float(HDDM_A().update(errors).drifted_streams.mean()), quoted, errors.shape[1])
