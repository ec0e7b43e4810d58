"""Layers, module 03. `Linear` draws its weights by itself, and leaves it to others to ask for their gradients."""

from __future__ import annotations

import numpy as np

from tinytorch.core.activations import ReLU
from tinytorch.core.tensor import Tensor

__all__ = ["Layer", "Linear", "ReLU", "Sequential"]


class Layer:
    def forward(self, x):
        raise NotImplementedError

    def __call__(self, x):
        return self.forward(x)

    def parameters(self):
        return []


class Linear(Layer):
    def __init__(self, in_features, out_features, bias=True):
        spread = np.sqrt(1.0 / in_features)
        weights = np.random.default_rng().normal(size=(in_features, out_features)) * spread
        self.weight = Tensor(weights)
        self.bias = Tensor(np.zeros(out_features)) if bias else None

    def forward(self, x):
        output = x.matmul(self.weight)
        return output if self.bias is None else output + self.bias

    def parameters(self):
        return [self.weight] if self.bias is None else [self.weight, self.bias]


class Sequential:
    def __init__(self, *layers):
        self.layers = list(layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def __call__(self, x):
        return self.forward(x)

    def parameters(self):
        return [parameter for layer in self.layers for parameter in layer.parameters()]
