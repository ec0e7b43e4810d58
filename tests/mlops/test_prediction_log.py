"""Late labels find their predictions; a failed call takes nothing in and gives nothing away."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from batches import answered, labelled
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.mlops.contracts import LabelBatch, PredictionBatch
from tinytorch.mlops.prediction_log import PredictionLog


def wide(ids: Any, n_features: int, n_classes: int | None = None) -> PredictionBatch:
    n = len(ids)
    probabilities = None if n_classes is None else np.full((n, n_classes), 1.0 / n_classes)
    return PredictionBatch(ids, np.ones((n, n_features)), np.zeros(n), probabilities, np.zeros(n), 0.0, 1)


@settings(max_examples=60)
@given(st.permutations(range(12)), st.integers(1, 11), st.lists(st.integers(100, 120), unique=True, max_size=3))
def test_labels_in_any_order_and_cut_find_their_own_predictions(order: list[int], cut: int, strangers: list[int]):
    log = PredictionLog()
    log.add(answered(np.arange(6), np.arange(6), version=1, at=10.0))
    log.add(answered(np.arange(6, 12), np.arange(6, 12), version=2, at=20.0))
    first, second = [*order[:cut], *strangers], order[cut:]
    parts = [log.join(LabelBatch(ids, ids, 99.0)) for ids in (first, second)]
    joined = np.concatenate([part.request_ids for part in parts])
    assert joined.tolist() == list(order)  # in the order in which the labels came
    for part in parts:
        assert part.correct.all()
        assert part.model_versions.tolist() == [1 if key < 6 else 2 for key in part.request_ids]
        assert part.served_at.tolist() == [10.0 if key < 6 else 20.0 for key in part.request_ids]
        assert part.timestamp == 99.0
    assert [part.n_unmatched for part in parts] == [len(strangers), 0]
    assert len(log) == 0


def test_features_come_back_with_their_own_request():
    log = PredictionLog()
    features = np.arange(6.0).reshape(3, 2)
    log.add(PredictionBatch(["a", "b", "c"], features, [0, 1, 2], None, np.zeros(3), 0.0, 1))
    joined = log.join(LabelBatch(["c", "a"], [2, 1], 1.0))
    assert joined.features.tolist() == [[4.0, 5.0], [0.0, 1.0]]
    assert joined.predictions.tolist() == [2, 0]
    assert joined.labels.tolist() == [2, 1]


def test_a_label_counts_once():
    log = PredictionLog()
    log.add(answered([1, 2]))
    assert len(log.join(labelled([1]))) == 1
    again = log.join(labelled([1]))
    assert (len(again), again.n_unmatched) == (0, 1)


def test_a_waiting_id_is_refused_and_nothing_of_its_batch_is_taken():
    log = PredictionLog()
    log.add(answered([1, 2], [0, 0]))
    with pytest.raises(ValueError, match="request_ids must be new, got 2, which waits for its label"):
        log.add(answered([3, 2], [1, 1]))
    assert len(log) == 2
    joined = log.join(labelled([1, 2, 3], 0))
    assert joined.request_ids.tolist() == [1, 2]
    assert joined.predictions.tolist() == [0, 0]


def test_rows_of_another_width_are_refused_while_others_wait():
    log = PredictionLog()
    log.add(wide([1], 3))
    with pytest.raises(ValueError, match="features must have 3 columns, got 4"):
        log.add(wide([2], 4))
    log.add(wide([], 4))  # no rows, nothing to fit
    assert log.join(labelled([1])).features.shape == (1, 3)
    log.add(wide([2], 4))
    assert log.join(labelled([2])).features.shape == (1, 4)


def test_a_label_of_no_class_is_refused_and_every_request_waits_on():
    log = PredictionLog()
    log.add(wide([1, 2], 1, n_classes=10))
    log.add(wide([3], 1))  # no probabilities, so its classes are unknown
    with pytest.raises(ValueError, match="labels must be class indices below 10, got 10 for request 2"):
        log.join(LabelBatch([1, 2, 3], [0, 10, 10], 0.0))
    assert len(log) == 3
    assert log.join(LabelBatch([1, 2, 3], [0, 9, 10], 0.0)).labels.tolist() == [0, 9, 10]


def test_the_oldest_are_given_up_when_too_many_wait():
    log = PredictionLog(capacity=3)
    log.add(answered([1, 2]))
    log.add(answered([3, 4]))
    assert len(log) == 3
    joined = log.join(labelled([1, 2, 3, 4]))
    assert joined.request_ids.tolist() == [2, 3, 4]
    assert joined.n_unmatched == 1


def test_no_labels_and_no_predictions_are_fine():
    log = PredictionLog()
    log.add(answered([]))
    assert len(log.join(labelled([]))) == 0
    assert log.join(labelled([5])).n_unmatched == 1


@pytest.mark.parametrize("capacity", [0, -1, 1.5])
def test_the_capacity_is_a_whole_number_above_zero(capacity: Any):
    with pytest.raises(ValueError, match="capacity must be an integer >= 1"):
        PredictionLog(capacity)
