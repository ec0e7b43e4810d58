"""ADWIN, against a window of real buckets, and how often it raises false alarms."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.stats.streams import ADWIN
from tinytorch.stats.streams._adwin_geometry import WindowRule, bucket_offsets, segment

seeds = st.integers(0, 2**32 - 1)


class Buckets:
    """The window as the paper tells it: lists of buckets, each (size, sum), newest first."""

    def __init__(self, max_buckets: int) -> None:
        self.max_buckets = max_buckets
        self.rows: list[list[tuple[int, float]]] = []

    def insert(self, value: float) -> None:
        moved, level = (1, value), 0
        while moved is not None:
            if level == len(self.rows):
                self.rows.append([])
            row = self.rows[level]
            row.insert(0, moved)
            moved = None
            if len(row) > self.max_buckets:
                (size_a, sum_a), (size_b, sum_b) = row.pop(), row.pop()
                moved, level = (size_a + size_b, sum_a + sum_b), level + 1

    def newest_first(self) -> list[tuple[int, float]]:
        return [bucket for row in self.rows for bucket in row]


def slow_adwin(values, delta=0.002, clock=32, max_buckets=5, min_window_length=5, grace_period=10) -> list[int]:
    alarms, seen = [], []
    for position, value in enumerate(values):
        if not seen:
            window = Buckets(max_buckets)
        seen.append(value)
        window.insert(value)
        due = len(seen) % clock == 0 and len(seen) > grace_period
        if due and cut_found(window, np.var(seen), delta, min_window_length):
            alarms.append(position)
            seen = []
    return alarms


def cut_found(window: Buckets, variance: float, delta: float, min_window_length: int) -> bool:
    buckets = window.newest_first()
    total_size, total = sum(size for size, _ in buckets), sum(part for _, part in buckets)
    evidence = math.log(2 * math.log(total_size) / delta)
    newer_size, newer = 0, 0.0
    for size, part in buckets[:-1]:
        newer_size, newer = newer_size + size, newer + part
        older_size = total_size - newer_size
        if min(newer_size, older_size) < min_window_length:
            continue
        spread = 1 / (newer_size - min_window_length + 1) + 1 / (older_size - min_window_length + 1)
        bound = math.sqrt(2 * spread * variance * evidence) + 2 / 3 * spread * evidence
        if abs(newer / newer_size - (total - newer) / older_size) > bound:
            return True
    return False


@settings(max_examples=20)
@given(
    seed=seeds,
    delta=st.floats(1e-6, 0.3),
    clock=st.sampled_from([3, 16, 32, 45, 300]),
    max_buckets=st.integers(2, 8),
    min_window_length=st.integers(1, 12),
    grace_period=st.integers(1, 80),
)
def test_adwin_is_its_window_of_buckets(changing_values, seed, **arguments):
    values = changing_values(seed)
    assert ADWIN(**arguments).update(values).alarms_[0].tolist() == slow_adwin(values, **arguments)


@settings(max_examples=2)
@given(seed=seeds)
def test_adwin_is_its_window_of_buckets_over_many_segments(seed):
    rng = np.random.default_rng(seed)
    values = np.concatenate([rng.normal(3, 1, 9000), rng.normal(3.3, 1, 5000)])
    assert ADWIN().update(values).alarms_[0].tolist() == slow_adwin(values)


@settings(max_examples=20)
@given(counts=st.lists(st.integers(1, 400), min_size=1, max_size=6), max_buckets=st.integers(2, 7))
def test_boundaries_worked_out_from_the_count_are_those_of_real_buckets(counts, max_buckets):
    for count, found in zip(counts, bucket_offsets(np.array(counts), max_buckets).T, strict=True):
        window = Buckets(max_buckets)
        for _ in range(count):
            window.insert(0.0)
        assert found[found > 0].tolist() == np.cumsum([size for size, _ in window.newest_first()]).tolist()


@pytest.mark.parametrize("clock", [1, 32, 81, 500, 10_000])
def test_segments_join_without_a_gap(clock):
    rule = WindowRule(0.002, clock, 5, 5, 10)
    parts = [segment(rule, number) for number in range(6)]
    for before, after in itertools.pairwise(parts):
        assert before.end == after.begin
        assert before.counts[-1] + clock == after.counts[0]
        assert len(before.kept_next) == after.n_kept


def test_nothing_is_checked_until_the_window_is_longer_than_the_grace_period():
    step = np.repeat([0.0, 100.0], [5, 20])
    arguments = {"clock": 5, "min_window_length": 1, "delta": 0.3}
    assert ADWIN(grace_period=9, **arguments).update(step).alarms_[0][0] == 9
    assert ADWIN(grace_period=10, **arguments).update(step).alarms_[0][0] == 14


def test_an_enormous_offset_does_not_hide_or_invent_a_change():
    rng = np.random.default_rng(3)
    values = np.concatenate([rng.normal(0, 1, 2000), rng.normal(1, 1, 1000)])
    moved = ADWIN().update(values + 1e9).alarms_[0]
    assert moved.tolist() == ADWIN().update(values).alarms_[0].tolist() != []
    assert ADWIN().update(np.full(5000, 1e9 + 0.1)).alarms_[0].size == 0


def test_streams_that_restart_at_different_times_stay_exact():
    rng = np.random.default_rng(4)
    table = rng.normal(size=(3000, 6))
    for stream in range(6):
        table[400 * (stream + 1) :, stream] += 2
    found = ADWIN().update(table[:1000]).update(table[1000:]).alarms_
    assert [a.tolist() for a in found] == [slow_adwin(stream) for stream in table.T]


def test_memory_does_not_grow_with_the_stream():
    detector = ADWIN()
    sizes = []
    for _ in range(6):
        detector.update(np.zeros(50_000))
        (group,) = detector._state
        sizes.append(group.sums.size)
    assert max(sizes) < 8192 + 200


@pytest.mark.parametrize(("law", "quoted"), [("normal", 0.009), ("errors 0.1", 0.0), ("errors 0.3", 0.002)])
def test_the_share_of_false_alarms_is_the_one_the_docstring_states(shares_agree, law, quoted):
    rng = np.random.default_rng(23)
    shape = (10_000, 200)
    values = rng.normal(size=shape) if law == "normal" else rng.random(shape) < float(law.split()[1])
    assert shares_agree(float(ADWIN().update(values).drifted_streams.mean()), quoted, shape[1])
