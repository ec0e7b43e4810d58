"""Ground floor, activations: the functions between layers, each beside its derivative. Rests on `tensor`."""

from __future__ import annotations

import math

import numpy as np

from tinytorch.core.autograd import Array, Function
from tinytorch.core.tensor import Tensor, record

__all__ = ["GELU", "TOLERANCE", "Activation", "ReLU", "Sigmoid", "Softmax", "Tanh"]

TOLERANCE = 1e-10
"""How far TinyTorch's own exercises let an activation's value be from the exact one."""

# The two numbers of the tanh form of GELU (Hendrycks and Gimpel, 2016, section 2).
GELU_SCALE = math.sqrt(2.0 / math.pi)
GELU_CUBIC = 0.044715


class Activation:
    """A function of a tensor without parameters; subclasses write `forward`.

    Examples
    --------
    >>> ReLU()(Tensor([-1.0, 2.0])).data
    array([0., 2.], dtype=float32)
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of `x`, in the shape of `x`."""
        raise NotImplementedError

    def __call__(self, x: Tensor) -> Tensor:
        """Return `forward(x)`."""
        return self.forward(x)

    def parameters(self) -> list[Tensor]:
        """Return no tensors: there is nothing to train."""
        return []

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class ReLUFunction(Function):
    """max(x, 0)."""

    __slots__ = ("result",)

    def forward(self, x: Array) -> Array:
        """Return the positive part."""
        self.result = np.maximum(x, 0.0)
        return self.result

    def backward(self, gradient: Array) -> tuple[Array]:
        """The slope is 1 above 0, and 0 at and below it."""
        return (gradient * (self.result > 0.0),)


class SigmoidFunction(Function):
    """1 / (1 + e^-x)."""

    __slots__ = ("result",)

    def forward(self, x: Array) -> Array:
        """Return the sigmoid, by the form that cannot overflow on either side of 0."""
        self.result = sigmoid(x)
        return self.result

    def backward(self, gradient: Array) -> tuple[Array]:
        """ds = s (1 - s) dx."""
        return (gradient * self.result * (1.0 - self.result),)


class TanhFunction(Function):
    """The hyperbolic tangent."""

    __slots__ = ("result",)

    def forward(self, x: Array) -> Array:
        """Return the hyperbolic tangent."""
        self.result = np.asarray(np.tanh(x))
        return self.result

    def backward(self, gradient: Array) -> tuple[Array]:
        """dt = (1 - t^2) dx."""
        return (gradient * (1.0 - self.result * self.result),)


class GELUFunction(Function):
    """x times the chance that a standard normal value is below x, in its tanh form."""

    __slots__ = ("tangent", "x")

    def forward(self, x: Array) -> Array:
        """Return x (1 + tanh(s (x + c x^3))) / 2; beyond float's range the cube is infinite, and tanh still right."""
        with np.errstate(over="ignore", invalid="ignore"):
            self.x = x
            self.tangent = np.asarray(np.tanh(GELU_SCALE * (x + GELU_CUBIC * x * x * x)))
            # At -inf the product inf * 0 has the limit 0.
            return np.where(np.isneginf(x), np.zeros_like(x), 0.5 * x * (1.0 + self.tangent))

    def backward(self, gradient: Array) -> tuple[Array]:
        """Product rule; where tanh has reached its end, the second term is 0."""
        tangent = self.tangent
        with np.errstate(over="ignore", invalid="ignore"):
            inner = GELU_SCALE * (1.0 + 3.0 * GELU_CUBIC * self.x * self.x)
            bend = 0.5 * self.x * (1.0 - tangent * tangent) * inner
        bend = np.where(np.abs(tangent) == 1.0, np.zeros_like(tangent), bend)
        return (gradient * (0.5 * (1.0 + tangent) + bend),)


class SoftmaxFunction(Function):
    """e^x divided by its sum along one axis."""

    __slots__ = ("axis", "result")

    def __init__(self, tensor: Tensor, axis: int) -> None:
        super().__init__(tensor)
        self.axis = axis

    def forward(self, x: Array) -> Array:
        """Return shares that sum to 1; the largest value is taken off first, so nothing overflows."""
        if x.size == 0:
            self.result = x.copy()
            return self.result
        powers = np.exp(x - np.maximum.reduce(x, axis=self.axis, keepdims=True))
        self.result = powers / np.add.reduce(powers, axis=self.axis, keepdims=True)
        return self.result

    def backward(self, gradient: Array) -> tuple[Array]:
        """ds_i = s_i (g_i - sum_j g_j s_j)."""
        weighted = gradient * self.result
        total = np.add.reduce(weighted, axis=self.axis, keepdims=True)
        return (weighted - self.result * total,)


class ReLU(Activation):
    """The positive part of each element.

    Examples
    --------
    >>> ReLU()(Tensor([-3.0, 0.0, 3.0])).data
    array([0., 0., 3.], dtype=float32)
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return max(x, 0)."""
        return record(ReLUFunction(x))


class Sigmoid(Activation):
    """Each element squeezed into (0, 1).

    Examples
    --------
    >>> Sigmoid()(Tensor([-1000.0, 0.0, 1000.0])).data
    array([0. , 0.5, 1. ], dtype=float32)
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return 1 / (1 + e^-x)."""
        return record(SigmoidFunction(x))


class Tanh(Activation):
    """Each element squeezed into (-1, 1).

    Examples
    --------
    >>> Tanh()(Tensor([0.0])).data
    array([0.], dtype=float32)
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the hyperbolic tangent."""
        return record(TanhFunction(x))


class GELU(Activation):
    """The Gaussian error linear unit, in its tanh form.

    Examples
    --------
    >>> GELU()(Tensor([0.0, 1.0])).data.round(4)
    array([0.    , 0.8412], dtype=float32)

    References
    ----------
    Hendrycks, D. and Gimpel, K. (2016). Gaussian error linear units. arXiv:1606.08415.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2."""
        return record(GELUFunction(x))


class Softmax(Activation):
    """Scores turned into shares that sum to 1 along `dim`.

    Parameters
    ----------
    dim : int
        The axis along which the shares sum to 1.

    Examples
    --------
    >>> Softmax()(Tensor([[0.0, 0.0]])).data
    array([[0.5, 0.5]], dtype=float32)
    """

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: Tensor, dim: int | None = None) -> Tensor:
        """Return the shares along `dim`, or along the axis given to the constructor."""
        return record(SoftmaxFunction(x, self.dim if dim is None else dim))

    def __call__(self, x: Tensor, dim: int | None = None) -> Tensor:
        """Return `forward(x, dim)`."""
        return self.forward(x, dim)


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + e^-x) without overflow.

    Examples
    --------
    >>> float(sigmoid(np.array(0.0)))
    0.5
    """
    small = np.exp(-np.abs(x))
    return np.where(x >= 0.0, np.ones_like(small), small) / (1.0 + small)
