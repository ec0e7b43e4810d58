"""The Tensor: what it holds, what it refuses, and how it mixes with numpy and numbers."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tinytorch.core.tensor import Tensor


@pytest.mark.parametrize(
    "data",
    [
        1,
        2.5,
        [1, 2],
        [[True, False]],
        np.arange(3),
        np.float64(3.0),
        Tensor([1.0, 2.0]),
        [Tensor([1.0]), Tensor([2.0])],
        [],
    ],
)
def test_whatever_numbers_come_in_float32_is_held(data):
    tensor = Tensor(data)
    assert type(tensor.data) is np.ndarray
    assert tensor.dtype == np.float32
    assert tensor.shape == np.shape(data)
    assert tensor.grad is None


@pytest.mark.parametrize("data", [[[1.0, 2.0], [3.0]], "one", ["1", "2"], None, [None], 1 + 2j, {}, object()])
def test_what_is_no_rectangle_of_real_numbers_is_refused(data):
    with pytest.raises(ValueError, match="data must"):
        Tensor(data)


def test_nan_infinity_and_numbers_beyond_float32_are_allowed():
    np.testing.assert_array_equal(Tensor([np.nan, -np.inf, 1e300]).data, [np.nan, -np.inf, np.inf])


def test_a_tensor_owns_its_memory():
    array = np.zeros(3, dtype=np.float32)
    tensor, copy = Tensor(array), Tensor(Tensor(array))
    array[:] = 7.0
    assert tensor.data.sum() == copy.data.sum() == 0.0


def test_shape_size_and_dtype_follow_assigned_data():
    tensor = Tensor([1.0, 2.0])
    array = np.arange(6.0).reshape(2, 3)
    tensor.data = array
    assert (tensor.shape, tensor.size, tensor.ndim, len(tensor)) == ((2, 3), 6, 2, 2)
    assert tensor.dtype == np.float32
    array[:] = -1.0
    assert tensor.data[1, 2] == 5.0, "assigned data is copied"
    with pytest.raises(ValueError, match="ragged"):
        tensor.data = [[1.0], [2.0, 3.0]]
    assert tensor.shape == (2, 3), "a refused assignment changes nothing"


@pytest.mark.parametrize("other", [2, 2.0, np.float64(2.0), np.array([2.0, 4.0]), [2.0, 4.0], Tensor([2.0, 4.0])])
def test_operators_take_numbers_and_arrays_on_either_side(other):
    x, value = Tensor([1.0, 8.0]), np.asarray(other, dtype=np.float32)
    pairs = [
        (x + other, x.data + value),
        (other + x, value + x.data),
        (x - other, x.data - value),
        (other - x, value - x.data),
        (x * other, x.data * value),
        (other * x, value * x.data),
        (x / other, x.data / value),
        (other / x, value / x.data),
    ]
    for ours, expected in pairs:
        assert isinstance(ours, Tensor)
        assert ours.dtype == np.float32
        np.testing.assert_array_equal(ours.data, expected)


def test_an_array_times_a_tensor_as_matrices_is_a_tensor():
    product = np.eye(2) @ Tensor([[1.0], [2.0]])
    assert isinstance(product, Tensor)
    np.testing.assert_array_equal(product.data, [[1.0], [2.0]])


def test_a_numpy_exponent_does_not_widen_the_result():
    assert (Tensor([2.0]) ** np.float64(2.0)).dtype == np.float32
    with pytest.raises(ValueError, match="exponent must be a number"):
        Tensor([2.0]) ** "2"


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_the_slope_of_the_power_0_is_0_even_at_0(value):
    x = Tensor([value], requires_grad=True)
    (x**0).backward()
    np.testing.assert_array_equal(x.grad, [0.0])


def test_a_matmul_mismatch_names_the_inner_dimensions():
    with pytest.raises(ValueError, match="Inner dimensions must match") as caught:
        Tensor(np.ones((2, 2))) @ Tensor(np.ones((3, 1)))
    assert "2 ≠ 3" in str(caught.value)
    with pytest.raises(ValueError, match="Inner dimensions must match: 2 ≠ 3"):
        Tensor(np.ones((4, 2))) @ Tensor(np.ones(3))
    with pytest.raises(ValueError, match="at least 1 axis"):
        Tensor(2.0) @ Tensor([1.0])


def test_a_reshape_mismatch_names_the_total_elements():
    with pytest.raises(ValueError, match="Total elements must match") as caught:
        Tensor(np.ones(6)).reshape(2, 2)
    assert "6 ≠ 4" in str(caught.value)


@pytest.mark.parametrize("shape", [((3, 2),), (3, 2), (3, -1), (-1, 2), ([3, 2],)])
def test_reshape_takes_lengths_or_one_tuple_and_fills_in_one_length(shape):
    assert Tensor(np.ones((2, 3))).reshape(*shape).shape == (3, 2)


@pytest.mark.parametrize("shape", [(-1, -1), (-2, -3), (4, -1), (0, -1)])
def test_reshape_refuses_lengths_that_cannot_be(shape):
    with pytest.raises(ValueError, match=r"must"):
        Tensor(np.ones((2, 3))).reshape(*shape)


def test_transpose_exchanges_the_last_two_axes_unless_told_otherwise():
    x = Tensor(np.ones((2, 3, 4)))
    assert x.transpose().shape == x.T.shape == (2, 4, 3)
    assert x.transpose(0, 2).shape == (4, 3, 2)
    assert Tensor([1.0, 2.0]).T.shape == (2,)
    assert Tensor(1.0).T.shape == ()
    with pytest.raises(ValueError, match="both be given or neither"):
        x.transpose(0)
    with pytest.raises(ValueError, match="axis"):
        x.transpose(0, 5)


def test_items_are_tensors_that_pass_gradients_back():
    x = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    picked = x[Tensor([0, 1, 1]), 2]
    np.testing.assert_array_equal(picked.data, [2.0, 5.0, 5.0])
    (picked.sum() + x[0].sum()).backward()
    np.testing.assert_array_equal(x.grad, [[1.0, 1.0, 2.0], [0.0, 0.0, 2.0]])
    with pytest.raises(IndexError):
        x[2]
    assert [row.shape for row in x] == [(3,), (3,)]


def test_item_gives_the_only_number_and_refuses_more():
    assert Tensor([[2.5]]).item() == 2.5
    assert float(np.asarray(Tensor(2.5))) == 2.5
    with pytest.raises(ValueError, match="exactly 1 element to become a number, got 2"):
        Tensor([1.0, 2.0]).item()


def test_backward_on_a_leaf_without_gradients_says_so():
    x = Tensor([1.0])
    with pytest.raises(ValueError, match="does not require gradients"):
        x.backward()
    assert x.grad is None


@pytest.mark.parametrize("gradient", [None, 1.0, [1.0], np.ones((3, 2)), Tensor([[1.0, 1.0]])])
def test_backward_wants_a_gradient_of_the_outputs_shape(gradient):
    x = Tensor([2.0, 3.0], requires_grad=True)
    y = x * 2.0
    with pytest.raises(ValueError, match="gradient must"):
        y.backward(gradient)
    assert x.grad is None
    assert y.grad is None
    y.backward(Tensor([3.0, 4.0]))
    np.testing.assert_array_equal(x.grad, [6.0, 8.0])


def test_backward_on_a_leaf_adds_to_its_own_gradient():
    x = Tensor(3.0, requires_grad=True)
    x.backward()
    x.backward(2.0)
    assert x.grad == 3.0
    x.zero_grad()
    assert x.grad is None


def test_tanh_mean_and_max_pass_gradients_and_sum_over_an_axis_goes_back():
    """The original dropped the first three and crashed on the fourth."""
    x = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    for reduced in (x.mean(axis=0), x.max(axis=1), x.sum(axis=1)):
        x.zero_grad()
        reduced.sum().backward()
        assert x.grad is not None
        assert np.any(x.grad != 0.0)


def test_tensors_without_rows_pass_through_everything():
    x = Tensor(np.zeros((0, 3)), requires_grad=True)
    y = (x @ Tensor(np.ones((3, 2)))).exp() * 2.0 + 1.0
    assert y.shape == (0, 2)
    total = y.sum() + x[:, 0].sum()
    total.backward()
    assert total.item() == 0.0
    assert x.grad.shape == (0, 3)
    assert np.isnan(x.mean().item())
    with pytest.raises(ValueError, match="zero-size"):
        x.max()


def test_a_tensor_shows_its_numbers_its_shape_and_whether_it_wants_gradients():
    x = Tensor([1.0, 2.0], requires_grad=True)
    assert repr(x) == "Tensor(data=[1. 2.], shape=(2,), requires_grad=True)"
    assert str(x) == "Tensor([1. 2.])"
    assert x.memory_footprint() == 8
    assert not x.detach().requires_grad
    with pytest.raises(TypeError, match="without axes"):
        len(Tensor(1.0))


@pytest.mark.parametrize("first", ["tensor", "autograd", "activations", "layers", "losses", "optimizers", "training"])
def test_each_module_can_be_imported_first(first):
    """Guards against an import cycle between tensor and autograd."""
    script = f"import tinytorch.core.{first}"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
