"""A challenger on trial: every answer and every label reaches the rollout, once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from batches import answered, labelled

from tinytorch.mlops.contracts import LabelBatch, ModelVersion, PredictionBatch, RolloutDecision
from tinytorch.mlops.deploy import CanaryRollout
from tinytorch.mlops.prediction_log import PredictionLog
from tinytorch.mlops.trial import Trial, join_batches


class Recorder:
    """A rollout that holds, counts which labels found an answer, and may fail."""

    def __init__(self) -> None:
        self.log = PredictionLog()
        self.steps: list[tuple[PredictionBatch, PredictionBatch]] = []
        self.found: list[tuple[int, int, int]] = []
        self.error: Exception | None = None

    def step(self, champion_batch: Any, challenger_batch: Any, now: float) -> RolloutDecision:
        if self.error is not None:
            raise self.error
        self.log.add(champion_batch)
        self.log.add(challenger_batch)
        self.steps.append((champion_batch, challenger_batch))
        return RolloutDecision("hold", 0.5, ("recorded",))

    def record_labels(self, label_batch: LabelBatch) -> None:
        joined = self.log.join(label_batch)
        columns = (joined.request_ids, joined.predictions, joined.labels)
        self.found += list(zip(*(column.tolist() for column in columns), strict=True))


def a_trial() -> tuple[Trial, Recorder]:
    recorder = Recorder()
    return Trial(ModelVersion("digits", version=2), recorder), recorder


def test_without_traffic_nobody_is_asked_and_labels_are_kept_for_later():
    trial, recorder = a_trial()
    trial.add_labels(labelled([1]))
    assert trial.judge(now=0.0) is None
    assert recorder.steps == []
    trial.add_answers(answered([1]), answered([2], version=2))
    assert trial.judge(now=1.0) is not None


def test_batches_between_two_looks_are_joined_and_shown_once():
    trial, recorder = a_trial()
    trial.add_answers(answered([1], at=1.0), answered([2, 3], version=2, at=1.0))
    trial.add_answers(answered([4], at=2.0), answered([], version=2, at=2.0))
    trial.judge(now=2.0)
    ((champion, challenger),) = recorder.steps
    assert champion.request_ids.tolist() == [1, 4]
    assert challenger.request_ids.tolist() == [2, 3]
    assert (champion.timestamp, challenger.timestamp) == (2.0, 2.0)
    assert trial.judge(now=3.0) is None


def test_labels_that_come_before_the_next_look_are_not_lost():
    trial, recorder = a_trial()
    trial.add_answers(answered([1, 2], [5, 6]), answered([3], [7], version=2))
    trial.add_labels(labelled([1, 3], [5, 0]))
    trial.judge(now=0.0)
    assert sorted(recorder.found) == [(1, 5, 5), (3, 7, 0)]


def test_labels_of_answers_shown_before_are_handed_over_once():
    trial, recorder = a_trial()
    trial.add_answers(answered([1], [5]), answered([2], [6], version=2))
    trial.judge(now=0.0)
    trial.add_labels(labelled([1, 2], [5, 6]))
    for moment in (1.0, 2.0):
        trial.add_answers(answered([int(moment) + 10]), answered([], version=2))
        trial.judge(now=moment)
    assert recorder.found == [(1, 5, 5), (2, 6, 6)]


def test_a_request_that_comes_again_counts_once_by_the_answer_its_label_belongs_to():
    trial, recorder = a_trial()
    trial.add_answers(answered([1], [5]), answered([2], [6], version=2))
    trial.add_labels(labelled([1], [5]))
    trial.add_answers(answered([1, 7], [9, 9]), answered([], version=2))  # 1 again, another image
    trial.add_labels(labelled([1], [9]))
    trial.judge(now=0.0)
    assert recorder.found == [(1, 5, 5)]
    assert recorder.steps[0][0].request_ids.tolist() == [1, 7]


def test_a_request_seen_at_the_last_look_may_come_again_without_taking_the_old_label():
    trial, recorder = a_trial()
    trial.add_answers(answered([1], [5]), answered([2], [6], version=2))
    trial.judge(now=0.0)
    trial.add_labels(labelled([1], [5]))
    trial.add_answers(answered([1, 8], [9, 9]), answered([], version=2))
    trial.judge(now=1.0)
    assert recorder.found == [(1, 5, 5)]
    assert recorder.steps[1][0].request_ids.tolist() == [8]
    trial.add_answers(answered([1], [4]), answered([], version=2))  # a look later it is a new request
    trial.add_labels(labelled([1], [4]))
    trial.judge(now=2.0)
    assert recorder.found == [(1, 5, 5), (1, 4, 4)]


def test_a_rollout_that_fails_is_shown_the_same_again():
    trial, recorder = a_trial()
    trial.add_answers(answered([1], [5]), answered([2], version=2))
    recorder.error = ValueError("not now")
    with pytest.raises(ValueError, match="not now"):
        trial.judge(now=0.0)
    recorder.error = None
    trial.judge(now=1.0)
    assert recorder.steps[0][0].request_ids.tolist() == [1]


def test_a_real_canary_takes_labels_of_the_same_moment_into_its_next_decision():
    trial = Trial(ModelVersion("digits", version=2), CanaryRollout(weights=(0.5, 1.0), minimum_labels=20))
    trial.add_answers(answered(np.arange(20)), answered(np.arange(20, 40), version=2))
    trial.add_labels(labelled(np.arange(40)))
    first = trial.judge(now=0.0)
    trial.add_answers(answered([50]), answered([51], version=2))
    second = trial.judge(now=1.0)
    assert first is not None
    assert second is not None
    assert (first.action, second.action) == ("hold", "advance")


def test_joining_keeps_every_column_and_needs_one_version():
    one = PredictionBatch([1], [[1.0]], [0], [[0.9, 0.1]], [5.0], 1.0, 1)
    two = PredictionBatch([2], [[2.0]], [1], [[0.2, 0.8]], [6.0], 2.0, 1)
    whole = join_batches([one, two])
    assert whole.request_ids.tolist() == [1, 2]
    assert whole.features.tolist() == [[1.0], [2.0]]
    assert whole.predictions.tolist() == [0, 1]
    assert whole.latency_ms.tolist() == [5.0, 6.0]
    assert whole.probabilities is not None
    assert whole.probabilities.tolist() == [[0.9, 0.1], [0.2, 0.8]]
    assert whole.timestamp == 2.0
    assert join_batches([one, answered([3])]).probabilities is None
    with pytest.raises(ValueError, match=r"batches must come from one version, got \[1, 2\]"):
        join_batches([one, answered([3], version=2)])
    with pytest.raises(ValueError, match=r"batches must come from one version, got \[\]"):
        join_batches([])


def test_empty_batches_of_another_width_and_type_join_too():
    texts = PredictionBatch(["a"], [[1.0, 2.0]], [0], None, [1.0], 0.0, 1)
    assert join_batches([answered([]), texts, answered([])]).request_ids.tolist() == ["a"]
    assert len(join_batches([answered([]), answered([])])) == 0
