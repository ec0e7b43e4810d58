"""Floor 1: seeded networks from any TinyTorch core, a student's own included: only names that every core has.

A core without our additions (`rng=` arguments, `no_grad`, `state_dict`, `eval`) gives the same first weights and the
same batches. May import `core` and numpy.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinytorch._arguments import check_integer
from tinytorch.core import autograd
from tinytorch.core.tensor import Tensor
from tinytorch.mlops.validate import as_features, as_labels, check_same_length

# Glorot's choice: weights of variance 1 / in_features keep the variance of what flows through.
FIRST_WEIGHT_VARIANCE = 1.0
# TinyTorch's own core records no gradients before this call; ours always does.
autograd.enable_autograd(quiet=True)
# Where a core can leave the graph out, answering takes less time; the answers are the same.
_without_graph = getattr(autograd, "no_grad", contextlib.nullcontext)
# What Python writes for an object without a `__repr__`: it differs from run to run.
_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")


@dataclass(frozen=True)
class EpochProgress:
    """One epoch of a training, for whoever shows how far it is.

    Examples
    --------
    >>> EpochProgress(epoch=1, epochs=60, train_loss=0.5).epochs
    60
    """

    epoch: int
    epochs: int
    train_loss: float


def draw_weights(network: Any, rng: np.random.Generator) -> Any:
    """Draw the first weights of a network's layers from `rng`, set its biases to 0, and return the network.

    So a network starts the same on every machine, whatever its `Linear` drew by itself.

    Parameters
    ----------
    network : Sequential
        Its `layers` are changed in place: those with a `weight` of shape (in_features, out_features).
    rng : numpy.random.Generator

    Raises
    ------
    ValueError
        If no layer has weights.

    Examples
    --------
    >>> from tinytorch.core.layers import Linear, Sequential
    >>> one, same = (draw_weights(Sequential(Linear(2, 1)), np.random.default_rng(0)) for _ in range(2))
    >>> bool((one.layers[0].weight.data == same.layers[0].weight.data).all())
    True
    """
    layers = [layer for layer in network.layers if hasattr(layer, "weight")]
    if not layers:
        raise ValueError(f"network must have a layer with weights, got {type(network).__name__} without.")
    for layer in layers:
        shape = layer.weight.data.shape
        spread = np.float32(math.sqrt(FIRST_WEIGHT_VARIANCE / shape[0]))
        layer.weight.data = rng.standard_normal(shape, dtype=np.float32) * spread
        if layer.bias is not None:
            layer.bias.data = np.zeros(shape[1], dtype=np.float32)
    for parameter in network.parameters():
        parameter.requires_grad = True
    return network


class ShuffledBatches:
    """Batches of labelled rows, in a new order drawn from `rng` each time they are gone through.

    What `DataLoader(..., shuffle=True)` does, with an order that is the same on every machine.

    Parameters
    ----------
    features : (n, n_features) Tensor or array_like
    labels : (n,) Tensor or array_like
    batch_size : int
        The last batch may be smaller.
    rng : numpy.random.Generator

    Raises
    ------
    ValueError
        If features and labels are malformed or of different length, or the batch size is no positive integer.

    Examples
    --------
    >>> batches = ShuffledBatches([[1.0], [2.0], [3.0]], [0, 1, 1], batch_size=2, rng=np.random.default_rng(0))
    >>> len(batches), [features.shape for features, labels in batches]
    (2, [(2, 1), (1, 1)])
    """

    def __init__(self, features: Any, labels: Any, batch_size: int, rng: np.random.Generator) -> None:
        table, targets = as_features(features), as_labels(labels)
        check_same_length({"features": table, "labels": targets})
        self.features, self.labels = np.asarray(Tensor(table).numpy()), np.asarray(Tensor(targets).numpy())
        self.batch_size = check_integer(batch_size, "batch_size", minimum=1)
        self.rng = rng

    def __len__(self) -> int:
        return math.ceil(len(self.labels) / self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        order = self.rng.permutation(len(self.labels))
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            yield Tensor(self.features[rows]), Tensor(self.labels[rows])


def compute_logits(network: Any, features: np.ndarray) -> np.ndarray:
    """Return what a network answers to (n, n_features) features, with nothing dropped: shape (n, n_classes).

    Examples
    --------
    >>> from tinytorch.core.layers import Linear, Sequential
    >>> compute_logits(Sequential(Linear(2, 3)), np.zeros((4, 2))).shape
    (4, 3)
    """
    if hasattr(network, "eval"):
        network.eval()
    with _without_graph():
        logits: np.ndarray = network.forward(Tensor(features)).numpy()
    return logits


def copy_weights(network: Any) -> dict[str, np.ndarray]:
    """Return a copy of every weight of a network: by its `state_dict` names, or numbered where it has none.

    Examples
    --------
    >>> from tinytorch.core.layers import Linear, Sequential
    >>> sorted(copy_weights(Sequential(Linear(2, 3))))
    ['layers.0.bias', 'layers.0.weight']
    """
    if hasattr(network, "state_dict"):
        weights: dict[str, np.ndarray] = network.state_dict()
        return weights
    return {f"parameter.{place}": np.array(part.data) for place, part in enumerate(network.parameters())}


def describe_network(network: Any) -> str:
    """Return the layers of a network as text, the same in every run.

    Examples
    --------
    >>> from tinytorch.core.layers import Linear, Sequential
    >>> describe_network(Sequential(Linear(2, 3)))
    'Sequential(Linear(in_features=2, out_features=3, bias=True))'
    """
    return _ADDRESS.sub("", repr(network))
