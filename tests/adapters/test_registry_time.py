"""Moments of changes by clocks that jump: checked against the true time, which only a test knows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytorch.adapters.registry_time import JUMP_S, ClockReading, place_in_time, read_clocks

# How wrong the clock on the wall is at a reading, in seconds: right, off by a little, or by years.
ERRORS = st.sampled_from([0.0, -30.0, 30.0, 3600.0, -1e5, 1e8])
STEPS = st.lists(st.tuples(st.floats(0.0, 1e6), ERRORS), min_size=1, max_size=12)
BOOTS = st.lists(st.tuples(st.floats(0.0, 1e6), ERRORS, st.booleans()), min_size=1, max_size=12)


@given(steps=STEPS)
def test_while_the_machine_runs_no_jump_moves_a_change_once_the_clock_is_right(steps) -> None:
    true, readings, truths = 1e9, [], []
    for elapsed, error in steps:
        true += elapsed
        truths.append(true)
        readings.append(ClockReading(true + error, true - 1e9, "one"))
    now = ClockReading(true + 5.0, true + 5.0 - 1e9, "one")
    # Float64 holds seconds since 1970 to a quarter of a microsecond; a dozen differences add up.
    assert place_in_time(readings, now) == pytest.approx(truths, rel=0, abs=1e-4)


@given(steps=BOOTS)
def test_whatever_the_clocks_say_the_moments_follow_the_order_of_the_log_and_are_past(steps) -> None:
    true, boot, started, readings = 1e9, 0, 1e9, []
    for elapsed, error, restarted in steps:
        true += elapsed
        if restarted:
            boot, started = boot + 1, true
        readings.append(ClockReading(true + error, true - started, f"{boot}"))
    now = ClockReading(true, true - started, f"{boot}")
    moments = place_in_time(readings, now)
    assert moments == sorted(moments) and all(moment <= now.clock_s for moment in moments)


def test_a_clock_that_never_jumped_is_quoted_as_it_was() -> None:
    readings = [ClockReading(100.25 + 1e-6, 0.0, "a"), ClockReading(110.0 + JUMP_S / 2, 10.0, "a")]
    assert place_in_time(readings, ClockReading(120.0, 20.0, "a")) == [100.25 + 1e-6, 110.0 + JUMP_S / 2]


def test_a_machine_without_a_battery_that_woke_in_1970_is_believed_only_as_far_as_it_can_be() -> None:
    readings = [ClockReading(1000.0, 50.0, "a"), ClockReading(3.0, 3.0, "b"), ClockReading(2000.0, 60.0, "b")]
    assert place_in_time(readings, ClockReading(2010.0, 70.0, "b")) == [1000.0, 1943.0, 2000.0]


def test_real_readings_are_in_order() -> None:
    readings = [read_clocks() for _ in range(50)]
    assert place_in_time(readings, read_clocks()) == sorted(reading.clock_s for reading in readings)
