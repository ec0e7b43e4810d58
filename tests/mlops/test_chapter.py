"""The traffic since the last deployment: windows, when drift began, and the next reference."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.mlops.chapter import DEFAULT_REFERENCE_BATCHES, TrafficChapter
from tinytorch.mlops.contracts import DriftReport


def report(pvalue: float, at: float) -> DriftReport:
    return DriftReport(("a",), "KS", [0.9], [pvalue], [pvalue], [0.9], [0.0], 0.05, 0.1, 600, 120, at)


def batch(value: float, n_rows: int = 2) -> np.ndarray:
    return np.full((n_rows, 1), value)


def test_a_window_is_the_newest_batches_and_there_is_none_before():
    chapter = TrafficChapter(began_at=0.0, window_batches=2)
    chapter.add(batch(1), now=0.0)
    assert chapter.window() is None
    chapter.add(batch(2, n_rows=3), now=1.0)
    chapter.add(batch(3), now=2.0)
    window = chapter.window()
    assert window is not None
    assert window[:, 0].tolist() == [2, 2, 2, 3, 3]


def test_batches_without_rows_do_not_fill_the_window():
    chapter = TrafficChapter(began_at=0.0, window_batches=1)
    chapter.add(batch(1), now=0.0)
    chapter.add(np.zeros((0, 1)), now=1.0)
    window = chapter.window()
    assert window is not None
    assert window[:, 0].tolist() == [1, 1]


def test_drift_is_told_when_it_begins_and_when_it_ends_and_its_first_batch_is_remembered():
    chapter = TrafficChapter(began_at=5.0, window_batches=1)
    assert chapter.relevant_since == 5.0
    told = []
    for step, pvalue in enumerate((0.5, 0.01, 0.01, 0.5, 0.5, 0.01)):
        chapter.add(batch(step), now=10.0 + step)
        told.append(chapter.take_report(report(pvalue, 10.0 + step)))
    assert told == [False, True, False, True, False, True]
    assert chapter.drift_since == chapter.relevant_since == 11.0
    assert chapter.report is not None
    assert chapter.report.timestamp == 15.0
    assert chapter.reference()[:, 0].tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_without_drift_all_traffic_is_the_next_reference():
    chapter = TrafficChapter(began_at=0.0)
    chapter.add(batch(1), now=0.0)
    chapter.add(batch(2), now=1.0)
    assert chapter.reference()[:, 0].tolist() == [1, 1, 2, 2]


def test_memory_is_bounded_but_never_smaller_than_a_window():
    chapter = TrafficChapter(began_at=0.0, window_batches=DEFAULT_REFERENCE_BATCHES + 20)
    for step in range(DEFAULT_REFERENCE_BATCHES + 50):
        chapter.add(batch(step), now=float(step))
    window = chapter.window()
    assert window is not None
    assert len(window) == len(chapter.reference()) == 2 * (DEFAULT_REFERENCE_BATCHES + 20)


def test_a_window_has_at_least_one_batch():
    with pytest.raises(ValueError, match="window_batches must be an integer >= 1, got 0"):
        TrafficChapter(0.0, 0)
