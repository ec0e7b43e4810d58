"""DDM, against its definition one value at a time, and how often it raises false alarms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.stats.streams import DDM

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


@settings(max_examples=25)
@given(seed=seeds, warm_start=st.integers(1, 100), drift_threshold=st.floats(0.5, 5))
def test_ddm_is_its_definition(changing_errors, seed, warm_start, drift_threshold):
    errors = changing_errors(seed)
    expected = slow_ddm(errors, warm_start, drift_threshold)
    assert DDM(warm_start, drift_threshold).update(errors).alarms_[0].tolist() == expected


def test_after_a_faultless_start_ddm_alarms_at_the_next_error():
    errors = np.zeros(200)
    errors[150] = 1
    assert DDM().update(errors).alarms_[0].tolist() == [150]


@pytest.mark.parametrize(("rate", "quoted"), [(0.05, 0.62), (0.1, 0.45), (0.3, 0.20)])
def test_the_share_of_false_alarms_is_the_one_the_docstring_states(shares_agree, rate, quoted):
    errors = np.random.default_rng(24).random((10_000, 150)) < rate
    assert shares_agree(float(DDM().update(errors).drifted_streams.mean()), quoted, errors.shape[1])
