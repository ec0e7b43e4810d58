"""Ground floor: the TinyTorch Tensor and what trains it, on numpy alone. One file per concept.

`autograd` holds the operations beside their derivatives, `tensor` the Tensor on top of them; then come
`activations`, `layers`, `losses`, `optimizers`, `dataloader` and `training`.
"""

from tinytorch.core.activations import GELU, ReLU, Sigmoid, Softmax, Tanh
from tinytorch.core.autograd import Function, enable_autograd, no_grad
from tinytorch.core.dataloader import (
    Compose,
    DataLoader,
    Dataset,
    RandomCrop,
    RandomHorizontalFlip,
    TensorDataset,
)
from tinytorch.core.layers import Dropout, Layer, Linear, Sequential
from tinytorch.core.losses import BinaryCrossEntropyLoss, CrossEntropyLoss, MSELoss, log_softmax
from tinytorch.core.optimizers import SGD, Adam, AdamW, Optimizer
from tinytorch.core.tensor import Tensor
from tinytorch.core.training import CosineSchedule, EpochReport, Trainer, clip_grad_norm

__all__ = [
    "GELU",
    "SGD",
    "Adam",
    "AdamW",
    "BinaryCrossEntropyLoss",
    "Compose",
    "CosineSchedule",
    "CrossEntropyLoss",
    "DataLoader",
    "Dataset",
    "Dropout",
    "EpochReport",
    "Function",
    "Layer",
    "Linear",
    "MSELoss",
    "Optimizer",
    "RandomCrop",
    "RandomHorizontalFlip",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "Tensor",
    "TensorDataset",
    "Trainer",
    "clip_grad_norm",
    "enable_autograd",
    "log_softmax",
    "no_grad",
]
