"""Ground floor, optimizers: how gradients change weights. Rests on `tensor`.

An update changes the parameters' arrays in place; what an optimizer remembers between steps (velocities, moments)
is one array a parameter, in a list that starts with None.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

import numpy as np

from tinytorch._arguments import check_in_range, check_integer
from tinytorch.core._checks import check_not_negative, check_real_array, copy_float32
from tinytorch.core.autograd import Array
from tinytorch.core.tensor import Tensor

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "list_parameters"]

Buffers = list[Array | None]


class Optimizer:
    """Changes `params` by their gradients; subclasses say how in `_update`.

    Parameters
    ----------
    params : iterable of Tensor
        The tensors to train; each is made to require gradients.

    Raises
    ------
    ValueError
        If one of them is no tensor, or `params` is a single tensor.

    Examples
    --------
    >>> weight = Tensor([1.0], requires_grad=True)
    >>> optimizer = SGD([weight], lr=0.5)
    >>> (weight * weight).sum().backward()
    >>> optimizer.step()
    >>> weight.data
    array([0.], dtype=float32)
    """

    # The names of a subclass's numbers and of its lists of arrays: what a state consists of.
    _numbers: ClassVar[tuple[str, ...]] = ("lr",)
    _buffers: ClassVar[tuple[str, ...]] = ()

    def __init__(self, params: Iterable[Tensor]) -> None:
        self.params = list_parameters(params, "params")
        self.step_count = 0
        self.update_counts = [0] * len(self.params)
        for parameter in self.params:
            if not isinstance(parameter, Tensor):
                raise ValueError(f"params must hold tensors, got {type(parameter).__name__}.")
        for parameter in self.params:
            parameter.requires_grad = True

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.params:
            parameter.grad = None

    def step(self) -> None:
        """Change every parameter that has a gradient."""
        for i, parameter in enumerate(self.params):
            if parameter.grad is not None:
                self.update_counts[i] += 1
                self._update(i, parameter.data, parameter.grad)
        self.step_count += 1

    def _update(self, i: int, weights: Array, gradient: Array) -> None:
        """Change the `weights` of parameter `i` in place; `gradient` is left as it is."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Array]:
        """Return everything the next step depends on as arrays, the weights themselves excepted."""
        state: dict[str, Array] = {"kind": np.array(type(self).__name__), "step_count": np.array(self.step_count)}
        state["update_counts"] = np.array(self.update_counts, dtype=np.int64)
        state.update({name: np.array(getattr(self, name), dtype=np.float64) for name in self._numbers})
        for name in self._buffers:
            held = enumerate(getattr(self, name))
            state.update({f"{name}.{i}": array.copy() for i, array in held if array is not None})
        return state

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Take over a state that `state_dict` returned.

        Raises
        ------
        ValueError
            If it comes from another kind of optimizer, does not fit the parameters, or holds a number that the
            constructor would refuse. Nothing is changed then.
        """
        for name, value in self._check_state(state).items():
            setattr(self, name, value)

    def _check_state(self, state: Mapping[str, Array]) -> dict[str, object]:
        """Return the attributes that `state` sets, or say what does not fit."""
        kind, count = str(state.get("kind", "")), len(self.params)
        if kind != type(self).__name__:
            raise ValueError(f"state must be of a {type(self).__name__} optimizer, got {kind!r}.")
        required = {"kind", "step_count", "update_counts", *self._numbers}
        optional = {f"{name}.{i}" for name in self._buffers for i in range(count)}
        if not required <= set(state) <= required | optional:
            raise ValueError(f"state must hold the numbers and arrays of {count} parameters, got {sorted(state)}.")
        return {
            "step_count": check_integer(check_real_array(state["step_count"], "step_count", ()).item(), "step_count"),
            "update_counts": [
                check_integer(updates, "update_counts")
                for updates in check_real_array(state["update_counts"], "update_counts", (count,)).tolist()
            ],
            **{name: _read_number(state[name], name) for name in self._numbers},
            **{name: _fit_buffers(_listed(state, name, count), self.params, name) for name in self._buffers},
        }


class SGD(Optimizer):
    """Stochastic gradient descent: v = momentum v + g, x = x - lr v.

    Parameters
    ----------
    params : iterable of Tensor
        The tensors to train.
    lr : float
        Step length.
    momentum : float
        Part of the last velocity that is kept.
    weight_decay : float
        This much of each weight is added to its gradient.

    Raises
    ------
    ValueError
        If a number is negative or not finite.

    Examples
    --------
    >>> weight = Tensor([1.0])
    >>> optimizer = SGD([weight], lr=0.25, momentum=0.5)
    >>> weight.grad = np.array([2.0], dtype=np.float32)
    >>> optimizer.step()
    >>> optimizer.step()
    >>> weight.data
    array([-0.25], dtype=float32)

    References
    ----------
    Sutskever, I. et al. (2013). On the importance of initialization and momentum in deep learning. ICML.
    """

    _numbers = ("lr", "momentum", "weight_decay")
    _buffers = ("momentum_buffers",)

    def __init__(
        self, params: Iterable[Tensor], lr: float = 0.01, momentum: float = 0.0, weight_decay: float = 0.0
    ) -> None:
        self.lr = check_not_negative(lr, "lr")
        self.momentum = check_not_negative(momentum, "momentum")
        self.weight_decay = check_not_negative(weight_decay, "weight_decay")
        super().__init__(params)
        self.momentum_buffers: Buffers = [None] * len(self.params)

    def has_momentum(self) -> bool:
        """Tell whether velocities are kept."""
        return self.momentum > 0.0

    def get_momentum_state(self) -> Buffers | None:
        """Return a copy of the velocities, or None without momentum."""
        if not self.has_momentum():
            return None
        return [None if velocity is None else velocity.copy() for velocity in self.momentum_buffers]

    def set_momentum_state(self, state: Sequence[Array | None] | None) -> None:
        """Take over velocities; None, or an optimizer without momentum, changes nothing.

        Raises
        ------
        ValueError
            If their number or a shape does not fit the parameters.
        """
        if state is not None and self.has_momentum():
            self.momentum_buffers = _fit_buffers(state, self.params, "momentum_buffers")

    def _update(self, i: int, weights: Array, gradient: Array) -> None:
        if self.weight_decay:
            gradient = gradient + self.weight_decay * weights
        if self.momentum:
            gradient = self._velocity(i, gradient)
        weights -= self.lr * gradient

    def _velocity(self, i: int, gradient: Array) -> Array:
        """Return the velocity of parameter `i` after `gradient`."""
        velocity = self.momentum_buffers[i]
        if velocity is None:
            velocity = self.momentum_buffers[i] = gradient.astype(np.float32)
        else:
            velocity *= self.momentum
            velocity += gradient
        return velocity


class Adam(Optimizer):
    """Steps of even length: the average gradient, divided by the root of the average squared gradient.

    Parameters
    ----------
    params : iterable of Tensor
        The tensors to train.
    lr : float
        Step length.
    betas : tuple of float
        Parts of the last averages (of gradients, of their squares) that are kept, each in [0, 1).
    eps : float
        Added to the root, so that a gradient of 0 does not divide by 0.
    weight_decay : float
        This much of each weight is added to its gradient, before the averages.

    Raises
    ------
    ValueError
        If a number is negative or not finite, or a beta is not in [0, 1).

    Examples
    --------
    >>> weight = Tensor([1.0])
    >>> optimizer = Adam([weight], lr=0.25)
    >>> weight.grad = np.array([100.0], dtype=np.float32)
    >>> optimizer.step()
    >>> weight.data
    array([0.75], dtype=float32)

    References
    ----------
    Kingma, D. P. and Ba, J. (2015). Adam: a method for stochastic optimization. ICLR.
    """

    _numbers = ("lr", "beta1", "beta2", "eps", "weight_decay")
    _buffers = ("m_buffers", "v_buffers")

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        self.lr = check_not_negative(lr, "lr")
        self.beta1, self.beta2 = _check_betas(betas)
        self.eps = check_not_negative(eps, "eps")
        self.weight_decay = check_not_negative(weight_decay, "weight_decay")
        super().__init__(params)
        self.m_buffers: Buffers = [None] * len(self.params)
        self.v_buffers: Buffers = [None] * len(self.params)

    def _update(self, i: int, weights: Array, gradient: Array) -> None:
        if self.weight_decay:
            gradient = gradient + self.weight_decay * weights
        weights -= _adam_step(self, i, gradient)


class AdamW(Optimizer):
    """Adam with decoupled weight decay: weights shrink by lr * weight_decay, whatever the gradients are.

    Parameters
    ----------
    params : iterable of Tensor
        The tensors to train.
    lr : float
        Step length.
    betas : tuple of float
        Parts of the last averages (of gradients, of their squares) that are kept, each in [0, 1).
    eps : float
        Added to the root, so that a gradient of 0 does not divide by 0.
    weight_decay : float
        Part of each weight, times `lr`, that is taken off in each step.

    Raises
    ------
    ValueError
        If a number is negative or not finite, or a beta is not in [0, 1).

    Examples
    --------
    >>> weight = Tensor([1.0])
    >>> optimizer = AdamW([weight], lr=0.5, weight_decay=0.5)
    >>> weight.grad = np.array([0.0], dtype=np.float32)
    >>> optimizer.step()
    >>> weight.data
    array([0.75], dtype=float32)

    References
    ----------
    Loshchilov, I. and Hutter, F. (2019). Decoupled weight decay regularization. ICLR.
    """

    _numbers = ("lr", "beta1", "beta2", "eps", "weight_decay")
    _buffers = ("m_buffers", "v_buffers")

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        self.lr = check_not_negative(lr, "lr")
        self.beta1, self.beta2 = _check_betas(betas)
        self.eps = check_not_negative(eps, "eps")
        self.weight_decay = check_not_negative(weight_decay, "weight_decay")
        super().__init__(params)
        self.m_buffers: Buffers = [None] * len(self.params)
        self.v_buffers: Buffers = [None] * len(self.params)

    def _update(self, i: int, weights: Array, gradient: Array) -> None:
        if self.weight_decay:
            weights *= 1.0 - self.lr * self.weight_decay
        weights -= _adam_step(self, i, gradient)


def _adam_step(optimizer: Adam | AdamW, i: int, gradient: Array) -> Array:
    """Take `gradient` into the averages of parameter `i` and return what its weights move by.

    Both averages start at 0 and are too small by the factor 1 - beta^t after t updates, which is divided out.
    """
    mean, square = optimizer.m_buffers[i], optimizer.v_buffers[i]
    if mean is None or square is None:
        mean = optimizer.m_buffers[i] = np.zeros(gradient.shape, dtype=np.float32)
        square = optimizer.v_buffers[i] = np.zeros(gradient.shape, dtype=np.float32)
    beta1, beta2, count = optimizer.beta1, optimizer.beta2, optimizer.update_counts[i]
    mean *= beta1
    mean += (1.0 - beta1) * gradient
    square *= beta2
    square += (1.0 - beta2) * gradient * gradient
    root = np.sqrt(square)
    root /= math.sqrt(1.0 - beta2**count)
    root += optimizer.eps
    np.divide(mean, root, out=root)
    root *= optimizer.lr / (1.0 - beta1**count)
    return root


def list_parameters(parameters: Iterable[Tensor], name: str) -> list[Tensor]:
    """Return the tensors as a list; a single tensor, which would come apart into its rows, is refused.

    Examples
    --------
    >>> list_parameters(Tensor([1.0, 2.0]), "params")
    Traceback (most recent call last):
    ...
    ValueError: params must be a list of tensors, got a single Tensor: write [tensor].
    """
    if isinstance(parameters, Tensor):
        raise ValueError(f"{name} must be a list of tensors, got a single Tensor: write [tensor].")
    return list(parameters)


def _check_betas(betas: tuple[float, float]) -> tuple[float, float]:
    """Return the two parts that are kept, each in [0, 1)."""
    if not isinstance(betas, (tuple, list)) or len(betas) != 2:
        raise ValueError(f"betas must be two numbers, got {betas!r}.")
    return _check_beta(betas[0], "betas"), _check_beta(betas[1], "betas")


def _check_beta(beta: float, name: str) -> float:
    """Return the part of an average that is kept, in [0, 1)."""
    check_in_range(beta, name, 0.0, 1.0)
    if beta == 1.0:
        raise ValueError(f"{name} must be in [0, 1), got {beta!r}.")
    return float(beta)


def _read_number(value: Array, name: str) -> float:
    """Return one number of a state, if the constructor would take it."""
    number = float(check_real_array(value, name, ()))
    return _check_beta(number, name) if name.startswith("beta") else check_not_negative(number, name)


def _listed(state: Mapping[str, Array], name: str, count: int) -> Buffers:
    """Return the arrays `name.0`, `name.1` and so on of a state, None where there is none."""
    return [state.get(f"{name}.{i}") for i in range(count)]


def _fit_buffers(found: Sequence[Array | None], params: Sequence[Tensor], name: str) -> Buffers:
    """Return float32 copies of one array (or None) a parameter, if the shapes agree."""
    if len(found) != len(params):
        raise ValueError(f"{name} length mismatch: must hold {len(params)} arrays, got {len(found)}.")
    pairs = enumerate(zip(found, params, strict=True))
    return [
        None if array is None else copy_float32(array, f"{name}[{i}]", parameter.shape)
        for i, (array, parameter) in pairs
    ]
