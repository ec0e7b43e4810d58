"""Batches, module 05."""

from __future__ import annotations

import math
import random

import numpy as np

from tinytorch.core.tensor import Tensor


class TensorDataset:
    def __init__(self, *tensors):
        self.tensors = tensors

    def __len__(self):
        return len(self.tensors[0].data)

    def __getitem__(self, index):
        return tuple(Tensor(tensor.data[index]) for tensor in self.tensors)


class DataLoader:
    def __init__(self, dataset, batch_size, shuffle=False):
        self.dataset, self.batch_size, self.shuffle = dataset, batch_size, shuffle

    def __len__(self):
        return math.ceil(len(self.dataset) / self.batch_size)

    def __iter__(self):
        order = list(range(len(self.dataset)))
        if self.shuffle:
            random.shuffle(order)
        for start in range(0, len(order), self.batch_size):
            samples = [self.dataset[place] for place in order[start : start + self.batch_size]]
            yield tuple(Tensor(np.stack([part.data for part in parts])) for parts in zip(*samples, strict=True))
