"""The newest labelled answers: rows since a moment, each request once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinytorch.mlops.contracts import LabelledBatch
from tinytorch.mlops.labelled_rows import LabelledRows


def rows(ids: Any, served_at: Any, label: int = 0, timestamp: float = 100.0) -> LabelledBatch:
    n = len(ids)
    served = np.broadcast_to(np.asarray(served_at, dtype=float), n)
    return LabelledBatch(ids, np.full((n, 2), label), np.zeros(n), np.full(n, label), np.ones(n), served, timestamp)


def test_rows_served_at_a_moment_or_later_come_back_in_order():
    kept = LabelledRows()
    kept.add(rows([1, 2, 3], [10.0, 20.0, 30.0]))
    kept.add(rows([4], [15.0], label=1, timestamp=200.0))
    since = kept.since(15.0)
    assert since is not None
    assert since.request_ids.tolist() == [2, 3, 4]
    assert since.labels.tolist() == [0, 0, 1]
    assert since.features.tolist() == [[0, 0], [0, 0], [1, 1]]
    assert since.served_at.tolist() == [20.0, 30.0, 15.0]
    assert since.timestamp == 200.0


def test_there_may_be_none():
    kept = LabelledRows()
    kept.add(rows([], []))
    assert kept.since(0.0) is None
    kept.add(rows([1], [10.0]))
    assert kept.since(10.5) is None


def test_a_request_that_came_again_counts_once_with_its_newest_answer():
    kept = LabelledRows()
    kept.add(rows([1, 2], 10.0, label=0))
    kept.add(rows([3, 1], 20.0, label=1))
    since = kept.since(0.0)
    assert since is not None
    assert since.request_ids.tolist() == [2, 3, 1]
    assert since.labels.tolist() == [0, 1, 1]
    assert since.served_at.tolist() == [10.0, 20.0, 20.0]


def test_the_oldest_batches_are_forgotten_and_empty_ones_do_not_push_them_out():
    kept = LabelledRows(batches_kept=2)
    for key in (1, 2, 3):
        kept.add(rows([key], 10.0))
        kept.add(rows([], []))
    since = kept.since(0.0)
    assert since is not None
    assert since.request_ids.tolist() == [2, 3]


def test_at_least_one_batch_is_kept():
    with pytest.raises(ValueError, match="batches_kept must be an integer >= 1, got 0"):
        LabelledRows(0)
