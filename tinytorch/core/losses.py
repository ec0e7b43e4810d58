"""Ground floor, losses: how far predictions are from targets, each beside its derivative. Rests on `tensor`."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from tinytorch.core.autograd import Array, Function, unbroadcast
from tinytorch.core.tensor import Tensor, record

__all__ = ["EPSILON", "BinaryCrossEntropyLoss", "CrossEntropyLoss", "Loss", "MSELoss", "log_softmax"]

EPSILON = 1e-7
"""Probabilities are kept this far from 0 and 1 before their logarithm: about one float32 step below 1."""


class Loss:
    """A number that says how wrong predictions are; subclasses write `forward`.

    The loss is the mean over the batch. A batch with no rows has loss 0, so that it changes nothing.

    Examples
    --------
    >>> MSELoss()(Tensor([1.0, 2.0]), Tensor([1.0, 4.0])).item()
    2.0
    """

    def forward(self, predictions: Tensor, targets: Any) -> Tensor:
        """Return the loss as a tensor without axes."""
        raise NotImplementedError

    def __call__(self, predictions: Tensor, targets: Any) -> Tensor:
        """Return `forward(predictions, targets)`."""
        return self.forward(predictions, targets)

    def parameters(self) -> list[Tensor]:
        """Return no tensors: there is nothing to train."""
        return []


class LogSoftmaxFunction(Function):
    """The logarithm of softmax along one axis."""

    __slots__ = ("axis", "result")

    def __init__(self, tensor: Any, axis: int) -> None:
        super().__init__(tensor)
        self.axis = axis

    def forward(self, x: Array) -> Array:
        """Return x - log(sum(e^x)), with the largest value taken off first so that nothing overflows."""
        if x.size == 0:
            self.result = x.copy()
            return self.result
        shifted = x - np.maximum.reduce(x, axis=self.axis, keepdims=True)
        self.result = shifted - np.log(np.add.reduce(np.exp(shifted), axis=self.axis, keepdims=True))
        return self.result

    def backward(self, gradient: Array) -> tuple[Array]:
        """dx = g - softmax(x) sum(g)."""
        return (gradient - np.exp(self.result) * np.add.reduce(gradient, axis=self.axis, keepdims=True),)


class MSEFunction(Function):
    """The mean of the squared differences."""

    __slots__ = ("difference", "target_shape")

    def forward(self, predictions: Array, targets: Array) -> Array:
        """Return the mean square."""
        self.difference = np.asarray(predictions - targets)
        self.target_shape = targets.shape
        flat = self.difference.ravel()
        return np.asarray(flat @ flat / max(flat.size, 1))

    def backward(self, gradient: Array) -> tuple[Array, Array]:
        """d = 2 (p - t) / n, with its sign turned for the targets."""
        slope = np.asarray(self.difference * (gradient * (2.0 / max(self.difference.size, 1))))
        return slope, unbroadcast(-slope, self.target_shape)


class CrossEntropyFunction(Function):
    """Log-softmax and the mean of minus the logarithms picked by the labels, in one operation.

    Works on the transposed logits: numpy reduces over the first axis several times sooner than over short rows.
    """

    __slots__ = ("one_hot", "powers", "totals")

    def __init__(self, tensor: Any, one_hot: Array) -> None:
        super().__init__(tensor)
        self.one_hot = one_hot.T

    def forward(self, logits: Array) -> Array:
        """Return the mean of log(sum(e^x)) - x[label] over the rows."""
        columns = logits.T.copy()
        columns -= np.maximum.reduce(columns, axis=0)
        self.powers = np.exp(columns)
        self.totals = np.add.reduce(self.powers, axis=0)
        picked = columns[self.one_hot]
        return np.asarray((np.add.reduce(np.log(self.totals)) - np.add.reduce(picked)) / max(len(logits), 1))

    def backward(self, gradient: Array) -> tuple[Array]:
        """d = (softmax(x) - 1 at the label) / n."""
        slope = self.powers / self.totals
        slope -= self.one_hot
        slope *= gradient / max(len(self.totals), 1)
        return (slope.T,)


class BinaryCrossEntropyFunction(Function):
    """The mean of -(t log p + (1 - t) log(1 - p)), p kept within [EPSILON, 1 - EPSILON]."""

    __slots__ = ("clipped", "predictions", "targets")

    def forward(self, predictions: Array, targets: Array) -> Array:
        """Return the mean."""
        self.predictions, self.targets = predictions, targets
        self.clipped = np.clip(predictions, EPSILON, 1.0 - EPSILON)
        losses = targets * np.log(self.clipped) + (1.0 - targets) * np.log(1.0 - self.clipped)
        return np.asarray(-np.add.reduce(losses, axis=None) / max(losses.size, 1))

    def backward(self, gradient: Array) -> tuple[Array, Array]:
        """dp = (p - t) / (p (1 - p)) / n, 0 where p was clipped; dt = log((1 - p) / p) / n."""
        p, scale = self.clipped, gradient / max(self.clipped.size, 1)
        inside = self.predictions == p
        slope = np.asarray(inside * (p - self.targets) / (p * (1.0 - p)) * scale)
        return slope, unbroadcast(np.asarray((np.log(1.0 - p) - np.log(p)) * scale), self.targets.shape)


class MSELoss(Loss):
    """The mean of the squared differences, for regression.

    Examples
    --------
    >>> MSELoss()(Tensor([[1.0], [3.0]]), Tensor([[1.0], [1.0]])).item()
    2.0
    """

    def forward(self, predictions: Tensor, targets: Any) -> Tensor:
        """Return the mean square of `predictions - targets`.

        Raises
        ------
        ValueError
            If the targets do not fit into the shape of the predictions; (n, 1) against (n,) does not.
        """
        wanted = targets if isinstance(targets, Tensor) else Tensor(targets)
        _check_fits(predictions.shape, wanted.shape)
        return record(MSEFunction(predictions, wanted))


class CrossEntropyLoss(Loss):
    """Minus the mean logarithm of the probability given to the right class, for classification.

    Examples
    --------
    >>> loss = CrossEntropyLoss()
    >>> round(loss(Tensor([[0.0, 0.0], [0.0, 0.0]]), Tensor([0, 1])).item(), 4)
    0.6931
    >>> loss(Tensor([[0.0, 0.0]]), Tensor([2]))
    Traceback (most recent call last):
    ...
    ValueError: targets must be whole numbers from 0 to 1, got 2.0.
    """

    def forward(self, predictions: Tensor, targets: Any) -> Tensor:
        """Return the loss of logits (n_samples, n_classes) for class numbers (n_samples,).

        Raises
        ------
        ValueError
            If the shapes are not these, or a label is no class number.
        """
        if predictions.ndim != 2:
            raise ValueError(f"logits must have shape (n_samples, n_classes), got {predictions.shape}.")
        labels = targets.data if isinstance(targets, Tensor) else np.asarray(targets, dtype=np.float64)
        return record(CrossEntropyFunction(predictions, _one_hot(labels, predictions.shape)))


class BinaryCrossEntropyLoss(Loss):
    """Cross-entropy of probabilities of a yes against targets from 0 (no) to 1 (yes).

    Examples
    --------
    >>> round(BinaryCrossEntropyLoss()(Tensor([0.9, 0.2]), Tensor([1.0, 0.0])).item(), 4)
    0.1643
    """

    def forward(self, predictions: Tensor, targets: Any) -> Tensor:
        """Return the mean loss of probabilities for targets of the same shape.

        Raises
        ------
        ValueError
            If the targets do not fit into the shape of the predictions, or leave [0, 1].
        """
        wanted = targets if isinstance(targets, Tensor) else Tensor(targets)
        _check_fits(predictions.shape, wanted.shape)
        if not np.all((wanted.data >= 0.0) & (wanted.data <= 1.0)):
            raise ValueError(f"targets must be in [0, 1], got values from {wanted.data.min()} to {wanted.data.max()}.")
        return record(BinaryCrossEntropyFunction(predictions, wanted))


def log_softmax(x: Tensor, dim: int = -1) -> Tensor:
    """Return the logarithm of softmax along `dim`, without overflow.

    Examples
    --------
    >>> log_softmax(Tensor([[1000.0, 1000.0]])).data.round(4)
    array([[-0.6931, -0.6931]], dtype=float32)
    """
    return record(LogSoftmaxFunction(x, dim))


def _check_fits(predictions: tuple[int, ...], targets: tuple[int, ...]) -> None:
    """Check that targets broadcast into the shape of the predictions without stretching it."""
    try:
        fits = np.broadcast_shapes(predictions, targets) == predictions
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"targets must have the shape of the predictions, {predictions}, got {targets}.")


@functools.lru_cache(maxsize=16)
def _class_column(n_classes: int, dtype: np.dtype[Any]) -> Array:
    """Return the class numbers, one a row; kept, for they are the same in every batch."""
    return np.arange(n_classes, dtype=dtype)[:, np.newaxis]


def _one_hot(targets: Array, logits: tuple[int, ...]) -> Array:
    """Return, in the shape of the logits, where the right classes are."""
    n_samples, n_classes = logits
    if targets.shape != (n_samples,):
        raise ValueError(f"targets must have shape ({n_samples},), one a row of the logits, got {targets.shape}.")
    one_hot: Array = _class_column(n_classes, targets.dtype) == targets
    # No row can match two classes, so as many matches as rows means that each label is a class.
    if np.count_nonzero(one_hot) != n_samples:
        wrong = targets[~one_hot.any(axis=0)][0]
        raise ValueError(f"targets must be whole numbers from 0 to {n_classes - 1}, got {wrong}.")
    return one_hot.T
