"""Activations at the ends of the float range, and the graph they hang in."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tinytorch.core.activations import GELU, TOLERANCE, ReLU, Sigmoid, Softmax, Tanh
from tinytorch.core.tensor import Tensor

LARGEST = float(np.finfo(np.float32).max)
ENDS = [-np.inf, -LARGEST, 0.0, LARGEST, np.inf]


@pytest.mark.parametrize(
    ("activation", "values", "slopes"),
    [
        (ReLU(), [0, 0, 0, LARGEST, np.inf], [0, 0, 0, 1, 1]),
        (Sigmoid(), [0, 0, 0.5, 1, 1], [0, 0, 0.25, 0, 0]),
        (Tanh(), [-1, -1, 0, 1, 1], [0, 0, 1, 0, 0]),
        (GELU(), [0, 0, 0, LARGEST, np.inf], [0, 0, 0.5, 1, 1]),
    ],
)
def test_values_and_slopes_are_right_at_the_ends_of_the_float_range(activation, values, slopes):
    x = Tensor(ENDS, requires_grad=True)
    output = activation(x)
    output.backward(np.ones(5))
    np.testing.assert_array_equal(output.data, np.asarray(values, dtype=np.float32))
    np.testing.assert_array_equal(x.grad, slopes)


@pytest.mark.parametrize("activation", [ReLU(), Sigmoid(), Tanh(), GELU(), Softmax()])
def test_nan_stays_visible_and_shapes_stay(activation):
    assert np.isnan(activation(Tensor([[np.nan, 1.0]])).data[0, 0])
    for shape in [(), (0, 3), (2, 3), (2, 1, 4)]:
        if shape or not isinstance(activation, Softmax):
            assert activation(Tensor(np.zeros(shape))).shape == shape
    assert activation.parameters() == []


def test_sigmoid_keeps_its_precision_far_below_zero():
    assert Sigmoid()(Tensor([-40.0])).item() == pytest.approx(math.exp(-40.0), rel=1e-6)


def test_softmax_sums_to_one_along_the_axis_asked_for_and_does_not_overflow():
    x = Tensor([[1000.0, 1001.0], [-1000.0, 0.0]])
    np.testing.assert_allclose(Softmax()(x).data.sum(axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(Softmax(dim=0)(x).data.sum(axis=0), 1.0, atol=1e-6)
    np.testing.assert_array_equal(Softmax().forward(x, dim=0).data, Softmax(0)(x).data)
    np.testing.assert_allclose(Softmax()(x).data[0], Softmax()(x - 1000.0).data[0], atol=TOLERANCE)


@pytest.mark.parametrize("activation", [ReLU(), Sigmoid(), Tanh(), GELU(), Softmax()])
def test_an_activation_asks_for_a_tensor(activation):
    with pytest.raises(ValueError, match=r"x must be a Tensor, got ndarray: wrap it in Tensor\("):
        activation(np.ones(3))
