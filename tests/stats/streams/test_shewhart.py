"""Shewhart's chart, against its definition one value at a time, and its run lengths, against the normal tail."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tinytorch.stats.streams import Shewhart

seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=10)
@given(seed=seeds)
def test_shewhart_looks_at_every_value_alone(changing_values, seed):
    values = changing_values(seed)
    expected = [position for position, value in enumerate(values) if abs(value - 1.0) > 2.5 * 2.0]
    assert Shewhart(1.0, 2.0, n_sigmas=2.5).update(values).alarms_[0].tolist() == expected


def test_the_normal_tail_gives_the_run_lengths_that_shewharts_docstring_states():
    assert 1 / (2 * stats.norm.sf(3)) == pytest.approx(370.4, abs=0.05)
    assert 1 / (stats.norm.sf(2) + stats.norm.cdf(-4)) == pytest.approx(43.9, abs=0.05)
    assert 1 / (stats.norm.sf(0) + stats.norm.cdf(-6)) == pytest.approx(2, abs=0.01)


def test_measured_run_length_of_shewharts_chart_is_that_of_the_normal_tail(run_length_agrees):
    values = np.random.default_rng(13).normal(size=1_000_000)
    assert run_length_agrees(Shewhart().update(values).alarms_[0].size, values.size, 370.4)
