"""KSWIN, against scipy's test on every window, and how often it raises false alarms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tinytorch.stats.streams import KSWIN
from tinytorch.stats.streams.kswin import critical_excess


def slow_kswin(values, alpha, window_size, stat_size) -> list[int]:
    alarms, window = [], []
    for position, value in enumerate(values):
        window = [*window, value][-window_size:]
        if len(window) == window_size:
            older, newer = window[:-stat_size], window[-stat_size:]
            if stats.ks_2samp(older, newer, method="exact").pvalue <= alpha:
                alarms.append(position)
                window = []
    return alarms


@settings(max_examples=8)
@given(
    seed=st.integers(0, 2**32 - 1),
    alpha=st.floats(0.0005, 0.05),
    sizes=st.sampled_from([(30, 12), (40, 20), (25, 17), (50, 11)]),
    decimals=st.sampled_from([0, 8]),
)
def test_kswin_is_scipys_test_on_every_window(changing_values, seed, alpha, sizes, decimals):
    values = changing_values(seed, 300).round(decimals)  # whole numbers bring ties
    assert KSWIN(alpha, *sizes).update(values).alarms_[0].tolist() == slow_kswin(values, alpha, *sizes)


@pytest.mark.parametrize(("alpha", "n_newer", "n_older"), [(0.005, 30, 70), (0.05, 7, 9), (1e-4, 50, 50), (0.2, 3, 4)])
def test_reaching_the_critical_distance_is_the_same_as_being_significant(alpha, n_newer, n_older):
    rng = np.random.default_rng(7)
    critical, verdicts = critical_excess(alpha, n_newer, n_older), set()
    for shift in np.linspace(0, 3, 200):
        result = stats.ks_2samp(rng.normal(size=n_older), rng.normal(shift, 1, n_newer), method="exact")
        reached = round(result.statistic * n_newer * n_older) >= critical
        assert reached == (result.pvalue <= alpha)
        verdicts.add(reached)
    assert verdicts == {True, False}


def test_kswin_sees_a_change_of_spread_that_leaves_the_mean_alone():
    rng = np.random.default_rng(9)
    values = np.concatenate([rng.normal(0, 1, 300), rng.normal(0, 5, 200)])
    assert np.any(KSWIN().update(values).alarms_[0] >= 300)


def test_a_small_distance_counts_if_it_is_significant():
    """river also asks for D > 0.1, whatever the p-value: with large windows that hides real changes."""
    rng = np.random.default_rng(10)
    window = np.concatenate([rng.uniform(0, 1, 4000), rng.uniform(0.07, 1.07, 4000)])
    result = stats.ks_2samp(window[:4000], window[4000:])
    assert result.statistic < 0.1 and result.pvalue < 0.005
    detector = KSWIN(window_size=8000, stat_size=4000)
    assert detector.update(window).alarms_[0].tolist() == [7999]


def test_the_run_length_is_the_one_the_docstring_states():
    values = np.random.default_rng(26).normal(size=(10_000, 25))
    n_alarms = sum(found.size for found in KSWIN().update(values).alarms_)
    # About 230 alarms, and 920 behind the quoted figure: 4 deviations of both together are 30%.
    assert values.size / n_alarms == pytest.approx(1080, rel=0.3)
