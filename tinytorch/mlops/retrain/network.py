"""Floor 2, retrain: a TinyTorch network as a `Model`, and the trainer that makes challengers. May import `core`.

A trainer never touches the champion: it builds a network of its own, and if training fails it says so.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinytorch._arguments import check_integer, check_positive
from tinytorch.core.activations import ReLU, Softmax
from tinytorch.core.layers import Linear, Sequential
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.optimizers import AdamW
from tinytorch.core.tensor import Tensor
from tinytorch.core.training import Trainer
from tinytorch.mlops.networks import (
    EpochProgress,
    ShuffledBatches,
    compute_logits,
    copy_weights,
    describe_network,
    draw_weights,
)
from tinytorch.mlops.validate import as_features, as_labels, check_columns, check_rows, check_same_length

# A 64-128-10 network reads about 96% of 8x8 digits, and trains in a second on one slow core.
DEFAULT_HIDDEN_UNITS = 128
# The loss on 600 digits has flattened out by then.
DEFAULT_EPOCHS = 60
# Adam's customary rate (Kingma and Ba 2015) is 0.001; three times as much still converges on networks this small.
DEFAULT_LEARNING_RATE = 0.003
# Keeps weights small where there are few rows to learn from: worth half a point on 720 digits.
DEFAULT_WEIGHT_DECAY = 0.05
DEFAULT_BATCH_SIZE = 32


class TrainingDivergedError(ValueError):
    """The loss stopped being a number: the weights are lost, and no model is returned.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> features, labels = rng.normal(size=(64, 4)), rng.integers(0, 2, size=64)
    >>> try:
    ...     NetworkTrainer(hidden_units=8, epochs=5, learning_rate=1e30).train(features, labels, rng)
    ... except TrainingDivergedError:
    ...     print("keep the champion")
    keep the champion
    """


class NetworkModel:
    """A trained network that answers with probabilities.

    Parameters
    ----------
    network : Sequential, or anything with `forward` and `parameters`
    n_features, n_classes : int

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> model = NetworkModel(Sequential(Linear(4, 3, rng=rng)), n_features=4, n_classes=3)
    >>> model.predict_proba(np.zeros((2, 4))).round(2)
    array([[0.33, 0.33, 0.33],
           [0.33, 0.33, 0.33]])
    """

    def __init__(self, network: Sequential, n_features: int, n_classes: int) -> None:
        self.network = network
        self.n_features = check_integer(n_features, "n_features", minimum=1)
        self.n_classes = check_integer(n_classes, "n_classes", minimum=2)

    @property
    def architecture(self) -> str:
        """The network's layers and widths, for the registry's fingerprint."""
        return describe_network(self.network)

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Return class probabilities of shape (n, n_classes), float64.

        Raises
        ------
        ValueError
            If `features` has another width than the network, or holds NaN or infinity.
        """
        table = as_features(features)
        check_columns(table, self.n_features)
        if not len(table):
            return np.zeros((0, self.n_classes))
        probabilities: np.ndarray = Softmax().forward(Tensor(compute_logits(self.network, table))).numpy()
        return probabilities.astype(np.float64)

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the most probable class of each row, shape (n,)."""
        classes: np.ndarray = self.predict_proba(features).argmax(axis=1)
        return classes

    def state_dict(self) -> dict[str, np.ndarray]:
        """Return a copy of every weight, by name."""
        return copy_weights(self.network)


class NetworkTrainer:
    """Trains a network with one hidden layer from scratch: Linear, ReLU, Linear, by AdamW on the cross-entropy.

    Parameters
    ----------
    hidden_units, epochs : int
    learning_rate : float
    n_classes : int
        Classes there are, whether or not all of them are among the labels.
    on_epoch_end : callable, optional
        Called with an `EpochProgress` after each epoch, for a progress bar.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> features = rng.normal(size=(200, 2))
    >>> labels = (features[:, 0] > 0).astype(int)
    >>> model = NetworkTrainer(hidden_units=8, epochs=20, n_classes=2).train(features, labels, rng)
    >>> bool((model.predict(features) == labels).mean() > 0.95)
    True
    """

    def __init__(
        self,
        hidden_units: int = DEFAULT_HIDDEN_UNITS,
        epochs: int = DEFAULT_EPOCHS,
        learning_rate: float = DEFAULT_LEARNING_RATE,
        n_classes: int = 10,
        on_epoch_end: Callable[[EpochProgress], object] | None = None,
    ) -> None:
        self.hidden_units = check_integer(hidden_units, "hidden_units", minimum=1)
        self.epochs = check_integer(epochs, "epochs", minimum=1)
        self.learning_rate = check_positive(learning_rate, "learning_rate")
        self.n_classes = check_integer(n_classes, "n_classes", minimum=2)
        self.on_epoch_end = on_epoch_end

    def train(self, features: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> NetworkModel:
        """Return a new model trained on (n, n_features) features and (n,) labels.

        Raises
        ------
        ValueError
            If the data are malformed, or a label is not below `n_classes`.
        TrainingDivergedError
            If the loss becomes NaN or infinite.
        """
        table, targets = as_features(features), as_labels(labels, n_classes=self.n_classes)
        check_same_length({"features": table, "labels": targets})
        check_rows(table, "features")
        n_features = table.shape[1]
        layers = (Linear(n_features, self.hidden_units), ReLU(), Linear(self.hidden_units, self.n_classes))
        network = draw_weights(Sequential(*layers), rng)
        batches = ShuffledBatches(table, targets, DEFAULT_BATCH_SIZE, rng)
        optimizer = AdamW(network.parameters(), lr=self.learning_rate, weight_decay=DEFAULT_WEIGHT_DECAY)
        trainer = Trainer(network, optimizer, CrossEntropyLoss())
        with np.errstate(all="ignore"):  # a training that diverges shows it by its loss, not by warnings
            for epoch in range(1, self.epochs + 1):
                self._check_epoch(EpochProgress(epoch, self.epochs, float(trainer.train_epoch(batches))))
        return NetworkModel(network, n_features, self.n_classes)

    def _check_epoch(self, progress: EpochProgress) -> None:
        """Stop at the first loss that is no number, then tell whoever listens."""
        if not np.isfinite(progress.train_loss):
            raise TrainingDivergedError(
                f"train_loss must be finite, got {progress.train_loss} in epoch {progress.epoch}."
            )
        if self.on_epoch_end is not None:
            self.on_epoch_end(progress)
