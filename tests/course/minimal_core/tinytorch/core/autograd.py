"""Backward rules, module 06. As in TinyTorch, nothing is recorded before `enable_autograd` has been called."""

from __future__ import annotations

import numpy as np

from tinytorch.core.tensor import Tensor

recording = False


def enable_autograd(quiet=False):
    global recording
    if not quiet:
        print("Autograd is on.")
    recording = True


class Function:
    def __init__(self, *tensors):
        self.saved_tensors = tensors

    def apply(self, grad_output):
        raise NotImplementedError

    @classmethod
    def make(cls, data, *tensors):
        result = Tensor(data, requires_grad=recording and any(tensor.requires_grad for tensor in tensors))
        if result.requires_grad:
            result._made_by = cls(*tensors)
        return result


def fold(gradient, shape):
    """Sum a gradient over the axes along which an operand was repeated."""
    while gradient.ndim > len(shape):
        gradient = gradient.sum(axis=0)
    for axis, length in enumerate(shape):
        if length == 1:
            gradient = gradient.sum(axis=axis, keepdims=True)
    return gradient


class AddBackward(Function):
    def apply(self, grad_output):
        return [fold(grad_output, tensor.shape) for tensor in self.saved_tensors]


class MulBackward(Function):
    def apply(self, grad_output):
        a, b = self.saved_tensors
        return [fold(grad_output * b.data, a.shape), fold(grad_output * a.data, b.shape)]


class MatmulBackward(Function):
    def apply(self, grad_output):
        a, b = self.saved_tensors
        return [grad_output @ b.data.T, a.data.T @ grad_output]


class SumBackward(Function):
    def apply(self, grad_output):
        (a,) = self.saved_tensors
        return [np.ones_like(a.data) * grad_output]


class ReLUBackward(Function):
    def apply(self, grad_output):
        (a,) = self.saved_tensors
        return [grad_output * (a.data > 0)]
