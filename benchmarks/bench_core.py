"""One epoch of a 64-128-10 network on 1,437 digits: tinytorch.core against torch and against numpy by hand.

One thread for all three, which start from the same weights and see the batches in the same order. Ours is timed as
a user runs it: `Trainer.train_epoch` over a shuffling `DataLoader`. Run with `python benchmarks/bench_core.py`.
"""

# ruff: noqa: E402 - the number of threads is set before the imports that read it
from __future__ import annotations

import os

# Before numpy and torch are imported: they read these once.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import itertools
from collections.abc import Callable

import numpy as np
import torch
from sklearn.datasets import load_digits
from timing import Row, measure, parse_arguments, print_table, write_json

from tinytorch.core import SGD, CrossEntropyLoss, DataLoader, Linear, ReLU, Sequential, Tensor, TensorDataset, Trainer

N_ROWS = 1437  # four fifths of the 1,797 digits
WIDTHS = (64, 128, 10)
LEARNING_RATE = 0.1
GOALS = {32: "<= 1.6 floor, >= 2 x torch", 256: "<= 1.3 floor, > 1 x torch"}
# An epoch takes a few milliseconds: many rounds make a steady median on a shared machine.
ROUNDS_PER_REPETITION = 20
# float32 sums in three orders over one epoch of 45 steps.
LOSS_TOLERANCE = 1e-4

Epoch = Callable[[], float]


def main() -> None:
    """Check that all three learn the same, then time them in turn."""
    options = parse_arguments(__doc__ or "")
    torch.set_num_threads(1)
    digits = load_digits()
    features = (digits.data[:N_ROWS] / 16.0).astype(np.float32)
    labels = digits.target[:N_ROWS]
    rows = [time_batch_size(features, labels, size, options.repetitions) for size in GOALS]
    print_table(rows)
    if options.json is not None:
        write_json(rows, options.json)


def time_batch_size(features: np.ndarray, labels: np.ndarray, batch_size: int, repetitions: int) -> Row:
    """Return the table's line for one batch size."""
    builders = {"ours": build_ours, "floor": build_floor, "torch": build_torch}
    epochs = {name: build(features, labels, batch_size) for name, build in builders.items()}
    losses = {name: epoch() for name, epoch in epochs.items()}
    if max(losses.values()) - min(losses.values()) > LOSS_TOLERANCE:
        raise ValueError(f"all three must learn the same, got mean losses {losses}.")
    timings = measure(epochs, repetitions * ROUNDS_PER_REPETITION)
    return Row(
        work=f"epoch of {N_ROWS} digits, batch {batch_size}",
        ours=timings["ours"],
        floor_name="numpy by hand",
        floor=timings["floor"],
        peer_name="torch",
        peer=timings["torch"],
        goal=GOALS[batch_size],
    )


def build_ours(features: np.ndarray, labels: np.ndarray, batch_size: int) -> Epoch:
    """Return one epoch of the trainer."""
    linears = [Linear(WIDTHS[0], WIDTHS[1]), Linear(WIDTHS[1], WIDTHS[2])]
    for linear, (weight, bias) in zip(linears, first_weights(), strict=True):
        linear.load_state_dict({"weight": weight, "bias": bias})
    model = Sequential(linears[0], ReLU(), linears[1])
    trainer = Trainer(model, SGD(model.parameters(), lr=LEARNING_RATE), CrossEntropyLoss())
    data = TensorDataset(Tensor(features), Tensor(labels))
    loader = DataLoader(data, batch_size=batch_size, shuffle=True, rng=np.random.default_rng(1))
    return lambda: trainer.train_epoch(loader)


def build_floor(features: np.ndarray, labels: np.ndarray, batch_size: int) -> Epoch:
    """Return one epoch of the same network with its derivatives written out by hand."""
    (w1, b1), (w2, b2) = first_weights()
    rng = np.random.default_rng(1)

    def step(x: np.ndarray, y: np.ndarray) -> float:
        hidden = x @ w1
        hidden += b1
        np.maximum(hidden, 0.0, out=hidden)
        logits = hidden @ w2
        logits += b2
        logits -= logits.max(axis=1, keepdims=True)
        slope = np.exp(logits)
        totals = slope.sum(axis=1, keepdims=True)
        rows = np.arange(len(y))
        loss = float(np.log(totals).sum() - logits[rows, y].sum())
        slope /= totals
        slope[rows, y] -= 1.0
        slope /= len(y)
        hidden_slope = slope @ w2.T
        hidden_slope *= hidden > 0.0
        gradients = (x.T @ hidden_slope, hidden_slope.sum(axis=0), hidden.T @ slope, slope.sum(axis=0))
        for weights, gradient in zip((w1, b1, w2, b2), gradients, strict=True):
            gradient *= LEARNING_RATE
            weights -= gradient
        return loss

    def epoch() -> float:
        order = rng.permutation(len(features))
        parts = (order[start : start + batch_size] for start in range(0, len(order), batch_size))
        return sum(step(features.take(part, axis=0), labels.take(part)) for part in parts) / len(features)

    return epoch


def build_torch(features: np.ndarray, labels: np.ndarray, batch_size: int) -> Epoch:
    """Return one epoch of torch, batches gathered by index (its own DataLoader is several times slower)."""
    linears = [torch.nn.Linear(WIDTHS[0], WIDTHS[1]), torch.nn.Linear(WIDTHS[1], WIDTHS[2])]
    with torch.no_grad():
        for linear, (weight, bias) in zip(linears, first_weights(), strict=True):
            linear.weight.copy_(torch.from_numpy(weight.T))
            linear.bias.copy_(torch.from_numpy(bias))
    model = torch.nn.Sequential(linears[0], torch.nn.ReLU(), linears[1])
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
    loss_function = torch.nn.CrossEntropyLoss()
    x, y = torch.from_numpy(features), torch.from_numpy(labels)
    rng = np.random.default_rng(1)

    def epoch() -> float:
        order = torch.from_numpy(rng.permutation(len(features)))
        total = 0.0
        for part in order.split(batch_size):
            optimizer.zero_grad()
            loss = loss_function(model(x[part]), y[part])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(part)
        return total / len(features)

    return epoch


def first_weights() -> list[tuple[np.ndarray, np.ndarray]]:
    """Return new copies of the weights and biases that all three start from."""
    rng = np.random.default_rng(0)
    shapes = itertools.pairwise(WIDTHS)
    return [
        ((rng.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32), np.zeros(shape[1], dtype=np.float32))
        for shape in shapes
    ]


if __name__ == "__main__":
    main()
