"""TinyTorch's Tensor, module 01, with gradients recorded by the operations of `autograd`, module 06."""

from __future__ import annotations

import numpy as np


class Tensor:
    def __init__(self, data, requires_grad=False):
        self.data = np.array(data, dtype=np.float32)
        self.requires_grad = requires_grad
        self.grad = None
        self._made_by = None

    @property
    def shape(self):
        return self.data.shape

    @property
    def size(self):
        return self.data.size

    @property
    def dtype(self):
        return self.data.dtype

    def __repr__(self):
        return f"Tensor({self.data}, shape={self.shape})"

    def numpy(self):
        return self.data

    def __add__(self, other):
        from tinytorch.core.autograd import AddBackward

        other = other if isinstance(other, Tensor) else Tensor(other)
        return AddBackward.make(self.data + other.data, self, other)

    def __mul__(self, other):
        from tinytorch.core.autograd import MulBackward

        other = other if isinstance(other, Tensor) else Tensor(other)
        return MulBackward.make(self.data * other.data, self, other)

    def __sub__(self, other):
        return self + (other if isinstance(other, Tensor) else Tensor(other)) * -1.0

    def matmul(self, other):
        from tinytorch.core.autograd import MatmulBackward

        return MatmulBackward.make(self.data @ other.data, self, other)

    def __matmul__(self, other):
        return self.matmul(other)

    def sum(self):
        from tinytorch.core.autograd import SumBackward

        return SumBackward.make(self.data.sum(), self)

    def __getitem__(self, key):
        return Tensor(self.data[key])

    def zero_grad(self):
        self.grad = None

    def backward(self, gradient=None):
        gradient = np.ones(self.shape, dtype=np.float32) if gradient is None else np.asarray(gradient)
        if not self.requires_grad:
            return
        self.grad = gradient if self.grad is None else self.grad + gradient
        if self._made_by is not None:
            for tensor, share in zip(self._made_by.saved_tensors, self._made_by.apply(gradient), strict=True):
                if tensor.requires_grad:
                    tensor.backward(share)
