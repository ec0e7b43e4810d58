"""The trainer trains for real, says when it fails, and keeps its hands off everything else."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from tinytorch.core.layers import Dropout, Linear, Sequential
from tinytorch.datasets import load_digits
from tinytorch.mlops.contracts import Model
from tinytorch.mlops.hashing import hash_model
from tinytorch.mlops.networks import EpochProgress
from tinytorch.mlops.retrain import NetworkModel, NetworkTrainer
from tinytorch.mlops.retrain.network import TrainingDivergedError


def two_classes(n_rows: int = 60) -> tuple[np.ndarray, np.ndarray]:
    features = np.random.default_rng(5).normal(size=(n_rows, 3))
    return features, (features[:, 0] > 0).astype(int)


def small(**options: Any) -> NetworkTrainer:
    return NetworkTrainer(**({"hidden_units": 8, "epochs": 3, "n_classes": 2} | options))


def test_it_learns_to_read_digits():
    digits = load_digits()
    trainer = NetworkTrainer(hidden_units=64, epochs=25)
    model = trainer.train(digits.training.features, digits.training.labels, np.random.default_rng(0))
    assert (model.predict(digits.validation.features) == digits.validation.labels).mean() > 0.9
    # Wrong labels teach nothing: the network learns from what it is given, and nothing else.
    shuffled = np.random.default_rng(1).permutation(digits.training.labels)
    fooled = NetworkTrainer(hidden_units=64, epochs=5).train(
        digits.training.features, shuffled, np.random.default_rng(0)
    )
    assert (fooled.predict(digits.validation.features) == digits.validation.labels).mean() < 0.4


def test_the_same_generator_gives_the_same_network_and_another_another():
    features, labels = two_classes()
    one, same, other = (small().train(features, labels, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert hash_model(one) == hash_model(same) != hash_model(other)


def test_the_order_of_the_rows_is_drawn_from_the_generator_that_was_given():
    features, labels = two_classes()
    short, long = np.random.default_rng(0), np.random.default_rng(0)
    small(epochs=1).train(features, labels, short)
    small(epochs=2).train(features, labels, long)
    assert short.integers(2**60) != long.integers(2**60)  # a second epoch has shuffled once more


def test_training_leaves_data_and_earlier_models_alone():
    features, labels = two_classes()
    kept_features, kept_labels = features.copy(), labels.copy()
    trainer = small()
    first = trainer.train(features, labels, np.random.default_rng(0))
    before = hash_model(first)
    trainer.train(features, 1 - labels, np.random.default_rng(0))
    assert hash_model(first) == before
    np.testing.assert_array_equal(features, kept_features)
    np.testing.assert_array_equal(labels, kept_labels)


@pytest.mark.parametrize("learning_rate", [1e6, 1e30, 1e300])
def test_a_training_that_diverges_says_so_and_stops(learning_rate: float):
    epochs: list[EpochProgress] = []
    trainer = small(learning_rate=learning_rate, epochs=50, on_epoch_end=epochs.append)
    with pytest.raises(TrainingDivergedError, match=r"train_loss must be finite, got (nan|inf) in epoch \d"):
        trainer.train(*two_classes(200), np.random.default_rng(0))
    assert len(epochs) < 5
    assert all(np.isfinite(epoch.train_loss) for epoch in epochs)


def test_whoever_listens_hears_of_every_epoch():
    epochs: list[EpochProgress] = []
    small(on_epoch_end=epochs.append).train(*two_classes(), np.random.default_rng(0))
    assert len(epochs) == 3


def test_classes_without_a_label_are_still_classes():
    features, labels = two_classes()
    model = small(n_classes=5).train(features, labels, np.random.default_rng(0))
    assert model.predict_proba(features).shape == (60, 5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": [[0.0], [1.0, 2.0]]}, "features must be a rectangular array"),
        ({"features": [[np.nan] * 3] * 60}, "features must be finite, got 180 values"),
        ({"labels": [2] * 60}, "labels must be class indices below 2, got 2"),
        ({"labels": [0.5] * 60}, "labels must be class indices"),
        ({"labels": [0] * 59}, "features, labels must have the same length, got 60, 59"),
        ({"features": np.zeros((0, 3)), "labels": []}, "features must have at least 1 row(s), got 0"),
    ],
)
def test_data_that_cannot_be_learned_from_are_refused(change: dict[str, Any], message: str):
    features, labels = two_classes()
    data = {"features": features, "labels": labels} | change
    with pytest.raises(ValueError, match=re.escape(message)):
        small().train(**data, rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden_units": 0}, "hidden_units must be an integer >= 1"),
        ({"epochs": 0}, "epochs must be an integer >= 1"),
        ({"learning_rate": 0.0}, "learning_rate must be > 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be > 0"),
        ({"n_classes": 1}, "n_classes must be an integer >= 2"),
    ],
)
def test_a_trainer_is_checked_when_it_is_made(options: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        NetworkTrainer(**options)


def test_a_model_answers_with_probabilities_for_its_own_width_only():
    rng = np.random.default_rng(0)
    model = NetworkModel(Sequential(Linear(4, 3, rng=rng)), n_features=4, n_classes=3)
    assert isinstance(model, Model)
    probabilities = model.predict_proba(rng.normal(size=(7, 4)))
    assert probabilities.dtype == np.float64
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-6)
    np.testing.assert_array_equal(model.predict(np.zeros((2, 4))), model.predict_proba(np.zeros((2, 4))).argmax(axis=1))
    assert model.predict_proba(np.zeros((0, 4))).shape == (0, 3)
    for features, message in ((np.zeros((2, 5)), "must have 4 columns, got 5"), (np.full((2, 4), np.nan), "finite")):
        with pytest.raises(ValueError, match=message):
            model.predict_proba(features)


def test_dropout_is_off_when_a_model_answers():
    network = Sequential(Linear(4, 3, rng=np.random.default_rng(0)), Dropout(0.9))
    network.train()
    model = NetworkModel(network, 4, 3)
    rows = np.random.default_rng(1).normal(size=(5, 4))
    np.testing.assert_array_equal(model.predict_proba(rows), model.predict_proba(rows))


def test_weights_handed_out_are_copies():
    model = NetworkModel(Sequential(Linear(4, 3, rng=np.random.default_rng(0))), 4, 3)
    before = hash_model(model)
    for weights in model.state_dict().values():
        weights += 1.0
    assert hash_model(model) == before
