"""Ask torch what `tinytorch.core` is tested against, and store its answers in torch_answers.npz beside this file.

Run with `python tests/core/make_torch_answers.py` where torch is installed (the `bench` extra). The file holds the
inputs as well, so the tests need no torch; one of them runs `make` again where torch is there.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

PATH = Path(__file__).with_name("torch_answers.npz")
N_STEPS = 50
NETWORK = (6, 16, 3)
N_SAMPLES = 40
Inputs = list[tuple[int, ...]]

OPERATIONS: dict[str, tuple[Inputs, Callable[..., torch.Tensor]]] = {
    "add": ([(3, 4), (4,)], lambda a, b: a + b),
    "subtract": ([(2, 1, 3), (4, 1)], lambda a, b: a - b),
    "multiply": ([(3, 1), (1, 4)], lambda a, b: a * b),
    "divide": ([(3, 4), ()], lambda a, b: a / b),
    "power": ([(3, 4)], lambda a: a**3),
    "exp": ([(3, 4)], lambda a: a.exp()),
    "log_of_square": ([(3, 4)], lambda a: (a * a).log()),
    "matmul": ([(3, 4), (4, 5)], lambda a, b: a @ b),
    "matmul_stack": ([(2, 3, 4), (4, 5)], lambda a, b: a @ b),
    "matmul_vector": ([(2, 3, 4), (4,)], lambda a, b: a @ b),
    "sum": ([(3, 4)], lambda a: a.sum(dim=1)),
    "mean": ([(2, 3, 4)], lambda a: a.mean(dim=(0, 2), keepdim=True)),
    "max": ([(3, 4)], lambda a: a.amax(dim=0)),
    "reshape": ([(3, 4)], lambda a: a.reshape(2, 6)),
    "transpose": ([(2, 3, 4)], lambda a: a.transpose(0, 2)),
    "select": ([(5, 3)], lambda a: a[[0, 2, 2, 4]]),
    "relu": ([(3, 4)], functional.relu),
    "sigmoid": ([(3, 4)], torch.sigmoid),
    "tanh": ([(3, 4)], torch.tanh),
    "gelu": ([(3, 4)], lambda a: functional.gelu(a, approximate="tanh")),
    "softmax": ([(3, 4)], lambda a: functional.softmax(a, dim=0)),
    "log_softmax": ([(3, 4)], lambda a: functional.log_softmax(a, dim=-1)),
    "linear": ([(5, 4), (4, 3), (3,)], lambda x, w, b: functional.linear(x, w.T, b)),
    "mse": ([(5, 2), (5, 2)], functional.mse_loss),
    "cross_entropy": ([(4, 3)], lambda a: functional.cross_entropy(a, torch.tensor([2, 0, 1, 1]))),
    "binary_cross_entropy": (
        [(4, 2), (4, 2)],
        lambda a, b: functional.binary_cross_entropy(torch.sigmoid(a), torch.sigmoid(b)),
    ),
}

OPTIMIZERS: dict[str, Callable[[list[torch.Tensor]], torch.optim.Optimizer]] = {
    "sgd_momentum": lambda weights: torch.optim.SGD(weights, lr=0.05, momentum=0.9, weight_decay=0.01),
    "adam": lambda weights: torch.optim.Adam(weights, lr=0.01, weight_decay=0.01),
    "adamw": lambda weights: torch.optim.AdamW(weights, lr=0.01, betas=(0.8, 0.95), weight_decay=0.1),
}


def make() -> dict[str, np.ndarray]:
    """Return every question and torch's answer to it."""
    rng = np.random.default_rng(20)
    answers: dict[str, np.ndarray] = {}
    for name, (shapes, operation) in OPERATIONS.items():
        answers.update(ask_operation(name, [draw(rng, shape) for shape in shapes], operation, rng))
    features, labels = draw(rng, (N_SAMPLES, NETWORK[0])), rng.integers(0, NETWORK[-1], N_SAMPLES)
    wide, narrow = draw(rng, NETWORK[:2]) / 4.0, draw(rng, NETWORK[1:]) / 4.0
    start = [wide, np.zeros(NETWORK[1], np.float32), narrow, np.zeros(NETWORK[2], np.float32)]
    answers.update({"network/features": features, "network/labels": labels})
    answers.update({f"network/start.{i}": weight for i, weight in enumerate(start)})
    for name, build in OPTIMIZERS.items():
        answers.update(ask_optimizer(name, build, features, labels, start))
    return answers


def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return standard normal numbers, as float32."""
    return np.asarray(rng.standard_normal(shape), dtype=np.float32)


def ask_operation(
    name: str, inputs: list[np.ndarray], operation: Callable[..., torch.Tensor], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return the inputs of an operation, its output, a gradient for the output, and those of the inputs."""
    tensors = [torch.tensor(array, requires_grad=True) for array in inputs]
    output = operation(*tensors)
    upstream = draw(rng, tuple(output.shape))
    output.backward(torch.tensor(upstream))
    answers = {f"{name}/output": output.detach().numpy(), f"{name}/upstream": upstream}
    answers.update({f"{name}/input.{i}": array for i, array in enumerate(inputs)})
    answers.update({f"{name}/gradient.{i}": tensor.grad.numpy() for i, tensor in enumerate(tensors)})
    return answers


def ask_optimizer(
    name: str,
    build: Callable[[list[torch.Tensor]], torch.optim.Optimizer],
    features: np.ndarray,
    labels: np.ndarray,
    start: list[np.ndarray],
) -> dict[str, np.ndarray]:
    """Return the losses of the steps and the weights after the last."""
    weights = [torch.tensor(array, requires_grad=True) for array in start]
    optimizer = build(weights)
    x, y = torch.tensor(features), torch.tensor(labels)
    losses = []
    for _ in range(N_STEPS):
        optimizer.zero_grad()
        hidden = torch.tanh(x @ weights[0] + weights[1])
        loss = functional.cross_entropy(hidden @ weights[2] + weights[3], y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    answers = {f"{name}/losses": np.array(losses)}
    answers.update({f"{name}/weight.{i}": weight.detach().numpy() for i, weight in enumerate(weights)})
    return answers


if __name__ == "__main__":
    np.savez_compressed(PATH, **make())
