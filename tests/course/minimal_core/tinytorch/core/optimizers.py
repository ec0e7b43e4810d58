"""Optimizers, module 07: Adam with weight decay beside the gradient (AdamW), or without any (Adam)."""

from __future__ import annotations

import numpy as np


class AdamW:
    def __init__(self, params, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        self.params = list(params)
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        self.m_buffers = [np.zeros_like(parameter.data) for parameter in self.params]
        self.v_buffers = [np.zeros_like(parameter.data) for parameter in self.params]
        self.step_count = 0

    def step(self):
        self.step_count += 1
        first, second = self.betas
        for place, parameter in enumerate(self.params):
            if parameter.grad is None:
                continue
            gradient = parameter.grad
            self.m_buffers[place] = first * self.m_buffers[place] + (1 - first) * gradient
            self.v_buffers[place] = second * self.v_buffers[place] + (1 - second) * gradient**2
            mean = self.m_buffers[place] / (1 - first**self.step_count)
            square = self.v_buffers[place] / (1 - second**self.step_count)
            decayed = parameter.data * (1 - self.lr * self.weight_decay)
            parameter.data = decayed - self.lr * mean / (np.sqrt(square) + self.eps)

    def zero_grad(self):
        for parameter in self.params:
            parameter.zero_grad()


class Adam(AdamW):
    def __init__(self, params, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, lr, betas, eps, weight_decay=0.0)
