"""Torch as the oracle: forward, gradients, and fifty steps of each optimizer, recorded in torch_answers.npz."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from tinytorch.core import (
    GELU,
    SGD,
    Adam,
    AdamW,
    BinaryCrossEntropyLoss,
    CrossEntropyLoss,
    Linear,
    MSELoss,
    ReLU,
    Sequential,
    Sigmoid,
    Softmax,
    Tanh,
    Tensor,
    log_softmax,
)

HERE = Path(__file__).parent
# The tolerance the specification names; float32 carries seven digits.
TOLERANCE = 1e-5


def linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    layer = Linear(*weight.shape)
    layer.weight, layer.bias = weight, bias
    return layer(x)


OPERATIONS = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "power": lambda a: a**3,
    "exp": lambda a: a.exp(),
    "log_of_square": lambda a: (a * a).log(),
    "matmul": lambda a, b: a @ b,
    "matmul_stack": lambda a, b: a @ b,
    "matmul_vector": lambda a, b: a @ b,
    "sum": lambda a: a.sum(axis=1),
    "mean": lambda a: a.mean(axis=(0, 2), keepdims=True),
    "max": lambda a: a.max(axis=0),
    "reshape": lambda a: a.reshape(2, 6),
    "transpose": lambda a: a.transpose(0, 2),
    "select": lambda a: a[[0, 2, 2, 4]],
    "relu": ReLU(),
    "sigmoid": Sigmoid(),
    "tanh": Tanh(),
    "gelu": GELU(),
    "softmax": Softmax(dim=0),
    "log_softmax": log_softmax,
    "linear": linear,
    "mse": MSELoss(),
    "cross_entropy": lambda a: CrossEntropyLoss()(a, Tensor([2, 0, 1, 1])),
    "binary_cross_entropy": lambda a, b: BinaryCrossEntropyLoss()(Sigmoid()(a), Sigmoid()(b)),
}

OPTIMIZERS = {
    "sgd_momentum": lambda weights: SGD(weights, lr=0.05, momentum=0.9, weight_decay=0.01),
    "adam": lambda weights: Adam(weights, lr=0.01, weight_decay=0.01),
    "adamw": lambda weights: AdamW(weights, lr=0.01, betas=(0.8, 0.95), weight_decay=0.1),
}


@pytest.fixture(scope="module")
def answers() -> dict[str, np.ndarray]:
    with np.load(HERE / "torch_answers.npz", allow_pickle=False) as archive:
        return dict(archive)


def numbered(answers: dict[str, np.ndarray], prefix: str) -> list[np.ndarray]:
    count = sum(name.startswith(f"{prefix}.") for name in answers)
    return [answers[f"{prefix}.{i}"] for i in range(count)]


def test_every_recorded_question_is_asked(answers):
    assert {name.split("/")[0] for name in answers} == {*OPERATIONS, *OPTIMIZERS, "network"}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_and_its_gradients_agree_with_torch(name, answers):
    inputs = [Tensor(array, requires_grad=True) for array in numbered(answers, f"{name}/input")]
    output = OPERATIONS[name](*inputs)
    np.testing.assert_allclose(output.data, answers[f"{name}/output"], rtol=TOLERANCE, atol=TOLERANCE)
    output.backward(answers[f"{name}/upstream"])
    for tensor, expected in zip(inputs, numbered(answers, f"{name}/gradient"), strict=True):
        np.testing.assert_allclose(tensor.grad, expected, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_fifty_steps_of_an_optimizer_agree_with_torch(name, answers):
    start = numbered(answers, "network/start")
    model = Sequential(Linear(*start[0].shape), Tanh(), Linear(*start[2].shape))
    for parameter, array in zip(model.parameters(), start, strict=True):
        parameter.data = array
    optimizer, loss_function = OPTIMIZERS[name](model.parameters()), CrossEntropyLoss()
    features, labels = Tensor(answers["network/features"]), Tensor(answers["network/labels"])
    losses = []
    for _ in range(len(answers[f"{name}/losses"])):
        optimizer.zero_grad()
        loss = loss_function(model(features), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert len(losses) == 50
    np.testing.assert_allclose(losses, answers[f"{name}/losses"], rtol=TOLERANCE, atol=TOLERANCE)
    for parameter, expected in zip(model.parameters(), numbered(answers, f"{name}/weight"), strict=True):
        np.testing.assert_allclose(parameter.data, expected, rtol=TOLERANCE, atol=TOLERANCE)


def test_the_torch_installed_here_gives_the_recorded_answers(answers):
    pytest.importorskip("torch", reason="torch, of the bench extra, is not installed")
    spec = importlib.util.spec_from_file_location("make_torch_answers", HERE / "make_torch_answers.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    made = script.make()
    assert set(made) == set(answers)
    for name, array in made.items():
        np.testing.assert_allclose(array, answers[name], rtol=TOLERANCE, atol=TOLERANCE, err_msg=name)
