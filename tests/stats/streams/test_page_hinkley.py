"""Page-Hinkley, against its definition one value at a time, and how often it raises false alarms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.stats.streams import PageHinkley
from tinytorch.stats.streams.page_hinkley import geometric_sum

seeds = st.integers(0, 2**32 - 1)


def slow_page_hinkley(values, min_instances=30, delta=0.005, threshold=50.0, fading=1 - 1e-4, mode="both") -> list[int]:
    alarms, count = [], 0
    for position, value in enumerate(values):
        if count == 0:
            total = up = down = 0.0
            lowest, highest = float("inf"), -float("inf")
        count += 1
        total += value
        deviation = value - total / count
        up, down = fading * up + deviation - delta, fading * down + deviation + delta
        lowest, highest = min(lowest, up), max(highest, down)
        rises, falls = up - lowest > threshold, highest - down > threshold
        if count >= min_instances and ((rises and mode != "down") or (falls and mode != "up")):
            alarms.append(position)
            count = 0
    return alarms


@settings(max_examples=40)
@given(
    seed=seeds,
    min_instances=st.integers(1, 100),
    delta=st.floats(0, 0.5),
    threshold=st.floats(1, 80),
    fading=st.sampled_from([1.0, 1 - 1e-9, 1 - 1e-4, 0.99, 0.7, 0.05, 0.01]),
    mode=st.sampled_from(["both", "up", "down"]),
)
def test_page_hinkley_is_its_recurrence(changing_values, seed, **arguments):
    values = changing_values(seed)
    assert PageHinkley(**arguments).update(values).alarms_[0].tolist() == slow_page_hinkley(values, **arguments)


@settings(max_examples=3)
@given(seed=seeds)
def test_page_hinkley_is_its_recurrence_over_many_cycles(seed):
    """A slow ramp, so that the sums run through several changes of scale before the alarm."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 0.3, 30_000) + np.maximum(0, np.arange(30_000) - 25_000) * 4e-5
    assert PageHinkley().update(values).alarms_[0].tolist() == slow_page_hinkley(values)


def test_modes_look_one_way_only():
    rise = np.concatenate([np.zeros(500), np.ones(500)])
    assert PageHinkley(mode="up").update(rise).drift_detected
    assert not PageHinkley(mode="down").update(rise).drift_detected
    assert PageHinkley(mode="down").update(-rise).drift_detected


def test_a_geometric_sum_near_ratio_one_does_not_lose_its_digits():
    assert geometric_sum(1 - 1e-12, np.array([1000.0]))[0] == pytest.approx(1000, rel=1e-8)
    assert geometric_sum(1.0, np.array([1000.0]))[0] == 1000
    assert geometric_sum(0.5, np.array([-2.0]))[0] == pytest.approx(-6)  # 1 + 1/2 + ... backwards: -(2 + 4)


@pytest.mark.parametrize(
    ("law", "quoted"), [("normal 0.1", 0.0), ("errors 0.1", 0.03), ("errors 0.3", 0.46)], ids=lambda value: str(value)
)
def test_the_share_of_false_alarms_is_the_one_the_docstring_states(shares_agree, law, quoted):
    rng = np.random.default_rng(21)
    shape = (10_000, 200)
    kind, parameter = law.split()
    values = rng.normal(0, float(parameter), shape) if kind == "normal" else rng.random(shape) < float(parameter)
    detector = PageHinkley()
    detector.update(values)
    assert shares_agree(float(detector.drifted_streams.mean()), quoted, shape[1])


def test_the_run_length_on_wide_values_is_the_one_the_docstring_states():
    values = np.random.default_rng(22).normal(size=(10_000, 100))
    n_alarms = sum(found.size for found in PageHinkley().update(values).alarms_)
    assert values.size / n_alarms == pytest.approx(1650, rel=0.2)  # 600 alarms: 4 / sqrt(600) = 16%, and rounding
