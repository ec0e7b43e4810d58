"""Ground floor, the Tensor: a float32 array that remembers how it was computed. Rests on `autograd` alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tinytorch.core.autograd import (
    FLOAT32,
    Add,
    Array,
    Axis,
    Divide,
    Exponential,
    Function,
    Logarithm,
    MatMul,
    Max,
    Mean,
    Mul,
    Negate,
    Power,
    Reshape,
    Select,
    Subtract,
    Sum,
    Transpose,
    backpropagate,
    recording,
)

__all__ = ["Tensor", "record"]

ONE = np.ones((), FLOAT32)


class Tensor:
    """An array of float32 numbers with a gradient.

    Operations on tensors that require gradients are recorded; `backward` on the result then fills `.grad` of every
    tensor that took part. NaN and infinity are allowed: training may diverge, and whoever trains must see it.

    Parameters
    ----------
    data : array_like or Tensor
        Numbers of any shape. They are copied and stored as float32.
    requires_grad : bool
        Whether gradients are collected in `.grad`.

    Raises
    ------
    ValueError
        If `data` is ragged or holds anything but real numbers.

    Examples
    --------
    >>> x = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    array([[2., 4.],
           [6., 8.]], dtype=float32)
    """

    __slots__ = ("__weakref__", "_data", "grad", "grad_fn", "requires_grad")

    # Makes `ndarray + Tensor` call Tensor.__radd__ instead of numpy's own addition.
    __array_priority__ = 1000.0

    def __init__(self, data: Any, requires_grad: bool = False) -> None:
        self._data = _to_float32(data)
        self.requires_grad = requires_grad
        self.grad: Array | None = None
        self.grad_fn: Function | None = None

    @classmethod
    def from_array(cls, array: Array) -> Tensor:
        """Wrap a float32 array without copying it.

        Examples
        --------
        >>> array = np.zeros(3, dtype=np.float32)
        >>> Tensor.from_array(array).data is array
        True
        """
        tensor = cls.__new__(cls)
        tensor._data = array
        tensor.requires_grad = False
        tensor.grad = None
        tensor.grad_fn = None
        return tensor

    @property
    def data(self) -> Array:
        """The float32 array itself; assigning to it copies, and may change the shape."""
        return self._data

    @data.setter
    def data(self, value: Any) -> None:
        self._data = _to_float32(value)

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self._data.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._data.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._data.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements, always float32."""
        return self._data.dtype

    @property
    def T(self) -> Tensor:
        """The tensor with its last two axes exchanged."""
        return self.transpose()

    def numpy(self) -> Array:
        """Return the array."""
        return self._data

    def item(self) -> float:
        """Return the only element as a Python float.

        Raises
        ------
        ValueError
            If there is not exactly one element.
        """
        if self._data.size != 1:
            raise ValueError(f"tensor must have exactly 1 element to become a number, got {self._data.size}.")
        return float(self._data.item())

    def detach(self) -> Tensor:
        """Return the same numbers cut off from the graph; the array is shared."""
        return Tensor.from_array(self._data)

    def memory_footprint(self) -> int:
        """Return the bytes that the elements take."""
        return self._data.nbytes

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        return np.array(self._data, dtype=dtype, copy=bool(copy)) if copy else np.asarray(self._data, dtype=dtype)

    def __len__(self) -> int:
        if self._data.ndim == 0:
            raise TypeError("len() of a tensor without axes")
        return len(self._data)

    def __repr__(self) -> str:
        gradient = ", requires_grad=True" if self.requires_grad else ""
        return f"Tensor(data={self._data}, shape={self.shape}{gradient})"

    def __str__(self) -> str:
        return f"Tensor({self._data})"

    def __add__(self, other: Any) -> Tensor:
        return record(Add(self, _as_tensor(other)))

    def __radd__(self, other: Any) -> Tensor:
        return record(Add(_as_tensor(other), self))

    def __sub__(self, other: Any) -> Tensor:
        return record(Subtract(self, _as_tensor(other)))

    def __rsub__(self, other: Any) -> Tensor:
        return record(Subtract(_as_tensor(other), self))

    def __mul__(self, other: Any) -> Tensor:
        return record(Mul(self, _as_tensor(other)))

    def __rmul__(self, other: Any) -> Tensor:
        return record(Mul(_as_tensor(other), self))

    def __truediv__(self, other: Any) -> Tensor:
        return record(Divide(self, _as_tensor(other)))

    def __rtruediv__(self, other: Any) -> Tensor:
        return record(Divide(_as_tensor(other), self))

    def __neg__(self) -> Tensor:
        return record(Negate(self))

    def __pow__(self, exponent: float) -> Tensor:
        if not isinstance(exponent, (int, float, np.number)):
            raise ValueError(f"exponent must be a number, got {type(exponent).__name__}.")
        return record(Power(self, exponent))

    def __matmul__(self, other: Any) -> Tensor:
        return self.matmul(other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return _as_tensor(other).matmul(self)

    def __getitem__(self, index: Any) -> Tensor:
        return record(Select(self, _as_index(index)))

    def matmul(self, other: Any) -> Tensor:
        """Return the matrix product `self @ other`.

        Raises
        ------
        ValueError
            If either side has no axes, or the inner dimensions differ.

        Examples
        --------
        >>> Tensor([[1.0, 2.0]]).matmul(Tensor([[1.0], [1.0], [1.0]]))
        Traceback (most recent call last):
        ...
        ValueError: Cannot multiply (1, 2) @ (3, 1). Inner dimensions must match: 2 ≠ 3.
        """
        other = _as_tensor(other)
        _check_inner(self.shape, other.shape)
        return record(MatMul(self, other))

    def reshape(self, *shape: Any) -> Tensor:
        """Return the same elements in another shape; one length may be -1.

        Raises
        ------
        ValueError
            If the shapes hold different numbers of elements.

        Examples
        --------
        >>> Tensor([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).reshape(2, 2)
        Traceback (most recent call last):
        ...
        ValueError: Cannot reshape (6,) to (2, 2). Total elements must match: 6 ≠ 4.
        """
        wanted = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
        return record(Reshape(self, _resolve_shape(self.shape, wanted)))

    def transpose(self, dim0: int | None = None, dim1: int | None = None) -> Tensor:
        """Return the tensor with two axes exchanged, the last two if none are named; a vector stays as it is.

        Raises
        ------
        ValueError
            If only one axis is named, or one does not exist.
        """
        if (dim0 is None) != (dim1 is None):
            raise ValueError(f"dim0 and dim1 must both be given or neither, got {dim0!r} and {dim1!r}.")
        if dim0 is None or dim1 is None:
            dim0, dim1 = (0, 0) if self.ndim < 2 else (-2, -1)
            if self.ndim == 0:
                return record(Reshape(self, ()))
        return record(Transpose(self, dim0, dim1))

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Return the sum over `axis`, or over everything."""
        return record(Sum(self, axis, keepdims))

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Return the mean over `axis`, or over everything; NaN where there is nothing to average."""
        return record(Mean(self, axis, keepdims))

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Return the largest value over `axis`, or over everything."""
        return record(Max(self, axis, keepdims))

    def exp(self) -> Tensor:
        """Return e to the power of each element."""
        return record(Exponential(self))

    def log(self) -> Tensor:
        """Return the natural logarithm of each element."""
        return record(Logarithm(self))

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self.grad = None

    def backward(self, gradient: Any = None) -> None:
        """Add the gradient of this tensor to `.grad` of every tensor it was computed from.

        Parameters
        ----------
        gradient : array_like, optional
            The gradient that arrives here, in this tensor's shape. A tensor of one element needs none: it is 1.

        Raises
        ------
        ValueError
            If this tensor does not require gradients, or `gradient` is missing or of another shape.

        Examples
        --------
        >>> Tensor([1.0]).backward()
        Traceback (most recent call last):
        ...
        ValueError: backward() was called on a tensor that does not require gradients: requires_grad is False.
        """
        if not self.requires_grad:
            raise ValueError(
                "backward() was called on a tensor that does not require gradients: requires_grad is False."
            )
        backpropagate(self, self._check_gradient(gradient))

    def _check_gradient(self, gradient: Any) -> Array:
        """Return the gradient to start from, in this tensor's shape."""
        if gradient is None:
            if self._data.size != 1:
                raise ValueError(f"gradient must be given unless there is 1 element, got shape {self.shape}.")
            return ONE.copy() if self._data.ndim == 0 else np.ones(self.shape, FLOAT32)
        start = _to_float32(gradient)
        if start.shape != self.shape:
            raise ValueError(f"gradient must have the shape {self.shape}, got shape {start.shape}.")
        return start


def record(function: Function) -> Tensor:
    """Run `function` on its tensors and remember it in the result if any of them requires gradients.

    Raises
    ------
    ValueError
        If one of its inputs is no tensor.

    Examples
    --------
    >>> record(Negate(Tensor([1.0, -2.0])))
    Tensor(data=[-1.  2.], shape=(2,))
    """
    inputs = function.saved_tensors
    try:
        arrays = [tensor._data for tensor in inputs]
    except AttributeError as error:
        raise ValueError(f"x must be a Tensor, got {_name_stranger(inputs)}: wrap it in Tensor(...).") from error
    array = function.forward(*arrays)
    output = Tensor.from_array(array if array.dtype == FLOAT32 else array.astype(FLOAT32))
    if recording.get():
        for tensor in inputs:
            if tensor.requires_grad:
                output.requires_grad = True
                output.grad_fn = function
                break
    return output


def _name_stranger(inputs: tuple[Any, ...]) -> str:
    """Return the type of the first input that is no tensor."""
    return next(type(tensor).__name__ for tensor in inputs if not isinstance(tensor, Tensor))


def _to_float32(data: Any) -> Array:
    """Return a float32 copy of `data`, or say what is wrong with it."""
    if isinstance(data, Tensor):
        return data._data.copy()
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise ValueError(f"data must be a rectangular array of numbers, got a ragged sequence ({error}).") from error
    if array.dtype.kind not in "biuf":
        raise ValueError(f"data must hold real numbers, got an array of type {array.dtype}.")
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite, and is seen as such
        return np.array(array, dtype=np.float32)


def _as_tensor(value: Any) -> Tensor:
    """Return `value` if it is a tensor, else a constant tensor of it."""
    return value if isinstance(value, Tensor) else Tensor(value)


def _as_index(index: Any) -> Any:
    """Return `index` with every tensor in it replaced by whole numbers, as numpy wants them."""
    if isinstance(index, tuple):
        return tuple(_as_index(part) for part in index)
    return index._data.astype(np.intp) if isinstance(index, Tensor) else index


def _check_inner(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    """Check that two shapes can be multiplied as matrices."""
    if not left or not right:
        raise ValueError(f"Cannot multiply {left} @ {right}. Both sides must have at least 1 axis.")
    inner = right[-2] if len(right) > 1 else right[0]
    if left[-1] != inner:
        raise ValueError(f"Cannot multiply {left} @ {right}. Inner dimensions must match: {left[-1]} ≠ {inner}.")


def _resolve_shape(old: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, ...]:
    """Return `wanted` with its -1 filled in, or say why the elements do not fit."""
    known = [length for length in wanted if length != -1]
    if len(wanted) - len(known) > 1 or min(known, default=0) < 0:
        raise ValueError(f"shape must hold lengths >= 0 and at most one -1, got {wanted}.")
    size = math.prod(old)
    rest = size // max(math.prod(known), 1)
    filled = tuple(rest if length == -1 else length for length in wanted)
    if math.prod(filled) != size:
        raise ValueError(f"Cannot reshape {old} to {wanted}. Total elements must match: {size} ≠ {math.prod(filled)}.")
    return filled
