"""The training loop, module 08: `train_epoch` and `evaluate`, and no `fit`."""

from __future__ import annotations

import numpy as np


class Trainer:
    def __init__(self, model, optimizer, loss_fn, scheduler=None, grad_clip_norm=None):
        self.model, self.optimizer, self.loss_fn = model, optimizer, loss_fn

    def train_epoch(self, dataloader, accumulation_steps=1):
        losses = []
        for inputs, targets in dataloader:
            loss = self.loss_fn.forward(self.model.forward(inputs), targets)
            loss.backward()
            self.optimizer.step()
            self.optimizer.zero_grad()
            losses.append(loss.data)
        return np.mean(losses)

    def evaluate(self, dataloader):
        total = right = rows = 0
        for inputs, targets in dataloader:
            outputs = self.model.forward(inputs)
            total += float(self.loss_fn.forward(outputs, targets).data) * len(targets.data)
            right += int((outputs.data.argmax(axis=1) == targets.data).sum())
            rows += len(targets.data)
        return total / rows, right / rows
