"""Ground floor, layers: what holds weights, and what strings layers together. Rests on `tensor`."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tinytorch._arguments import check_in_range
from tinytorch.core._checks import check_positive_integer, copy_float32
from tinytorch.core._walk import named_parameters, walk
from tinytorch.core.activations import ReLU
from tinytorch.core.autograd import Array, Function, MatMul
from tinytorch.core.tensor import Tensor, record

__all__ = ["XAVIER_SCALE_FACTOR", "Dropout", "Layer", "Linear", "ReLU", "Sequential", "set_training_mode"]

XAVIER_SCALE_FACTOR = 1.0
"""Weights start with variance XAVIER_SCALE_FACTOR / in_features, which keeps the variance of what flows through."""


class Layer:
    """A part of a network; subclasses write `forward` and keep tensors and other layers as attributes.

    Examples
    --------
    >>> class Doubled(Layer):
    ...     def __init__(self):
    ...         self.linear = Linear(2, 1, rng=np.random.default_rng(0))
    ...     def forward(self, x):
    ...         return self.linear(x) * 2.0
    >>> [parameter.shape for parameter in Doubled().parameters()]
    [(2, 1), (1,)]
    """

    training = True

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output."""
        raise NotImplementedError

    def __call__(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """Return `forward(x, ...)`."""
        return self.forward(x, *args, **kwargs)

    def parameters(self) -> list[Tensor]:
        """Return the tensors that training changes: those among the attributes that require gradients."""
        return list(named_parameters(self).values())

    def train(self, mode: bool = True) -> Layer:
        """Switch this layer and all inside it to training (or, with False, to evaluation)."""
        set_training_mode(self, mode)
        return self

    def eval(self) -> Layer:
        """Switch this layer and all inside it to evaluation: Dropout lets everything through."""
        return self.train(False)

    def state_dict(self) -> dict[str, Array]:
        """Return a copy of every parameter's array, by the path of attributes that leads to it."""
        return {name: tensor.data.copy() for name, tensor in named_parameters(self).items()}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Put arrays that `state_dict` returned back into the parameters.

        Raises
        ------
        ValueError
            If a name is missing or unknown, a shape differs, or an array holds no real numbers. No parameter is
            changed then.
        """
        tensors = named_parameters(self)
        if set(state) != set(tensors):
            raise ValueError(f"state must hold exactly {sorted(tensors)}, got {sorted(state)}.")
        arrays = {name: copy_float32(state[name], f"state[{name!r}]", tensor.shape) for name, tensor in tensors.items()}
        for name, tensor in tensors.items():
            tensor.data[...] = arrays[name]

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class LinearFunction(Function):
    """x @ weight + bias in one operation, on the last axis of x."""

    __slots__ = ("weight", "x")

    def forward(self, x: Array, weight: Array, bias: Array) -> Array:
        """Return the weighted sums."""
        self.x, self.weight = x, weight
        output: Array = x @ weight
        output += bias
        return output

    def backward(self, gradient: Array) -> tuple[Array | None, Array, Array]:
        """dx = G W^T, dW = x^T G, db = G summed over the rows; the first layer's data asks for no dx."""
        x, weight = self.x, self.weight
        x_share = gradient @ weight.T if self.needs_gradient(0) else None
        if x.ndim != 2:
            x, gradient = x.reshape(-1, weight.shape[0]), gradient.reshape(-1, weight.shape[1])
        # The sum over the rows as a product with ones comes two to three times sooner than np.sum.
        return x_share, x.T @ gradient, _ones(len(gradient), gradient.dtype) @ gradient


@functools.lru_cache(maxsize=16)
def _ones(count: int, dtype: np.dtype[Any]) -> Array:
    """Return `count` ones; kept, for the same few batch sizes come again and again."""
    return np.ones(count, dtype)


class Linear(Layer):
    """Weighted sums of the inputs: x @ weight + bias.

    Parameters
    ----------
    in_features, out_features : int
        Widths of the last axis before and after.
    bias : bool
        Whether to add a bias.
    rng : numpy.random.Generator, optional
        Draws the first weights; without it they differ from run to run.

    Raises
    ------
    ValueError
        If a width is not a positive integer.

    Examples
    --------
    >>> layer = Linear(64, 10, rng=np.random.default_rng(0))
    >>> layer(Tensor(np.zeros((5, 64)))).shape
    (5, 10)
    >>> layer(Tensor(np.zeros((5, 63))))
    Traceback (most recent call last):
    ...
    ValueError: x must have 64 features on its last axis, got shape (5, 63).

    References
    ----------
    Glorot, X. and Bengio, Y. (2010). Understanding the difficulty of training deep feedforward neural networks.
    AISTATS.
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, rng: np.random.Generator | None = None
    ) -> None:
        self.in_features = check_positive_integer(in_features, "in_features")
        self.out_features = check_positive_integer(out_features, "out_features")
        generator = rng if rng is not None else np.random.default_rng()
        spread = math.sqrt(XAVIER_SCALE_FACTOR / in_features)
        weights = generator.standard_normal((in_features, out_features), dtype=np.float32) * np.float32(spread)
        self.weight = Tensor(weights, requires_grad=True)
        self.bias = Tensor(np.zeros(out_features), requires_grad=True) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Return x @ weight + bias: (..., in_features) becomes (..., out_features).

        Raises
        ------
        ValueError
            If the last axis of `x` is not `in_features` wide, or `x` is no tensor.
        """
        try:
            bias = self.bias
            return record(MatMul(x, self.weight) if bias is None else LinearFunction(x, self.weight, bias))
        except ValueError as error:
            if not isinstance(x, Tensor):
                raise
            width = self.weight.shape[0]
            raise ValueError(f"x must have {width} features on its last axis, got shape {x.shape}.") from error

    def parameters(self) -> list[Tensor]:
        """Return the weight and, if there is one, the bias."""
        return [self.weight] if self.bias is None else [self.weight, self.bias]

    def __repr__(self) -> str:
        bias = self.bias is not None
        return f"Linear(in_features={self.in_features}, out_features={self.out_features}, bias={bias})"


class Dropout(Layer):
    """While training, sets each element to 0 with chance p and scales the others by 1 / (1 - p).

    Parameters
    ----------
    p : float
        Chance of an element to be dropped, from 0 to 1.
    rng : numpy.random.Generator, optional
        Draws the mask; without it masks differ from run to run.

    Raises
    ------
    ValueError
        If `p` is not in [0, 1].

    Examples
    --------
    >>> dropout = Dropout(0.5, rng=np.random.default_rng(0))
    >>> dropout(Tensor([1.0, 1.0, 1.0, 1.0])).data
    array([2., 2., 2., 0.], dtype=float32)
    >>> dropout.eval()(Tensor([1.0, 1.0, 1.0, 1.0])).data
    array([1., 1., 1., 1.], dtype=float32)

    References
    ----------
    Srivastava, N. et al. (2014). Dropout: a simple way to prevent neural networks from overfitting. JMLR 15.
    """

    def __init__(self, p: float = 0.5, rng: np.random.Generator | None = None) -> None:
        self.p = check_in_range(p, "p", 0.0, 1.0)
        self.rng = rng if rng is not None else np.random.default_rng()

    def forward(self, x: Tensor, training: bool | None = None) -> Tensor:
        """Return `x` with some elements dropped, or `x` itself when not training.

        `training` overrides what `train()` and `eval()` have set.
        """
        if self.p == 0.0 or not (self.training if training is None else training):
            return x
        kept = self.rng.random(x.shape, dtype=np.float32) >= self.p
        scale = 1.0 / (1.0 - self.p) if self.p < 1.0 else 0.0
        return x * Tensor(kept * np.float32(scale))

    def parameters(self) -> list[Tensor]:
        """Return no tensors: there is nothing to train."""
        return []

    def __repr__(self) -> str:
        return f"Dropout(p={self.p})"


class Sequential(Layer):
    """Layers and activations one after the other.

    Parameters
    ----------
    *layers : Layer or Activation
        In the order in which data passes; one list of them does as well.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> network = Sequential(Linear(64, 32, rng=rng), ReLU(), Linear(32, 10, rng=rng))
    >>> network(Tensor(np.zeros((2, 64)))).shape
    (2, 10)
    """

    def __init__(self, *layers: Any) -> None:
        alone = layers[0] if len(layers) == 1 else None
        self.layers = list(alone) if isinstance(alone, (list, tuple)) else list(layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` after every layer."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def parameters(self) -> list[Tensor]:
        """Return the parameters of all layers, in order."""
        return [parameter for layer in self.layers for parameter in layer.parameters()]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.layers))})"


def set_training_mode(model: object, mode: bool) -> None:
    """Set `.training` on `model` and on every layer found among its attributes, however deep.

    Examples
    --------
    >>> network = Sequential(Linear(2, 2), Dropout(0.5))
    >>> set_training_mode(network, False)
    >>> network.layers[1].training
    False
    """
    for _, part in walk(model):
        if isinstance(part, Layer) or (part is model and hasattr(part, "training")):
            part.training = mode  # type: ignore[attr-defined]
