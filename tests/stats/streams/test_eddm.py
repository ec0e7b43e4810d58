"""EDDM, against its definition one value at a time, and how often it raises false alarms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.stats.streams import EDDM

seeds = st.integers(0, 2**32 - 1)


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


@settings(max_examples=25)
@given(seed=seeds, warm_start=st.integers(1, 60), beta=st.floats(0.3, 0.99))
def test_eddm_is_its_definition(changing_errors, seed, warm_start, beta):
    errors = changing_errors(seed)
    assert EDDM(warm_start, beta).update(errors).alarms_[0].tolist() == slow_eddm(errors, warm_start, beta)


def test_errors_at_perfectly_even_distances_raise_no_alarm():
    errors = np.zeros(3000)
    errors[6::7] = 1
    assert not EDDM(beta=1.0).update(errors).drift_detected


@pytest.mark.parametrize(("rate", "quoted"), [(0.1, 0.96), (0.3, 0.96)])
def test_the_share_of_false_alarms_is_the_one_the_docstring_states(shares_agree, rate, quoted):
    errors = np.random.default_rng(24).random((10_000, 150)) < rate
    assert shares_agree(float(EDDM().update(errors).drifted_streams.mean()), quoted, errors.shape[1])


@pytest.mark.parametrize(("rate", "quoted"), [(0.1, 610), (0.3, 540)])
def test_the_run_length_is_the_one_the_docstring_states(rate, quoted):
    errors = np.random.default_rng(25).random((10_000, 150)) < rate
    n_alarms = sum(found.size for found in EDDM().update(errors).alarms_)
    # Alarms cluster within a stream; the tolerance takes every stream's count as a draw with twice Poisson's deviation.
    assert errors.size / n_alarms == pytest.approx(quoted, rel=0.02 + 8 / math.sqrt(n_alarms))
