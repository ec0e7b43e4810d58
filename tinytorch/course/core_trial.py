"""Floor 4, the course office: train a small network with the core in use, as the lessons do and as the library does."""

from __future__ import annotations

import numpy as np

from tinytorch.core.activations import ReLU, Softmax
from tinytorch.core.layers import Linear, Sequential
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.optimizers import Adam
from tinytorch.core.tensor import Tensor
from tinytorch.core.training import Trainer
from tinytorch.mlops.networks import ShuffledBatches, draw_weights
from tinytorch.mlops.retrain.network import NetworkTrainer

# Two clouds of points, far apart: any training that works tells nearly all of them, and chance tells one half.
N_POINTS = 200
DISTANCE = 3.0
HIDDEN_UNITS = 8
EPOCHS = 10
LEARNING_RATE = 0.01
BATCH_SIZE = 32


def draw_points(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return two clouds: points (N_POINTS, 2) and labels (N_POINTS,), 0 or 1.

    Examples
    --------
    >>> draw_points(np.random.default_rng(0))[1][:4]
    array([0, 1, 0, 1])
    """
    labels = np.arange(N_POINTS) % 2
    return rng.normal(size=(N_POINTS, 2)) + DISTANCE * labels[:, np.newaxis], labels


def train_as_the_lessons_do(rng: np.random.Generator) -> float:
    """Return the accuracy that `Trainer.evaluate` reports after a training by Adam.

    Raises
    ------
    ValueError
        If `Softmax` gives no probabilities, or `Trainer.evaluate` another accuracy than the answers have.

    Examples
    --------
    >>> train_as_the_lessons_do(np.random.default_rng(0)) > 0.9
    True
    """
    points, labels = draw_points(rng)
    network = draw_weights(Sequential(Linear(2, HIDDEN_UNITS), ReLU(), Linear(HIDDEN_UNITS, 2)), rng)
    trainer = Trainer(network, Adam(network.parameters(), lr=LEARNING_RATE), CrossEntropyLoss())
    batches = ShuffledBatches(points, labels, BATCH_SIZE, rng)
    for _ in range(EPOCHS):
        float(trainer.train_epoch(batches))
    reported = float(trainer.evaluate([(Tensor(points), Tensor(labels))])[1])
    probabilities = Softmax()(network(Tensor(points))).numpy()
    if not np.allclose(probabilities.sum(axis=1), 1.0, atol=1e-3):
        raise ValueError("Softmax must give rows that add up to 1.")
    accuracy = float((probabilities.argmax(axis=1) == labels).mean())
    if not np.isclose(reported, accuracy):
        raise ValueError(f"Trainer.evaluate must return (loss, accuracy), got accuracy {reported}; it is {accuracy}.")
    return reported


def train_as_the_library_does(rng: np.random.Generator) -> float:
    """Return the accuracy after a training by AdamW.

    Examples
    --------
    >>> train_as_the_library_does(np.random.default_rng(0)) > 0.9
    True
    """
    points, labels = draw_points(rng)
    model = NetworkTrainer(HIDDEN_UNITS, EPOCHS, LEARNING_RATE, n_classes=2).train(points, labels, rng)
    return float((model.predict(points) == labels).mean())
