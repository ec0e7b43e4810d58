"""Ground floor, the engine: every operation beside its derivative, and the walk that chains them. numpy only.

A `Function` knows how to go forward on numpy arrays and how to take a gradient back. It never touches a `Tensor`
beyond remembering which ones it was given; `tinytorch.core.tensor` puts the two together.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Axis: TypeAlias = int | tuple[int, ...] | None
FLOAT32 = np.dtype(np.float32)

# A context variable, not a plain global: `no_grad` in one thread must not switch off another thread's training.
recording: contextvars.ContextVar[bool] = contextvars.ContextVar("recording", default=True)


@contextlib.contextmanager
def no_grad() -> Iterator[None]:
    """Compute without recording operations, for predictions and evaluation.

    Examples
    --------
    >>> from tinytorch.core.tensor import Tensor
    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> with no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """
    token = recording.set(False)
    try:
        yield
    finally:
        recording.reset(token)


def enable_autograd(quiet: bool = False) -> None:
    """Do nothing: gradients are always available here. Code written for TinyTorch calls this function.

    Examples
    --------
    >>> enable_autograd(quiet=True)
    """


class Function:
    """One operation and its derivative.

    A subclass writes `forward` (arrays in, one array out) and, beside it, `backward` (the gradient of the output
    in, one gradient per tensor out, in the tensor's shape). `backward` may pass its argument on or return a view of
    it, but never returns one new array twice and never changes an array in place: callers share them.

    Parameters
    ----------
    *tensors : Tensor
        The operation's inputs. Plain arrays do as well when only `forward` and `backward` are called.

    Examples
    --------
    >>> from tinytorch.core.tensor import Tensor
    >>> product = Mul(Tensor([2.0], requires_grad=True), Tensor([5.0], requires_grad=True))
    >>> product.apply(np.array([1.0], dtype=np.float32))
    (array([5.], dtype=float32), array([2.], dtype=float32))
    """

    __slots__ = ("saved_tensors",)

    def __init__(self, *tensors: Any) -> None:
        self.saved_tensors = tensors

    def forward(self, *args: Any, **kwargs: Any) -> Array:
        """Return the output array for the input arrays."""
        raise NotImplementedError

    def backward(self, gradient: Array) -> tuple[Any, ...]:
        """Return one gradient per tensor, given the gradient of the output. `forward` has run before."""
        raise NotImplementedError

    def apply(self, grad_output: Array) -> tuple[Any, ...]:
        """Return the gradients for the saved tensors, None for those that ask for none.

        This is how TinyTorch's own exercises call a function outside of any graph; `forward` is run first.
        """
        self.forward(*(tensor.data for tensor in self.saved_tensors))
        gradients = self.backward(np.asarray(grad_output))
        return tuple(share if self.needs_gradient(i) else None for i, share in enumerate(gradients))

    def needs_gradient(self, position: int) -> bool:
        """Tell whether the input at `position` asks for a gradient (a plain array always does)."""
        return bool(getattr(self.saved_tensors[position], "requires_grad", True))


def backpropagate(root: Any, gradient: Array) -> None:
    """Add the gradient of `root` with respect to every tensor it was computed from to that tensor's `.grad`.

    A tensor is visited once, after everything that used it (Kahn's topological order), so the work is linear in the
    number of operations and no recursion limits the depth.

    Parameters
    ----------
    root : Tensor
        The tensor to start from.
    gradient : ndarray
        The gradient that arrives at `root`, in its shape; it is kept, so hand in an array of its own.

    Examples
    --------
    >>> from tinytorch.core.tensor import Tensor
    >>> x = Tensor([3.0], requires_grad=True)
    >>> backpropagate(x * x, np.ones(1, dtype=np.float32))
    >>> x.grad
    array([6.], dtype=float32)

    References
    ----------
    Kahn, A. B. (1962). Topological sorting of large networks. Communications of the ACM 5(11), 558-562.
    """
    uses = _count_uses(root)
    pending = {root: gradient}
    ready = [root]
    while ready:
        tensor = ready.pop()
        # numpy before 2 makes float64 of a float32 without axes times a Python float.
        arrived = np.asarray(pending.pop(tensor), dtype=FLOAT32)
        tensor.grad = arrived if tensor.grad is None else np.asarray(tensor.grad + arrived)
        if tensor.grad_fn is not None:
            ready += _hand_on(tensor.grad_fn, arrived, pending, uses)


def _hand_on(function: Function, arrived: Array, pending: dict[Any, Array], uses: dict[Any, int]) -> list[Any]:
    """Give each input of `function` its share of the gradient, and return those that wait for no other share."""
    complete = []
    for parent, share in zip(function.saved_tensors, function.backward(arrived), strict=True):
        if parent.grad_fn is not None:
            pending[parent] = pending[parent] + share if parent in pending else share
            uses[parent] -= 1
            if not uses[parent]:
                complete.append(parent)
        elif parent.requires_grad:
            parent.grad = _owned(share, arrived) if parent.grad is None else np.asarray(parent.grad + share, FLOAT32)
    return complete


def _count_uses(root: Any) -> dict[Any, int]:
    """Count, for each computed tensor below `root`, the operations that took it in. Leaves need not wait for all."""
    uses = {root: 0}
    stack = [root.grad_fn]
    while stack:
        function = stack.pop()
        for parent in function.saved_tensors if function is not None else ():
            if parent in uses:
                uses[parent] += 1
            elif parent.grad_fn is not None:
                uses[parent] = 1
                stack.append(parent.grad_fn)
    return uses


def _owned(share: Array, arrived: Array) -> Array:
    """Return `share` as memory of its own: a leaf's `.grad` is clipped and scaled in place later."""
    return share.copy() if share is arrived or share.base is not None else np.asarray(share, dtype=FLOAT32)


def unbroadcast(gradient: Array, shape: tuple[int, ...]) -> Array:
    """Sum `gradient` over the axes along which an input of `shape` was repeated.

    Examples
    --------
    >>> unbroadcast(np.ones((4, 3)), (3,))
    array([4., 4., 4.])
    """
    if gradient.shape == shape:
        return gradient
    extra = gradient.ndim - len(shape)
    stretched = [i + extra for i, width in enumerate(shape) if width == 1 and gradient.shape[i + extra] != 1]
    total = np.add.reduce(gradient, axis=(*range(extra), *stretched))
    return np.reshape(total, shape)


class Add(Function):
    """`left + right`, broadcast."""

    __slots__ = ("shapes",)

    def forward(self, left: Array, right: Array) -> Array:
        """Return the sum."""
        self.shapes = left.shape, right.shape
        return np.asarray(left + right)

    def backward(self, gradient: Array) -> tuple[Array, Array]:
        """Both terms receive the gradient as it is."""
        left_shape, right_shape = self.shapes
        return unbroadcast(gradient, left_shape), unbroadcast(gradient, right_shape)


class Subtract(Function):
    """`left - right`, broadcast."""

    __slots__ = ("shapes",)

    def forward(self, left: Array, right: Array) -> Array:
        """Return the difference."""
        self.shapes = left.shape, right.shape
        return np.asarray(left - right)

    def backward(self, gradient: Array) -> tuple[Array, Array]:
        """The second term receives the gradient with its sign turned."""
        left_shape, right_shape = self.shapes
        return unbroadcast(gradient, left_shape), unbroadcast(-gradient, right_shape)


class Mul(Function):
    """`left * right`, element by element, broadcast."""

    __slots__ = ("left", "right")

    def forward(self, left: Array, right: Array) -> Array:
        """Return the product."""
        self.left, self.right = left, right
        return np.asarray(left * right)

    def backward(self, gradient: Array) -> tuple[Array, Array]:
        """Each factor receives the gradient times the other factor."""
        left, right = self.left, self.right
        return unbroadcast(gradient * right, left.shape), unbroadcast(gradient * left, right.shape)


class Divide(Function):
    """`left / right`, element by element, broadcast."""

    __slots__ = ("left", "right")

    def forward(self, left: Array, right: Array) -> Array:
        """Return the quotient."""
        self.left, self.right = left, right
        return np.asarray(left / right)

    def backward(self, gradient: Array) -> tuple[Array, Array]:
        """Quotient rule: d(l/r) = dl / r - l dr / r^2."""
        left, right = self.left, self.right
        scaled = gradient / right
        return unbroadcast(scaled, left.shape), unbroadcast(-scaled * (left / right), right.shape)


class Power(Function):
    """`base ** exponent` for a number `exponent`."""

    __slots__ = ("base", "exponent")

    def __init__(self, tensor: Any, exponent: float) -> None:
        super().__init__(tensor)
        # A Python float never widens a float32 array; a numpy float64 would.
        self.exponent = float(exponent)

    def forward(self, base: Array) -> Array:
        """Return the power."""
        self.base = base
        return np.asarray(base**self.exponent)

    def backward(self, gradient: Array) -> tuple[Array]:
        """d(b^n) = n b^(n-1) db; the slope of b^0 is 0 everywhere."""
        if self.exponent == 0.0:
            return (np.zeros_like(self.base),)
        return (gradient * self.exponent * self.base ** (self.exponent - 1.0),)


class Negate(Function):
    """`-array`."""

    __slots__ = ()

    def forward(self, array: Array) -> Array:
        """Return the array with its sign turned."""
        return np.asarray(-array)

    def backward(self, gradient: Array) -> tuple[Array]:
        """Turn the gradient's sign too."""
        return (-gradient,)


class Exponential(Function):
    """`e ** array`."""

    __slots__ = ("result",)

    def forward(self, array: Array) -> Array:
        """Return the exponential."""
        self.result = np.asarray(np.exp(array))
        return self.result

    def backward(self, gradient: Array) -> tuple[Array]:
        """The exponential is its own derivative."""
        return (gradient * self.result,)


class Logarithm(Function):
    """The natural logarithm: -inf at 0, NaN below."""

    __slots__ = ("array",)

    def forward(self, array: Array) -> Array:
        """Return the logarithm."""
        self.array = array
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.log(array))

    def backward(self, gradient: Array) -> tuple[Array]:
        """d log(a) = da / a, infinite at 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return (gradient / self.array,)


class MatMul(Function):
    """`left @ right` with numpy's rules: vectors, matrices, and stacks of matrices that broadcast."""

    __slots__ = ("left", "right")

    def forward(self, left: Array, right: Array) -> Array:
        """Return the matrix product."""
        self.left, self.right = left, right
        return np.asarray(left @ right)

    def backward(self, gradient: Array) -> tuple[Array | None, Array | None]:
        """dL = G R^T and dR = L^T G, each only if somebody asks for it."""
        left = np.atleast_2d(self.left)
        right = self.right[:, np.newaxis] if self.right.ndim == 1 else self.right
        if self.right.ndim == 1:
            gradient = gradient[..., np.newaxis]
        if self.left.ndim == 1:
            gradient = gradient[..., np.newaxis, :]
        left_share = right_share = None
        if self.needs_gradient(0):
            left_share = unbroadcast(gradient @ right.swapaxes(-1, -2), left.shape).reshape(self.left.shape)
        if self.needs_gradient(1):
            right_share = unbroadcast(left.swapaxes(-1, -2) @ gradient, right.shape).reshape(self.right.shape)
        return left_share, right_share


class Sum(Function):
    """The sum over `axis` (all axes when None)."""

    __slots__ = ("axis", "keepdims", "shape")

    def __init__(self, tensor: Any, axis: Axis = None, keepdims: bool = False) -> None:
        super().__init__(tensor)
        self.axis, self.keepdims = axis, keepdims

    def forward(self, array: Array) -> Array:
        """Return the sums."""
        self.shape = array.shape
        return np.asarray(np.sum(array, axis=self.axis, keepdims=self.keepdims))

    def backward(self, gradient: Array) -> tuple[Array]:
        """Every term receives the gradient of its sum."""
        return (_spread(gradient, self.shape, self.axis, self.keepdims),)


class Mean(Function):
    """The mean over `axis` (all axes when None); the mean of no numbers is NaN."""

    __slots__ = ("axis", "count", "keepdims", "shape")

    def __init__(self, tensor: Any, axis: Axis = None, keepdims: bool = False) -> None:
        super().__init__(tensor)
        self.axis, self.keepdims = axis, keepdims

    def forward(self, array: Array) -> Array:
        """Return the means."""
        total = np.asarray(np.sum(array, axis=self.axis, keepdims=self.keepdims))
        self.shape = array.shape
        self.count = _reduced_count(array.shape, self.axis)
        return np.asarray(total / self.count) if self.count else np.full_like(total, np.nan)

    def backward(self, gradient: Array) -> tuple[Array]:
        """Every term receives its part, 1 / count, of the gradient."""
        spread = _spread(gradient, self.shape, self.axis, self.keepdims)
        return (spread / self.count if self.count else spread.copy(),)


class Max(Function):
    """The largest value over `axis` (all axes when None)."""

    __slots__ = ("array", "axis", "keepdims", "largest")

    def __init__(self, tensor: Any, axis: Axis = None, keepdims: bool = False) -> None:
        super().__init__(tensor)
        self.axis, self.keepdims = axis, keepdims

    def forward(self, array: Array) -> Array:
        """Return the largest values."""
        self.array = array
        self.largest = np.asarray(np.maximum.reduce(array, axis=self.axis, keepdims=True))
        return self.largest if self.keepdims else np.asarray(np.squeeze(self.largest, axis=self.axis))

    def backward(self, gradient: Array) -> tuple[Array]:
        """The largest values receive the gradient; those that tie share it evenly. (NaN equals nothing: no share.)"""
        winners = self.array == self.largest
        ties = np.maximum(np.add.reduce(winners, axis=self.axis, keepdims=True, dtype=gradient.dtype), 1)
        return (_spread(gradient, self.array.shape, self.axis, self.keepdims) * winners / ties,)


class Reshape(Function):
    """The same elements in another shape."""

    __slots__ = ("old", "shape")

    def __init__(self, tensor: Any, shape: tuple[int, ...]) -> None:
        super().__init__(tensor)
        self.shape = shape

    def forward(self, array: Array) -> Array:
        """Return the array in the new shape."""
        self.old = array.shape
        return array.reshape(self.shape)

    def backward(self, gradient: Array) -> tuple[Array]:
        """Put the gradient back into the old shape."""
        return (gradient.reshape(self.old),)


class Transpose(Function):
    """Two axes exchanged."""

    __slots__ = ("first", "second")

    def __init__(self, tensor: Any, first: int, second: int) -> None:
        super().__init__(tensor)
        self.first, self.second = first, second

    def forward(self, array: Array) -> Array:
        """Return the array with the two axes exchanged."""
        return array.swapaxes(self.first, self.second)

    def backward(self, gradient: Array) -> tuple[Array]:
        """Exchange them again."""
        return (gradient.swapaxes(self.first, self.second),)


class Select(Function):
    """`array[index]` with any index numpy takes."""

    __slots__ = ("index", "shape")

    def __init__(self, tensor: Any, index: Any) -> None:
        super().__init__(tensor)
        self.index = index

    def forward(self, array: Array) -> Array:
        """Return the selected elements."""
        self.shape = array.shape
        return np.asarray(array[self.index])

    def backward(self, gradient: Array) -> tuple[Array]:
        """Add each element's gradient where it came from, once for every time it was selected."""
        total = np.zeros(self.shape, dtype=gradient.dtype)
        np.add.at(total, self.index, gradient)
        return (total,)


def _reduced_count(shape: tuple[int, ...], axis: Axis) -> int:
    """Count the elements that a reduction over `axis` puts into one."""
    axes = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    return int(np.prod([shape[i] for i in axes], dtype=np.int64))


def _spread(gradient: Array, shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Array:
    """Repeat the gradient of a reduction over the axes that were reduced (a read-only view)."""
    if axis is not None and not keepdims:
        gradient = np.expand_dims(gradient, axis)
    return np.broadcast_to(gradient, shape)


# The names under which TinyTorch's exercises meet these functions.
AddBackward = Add
MulBackward = Mul
MatmulBackward = MatMul
