"""One retraining from rows to verdict: whatever goes wrong is written down, and the champion stays as it was."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from batches import Always

from tinytorch.mlops.contracts import ModelComparison
from tinytorch.mlops.hashing import hash_model
from tinytorch.mlops.retrain import NetworkTrainer, RetrainingData, RetrainingSession, compare_by_mcnemar, hold_out


class Gives:
    """A trainer that hands out what it was given, or raises it."""

    def __init__(self, outcome: Any) -> None:
        self.outcome = outcome
        self.calls: list[tuple[np.ndarray, np.ndarray, np.random.Generator]] = []

    def train(self, features: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> Any:
        self.calls.append((features, labels, rng))
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


def some_data(label: int = 1, n_rows: int = 12) -> RetrainingData:
    labels = np.full(n_rows, label)
    return RetrainingData(np.zeros((n_rows, 2)), labels, np.ones((n_rows, 2)), labels)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def judged(champion: float, challenger: float, pvalue: float) -> Any:
    return lambda *_: ModelComparison(champion, challenger, pvalue, 10)


def test_a_challenger_that_clearly_leads_is_accepted():
    trainer = Gives(Always(1))
    data, generator = some_data(), rng()
    ticks = iter([10.0, 12.5])
    session = RetrainingSession(trainer, compare_by_mcnemar, clock=lambda: next(ticks))
    result = session.run(Always(0), data, generator)
    assert (result.accepted, result.challenger, result.failure) == (True, trainer.outcome, None)
    assert (result.champion_score, result.challenger_score) == (0.0, 1.0)
    assert result.pvalue == pytest.approx(0.5**12)
    assert result.duration_s == 2.5
    features, labels, given = trainer.calls[0]
    assert features is data.train_features
    assert labels is data.train_labels
    assert given is generator


@pytest.mark.parametrize(
    ("comparison", "accepted"),
    [
        (judged(0.8, 0.9, 0.05), True),  # exactly alpha is enough
        (judged(0.8, 0.9, 0.051), False),
        (judged(0.9, 0.9, 0.0), False),  # no lead
        (judged(0.9, 0.8, 0.0), False),
    ],
)
def test_accepted_is_only_a_lead_that_chance_does_not_explain(comparison: Any, accepted: bool):
    result = RetrainingSession(Gives(Always(1)), comparison).run(Always(0), some_data(), rng())
    assert result.accepted is accepted
    assert result.failure is None


@pytest.mark.parametrize("comparison", [judged(0.9, 1.0, math.nan), judged(math.nan, 1.0, 0.0)])
def test_a_comparison_without_a_figure_is_a_failure(comparison: Any):
    result = RetrainingSession(Gives(Always(1)), comparison).run(Always(0), some_data(), rng())
    assert (result.accepted, result.challenger) == (False, None)
    assert "got nan" in str(result.failure)


def test_alpha_can_be_stricter():
    session = RetrainingSession(Gives(Always(1)), judged(0.8, 0.9, 0.02), alpha=0.01)
    assert not session.run(Always(0), some_data(), rng()).accepted


@pytest.mark.parametrize(
    "outcome",
    [RuntimeError("disk full"), NotImplementedError("write this part"), MemoryError("no"), None, Always(None)],
    ids=str,
)
def test_whatever_a_trainer_does_wrong_is_recorded(outcome: Any):
    champion = Always(0)
    before = hash_model(champion)
    result = RetrainingSession(Gives(outcome), compare_by_mcnemar).run(champion, some_data(), rng())
    assert (result.challenger, result.accepted, result.pvalue) == (None, False, 1.0)
    assert math.isnan(result.champion_score)
    assert math.isnan(result.challenger_score)
    assert result.failure is not None
    if isinstance(outcome, Exception):
        assert result.failure == f"{type(outcome).__name__}: {outcome}"
    assert str(result) == f"retraining failed: {result.failure}"
    assert hash_model(champion) == before
    json.dumps(result.to_dict())


def test_somebody_who_stops_the_program_stops_it():
    with pytest.raises(KeyboardInterrupt):
        RetrainingSession(Gives(KeyboardInterrupt()), compare_by_mcnemar).run(Always(0), some_data(), rng())


def test_a_diverging_training_is_a_failure_and_leaves_the_champion_as_it_was():
    draw = rng()
    features = draw.normal(size=(200, 3))
    labels = (features[:, 0] > 0).astype(int)
    champion = NetworkTrainer(8, 10, n_classes=2).train(features, labels, draw)
    before, answers = hash_model(champion), champion.predict_proba(features)
    session = RetrainingSession(NetworkTrainer(8, 10, learning_rate=1e9, n_classes=2), compare_by_mcnemar)
    result = session.run(champion, RetrainingData(features, labels, features, labels), draw)
    assert result.failure is not None
    assert result.failure.startswith("TrainingDivergedError: train_loss must be finite")
    assert not result.accepted
    assert hash_model(champion) == before
    np.testing.assert_array_equal(champion.predict_proba(features), answers)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("train_features", np.zeros((0, 2)), "train_features must have at least 1 row"),
        ("train_labels", [1], "train_features, train_labels must have the same length"),
        ("holdout_features", [[np.nan, 0.0]] * 12, "holdout_features must be finite"),
        ("holdout_labels", [-1] * 12, "holdout_labels must be class indices"),
    ],
)
def test_rows_are_checked_before_anything_is_trained(name: str, value: Any, message: str):
    fields = {
        field: getattr(some_data(), field)
        for field in ("train_features", "train_labels", "holdout_features", "holdout_labels")
    }
    with pytest.raises(ValueError, match=message):
        RetrainingData(**(fields | {name: value}))


def test_alpha_is_a_probability():
    with pytest.raises(ValueError, match=r"alpha must be in \(0, 1\), got 0"):
        RetrainingSession(Gives(None), compare_by_mcnemar, alpha=0)


def test_rows_held_out_are_never_trained_on():
    held, labels = np.array([False, True, True, False, True]), np.arange(5)
    data = hold_out(held, np.column_stack([labels, labels]), labels)
    assert data.train_labels.tolist() == data.train_features[:, 0].tolist() == [0, 3]
    assert data.holdout_labels.tolist() == data.holdout_features[:, 1].tolist() == [1, 2, 4]


def test_nothing_can_be_held_out_of_no_rows_and_something_must_be_left_to_train_on():
    for held in (np.array([True, True]), np.array([False, False]), np.zeros(0, dtype=bool)):
        with pytest.raises(ValueError, match="at least 1"):
            hold_out(held, np.zeros((len(held), 2)), np.zeros(len(held)))
