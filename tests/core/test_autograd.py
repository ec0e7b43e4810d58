"""Every operation against differences of itself, and the walk back through the graph."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

import hypothesis.extra.numpy as npst
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinytorch.core.training  # noqa: F401 - defines every Function there is
from tinytorch.core import activations, autograd, layers, losses
from tinytorch.core.autograd import Function, enable_autograd, no_grad, unbroadcast
from tinytorch.core.tensor import Tensor, record

SHAPES = npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
FULL_SHAPES = npst.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3)
SEEDS = st.integers(0, 2**32 - 1)
Case = tuple[Function, list[np.ndarray]]


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.asarray(rng.standard_normal(shape))


def away_from_zero(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.asarray(rng.choice([-1.0, 1.0], shape) * rng.uniform(0.5, 2.0, shape))


def positive(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.asarray(rng.uniform(0.5, 2.0, shape))


def distinct(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    size = int(np.prod(shape))
    return rng.permutation(size).reshape(shape) / 10.0


def binary(kind: type[Function]) -> Callable[[st.DataObject, np.random.Generator], Case]:
    def draw(data: st.DataObject, rng: np.random.Generator) -> Case:
        pair = npst.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3)
        arrays = [away_from_zero(rng, shape) for shape in data.draw(pair).input_shapes]
        return kind(*arrays), arrays

    return draw


def unary(kind: type[Function], values: Callable = normal) -> Callable[[st.DataObject, np.random.Generator], Case]:
    def draw(data: st.DataObject, rng: np.random.Generator) -> Case:
        array = values(rng, data.draw(SHAPES))
        return kind(array), [array]

    return draw


def reduction(kind: type[Function], values: Callable) -> Callable[[st.DataObject, np.random.Generator], Case]:
    def draw(data: st.DataObject, rng: np.random.Generator) -> Case:
        shape = data.draw(FULL_SHAPES)
        one = st.integers(-len(shape), len(shape) - 1)
        axis = data.draw(st.none() | one | npst.valid_tuple_axes(len(shape), min_size=1))
        array = values(rng, shape)
        return kind(array, axis, data.draw(st.booleans())), [array]

    return draw


def along_axis(kind: type[Function]) -> Callable[[st.DataObject, np.random.Generator], Case]:
    def draw(data: st.DataObject, rng: np.random.Generator) -> Case:
        shape = data.draw(FULL_SHAPES)
        array = normal(rng, shape)
        return kind(array, data.draw(st.integers(-len(shape), len(shape) - 1))), [array]

    return draw


def power(data: st.DataObject, rng: np.random.Generator) -> Case:
    array = positive(rng, data.draw(SHAPES))
    return autograd.Power(array, data.draw(st.sampled_from([-2.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0]))), [array]


def matmul(data: st.DataObject, rng: np.random.Generator) -> Case:
    pair = npst.mutually_broadcastable_shapes(
        signature=np.matmul.signature, max_dims=2, min_side=0, max_side=3, base_shape=()
    )
    arrays = [normal(rng, shape) for shape in data.draw(pair).input_shapes]
    return autograd.MatMul(*arrays), arrays


def reshape(data: st.DataObject, rng: np.random.Generator) -> Case:
    shape = data.draw(FULL_SHAPES)
    array = normal(rng, shape)
    return autograd.Reshape(array, (array.size, 1)), [array]


def transpose(data: st.DataObject, rng: np.random.Generator) -> Case:
    shape = data.draw(FULL_SHAPES)
    axes = st.integers(-len(shape), len(shape) - 1)
    array = normal(rng, shape)
    return autograd.Transpose(array, data.draw(axes), data.draw(axes)), [array]


def select(data: st.DataObject, rng: np.random.Generator) -> Case:
    shape = data.draw(FULL_SHAPES)
    index = data.draw(npst.basic_indices(shape, allow_newaxis=True) | npst.integer_array_indices(shape))
    array = normal(rng, shape)
    return autograd.Select(array, index), [array]


def linear(data: st.DataObject, rng: np.random.Generator) -> Case:
    rows = data.draw(st.lists(st.integers(0, 3), max_size=2))
    wide, narrow = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    arrays = [normal(rng, (*rows, wide)), normal(rng, (wide, narrow)), normal(rng, (narrow,))]
    return layers.LinearFunction(*arrays), arrays


def fitted_pair(kind: type[Function], predictions: Callable, targets: Callable) -> Callable:
    def draw(data: st.DataObject, rng: np.random.Generator) -> Case:
        shape = data.draw(SHAPES)
        smaller = data.draw(st.sampled_from([shape, shape[1:]]))
        arrays = [predictions(rng, shape), targets(rng, smaller)]
        return kind(*arrays), arrays

    return draw


def cross_entropy(data: st.DataObject, rng: np.random.Generator) -> Case:
    n_samples, n_classes = data.draw(st.integers(0, 4)), data.draw(st.integers(1, 4))
    one_hot = np.arange(n_classes) == rng.integers(0, n_classes, n_samples)[:, np.newaxis]
    logits = normal(rng, (n_samples, n_classes))
    return losses.CrossEntropyFunction(logits, one_hot), [logits]


def probabilities(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.asarray(rng.uniform(0.1, 0.9, shape))


CASES: dict[type[Function], Callable[[st.DataObject, np.random.Generator], Case]] = {
    autograd.Add: binary(autograd.Add),
    autograd.Subtract: binary(autograd.Subtract),
    autograd.Mul: binary(autograd.Mul),
    autograd.Divide: binary(autograd.Divide),
    autograd.Power: power,
    autograd.Negate: unary(autograd.Negate),
    autograd.Exponential: unary(autograd.Exponential),
    autograd.Logarithm: unary(autograd.Logarithm, positive),
    autograd.MatMul: matmul,
    autograd.Sum: reduction(autograd.Sum, normal),
    autograd.Mean: reduction(autograd.Mean, normal),
    autograd.Max: reduction(autograd.Max, distinct),
    autograd.Reshape: reshape,
    autograd.Transpose: transpose,
    autograd.Select: select,
    activations.ReLUFunction: unary(activations.ReLUFunction, away_from_zero),
    activations.SigmoidFunction: unary(activations.SigmoidFunction),
    activations.TanhFunction: unary(activations.TanhFunction),
    activations.GELUFunction: unary(activations.GELUFunction),
    activations.SoftmaxFunction: along_axis(activations.SoftmaxFunction),
    layers.LinearFunction: linear,
    losses.LogSoftmaxFunction: along_axis(losses.LogSoftmaxFunction),
    losses.MSEFunction: fitted_pair(losses.MSEFunction, normal, normal),
    losses.CrossEntropyFunction: cross_entropy,
    losses.BinaryCrossEntropyFunction: fitted_pair(losses.BinaryCrossEntropyFunction, probabilities, probabilities),
}


def test_every_function_of_the_core_is_checked():
    ours = {kind for kind in Function.__subclasses__() if kind.__module__.startswith("tinytorch.")}
    assert ours == set(CASES)


@pytest.mark.parametrize("kind", CASES, ids=lambda kind: kind.__name__)
@settings(deadline=None, derandomize=True, max_examples=60)
@given(data=st.data(), seed=SEEDS)
def test_backward_is_the_derivative_of_forward(kind, check_derivative, data, seed):
    rng = np.random.default_rng(seed)
    function, arrays = CASES[kind](data, rng)
    check_derivative(function, arrays, rng)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(shapes=npst.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, min_side=0, max_side=3))
def test_unbroadcast_counts_how_often_each_element_was_used(shapes):
    small = np.zeros(shapes.input_shapes[0])
    counted = unbroadcast(np.ones(shapes.result_shape), small.shape)
    assert counted.shape == small.shape
    repeats = np.prod(shapes.result_shape) / small.size if small.size else 0.0
    np.testing.assert_array_equal(counted, np.full(small.shape, repeats))


def test_a_tie_for_the_largest_value_shares_the_gradient_evenly():
    x = Tensor([[1.0, 5.0, 5.0], [2.0, 0.0, 1.0]], requires_grad=True)
    x.max(axis=1).backward([4.0, 3.0])
    np.testing.assert_array_equal(x.grad, [[0.0, 2.0, 2.0], [3.0, 0.0, 0.0]])


class CountedAdd(autograd.Add):
    """Counts its backward steps."""

    steps = 0

    def backward(self, gradient):
        CountedAdd.steps += 1
        return super().backward(gradient)


@pytest.fixture
def counted():
    CountedAdd.steps = 0
    return CountedAdd


def test_a_chain_of_5000_operations_goes_back_in_5000_steps(counted):
    x = Tensor([1.0], requires_grad=True)
    one = Tensor([1.0])
    y = x
    for _ in range(5000):
        y = record(counted(y, one))
    y.backward()
    assert counted.steps == 5000
    assert sys.getrecursionlimit() < 5000, "the chain must be longer than recursion could go"
    np.testing.assert_array_equal(x.grad, [1.0])


def test_24_doublings_go_back_in_24_steps(counted):
    x = Tensor([1.0], requires_grad=True)
    y = x
    for _ in range(24):
        y = record(counted(y, y))
    y.backward()
    assert counted.steps == 24
    np.testing.assert_array_equal(x.grad, [2.0**24])


def test_a_tensor_waits_for_all_its_uses_before_it_passes_its_gradient_on(counted):
    x = Tensor([2.0], requires_grad=True)
    shared = record(counted(x, x))
    late = shared
    for _ in range(10):
        late = late * 1.0
    (late + shared * shared).backward()
    assert counted.steps == 1
    np.testing.assert_array_equal(x.grad, [2.0 + 2.0 * 2.0 * 4.0])


def test_gradients_add_up_over_calls_and_reach_intermediate_tensors():
    x = Tensor([2.0], requires_grad=True)
    y = x * 3.0
    (y * 2.0).backward()
    (y * 4.0).backward()
    np.testing.assert_array_equal(y.grad, [6.0])
    np.testing.assert_array_equal(x.grad, [18.0])


@pytest.mark.parametrize(
    "operation",
    [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a.reshape(4) + b.reshape(4), lambda a, b: a.T + b.T],
)
def test_gradients_of_two_leaves_are_never_the_same_memory(operation):
    a, b = Tensor(np.ones((2, 2)), requires_grad=True), Tensor(np.ones((2, 2)), requires_grad=True)
    operation(a, b).sum().backward()
    a.grad *= 0.0
    np.testing.assert_array_equal(np.abs(b.grad), np.ones((2, 2)))


def test_the_gradient_handed_to_backward_is_not_kept_as_memory():
    x = Tensor([1.0, 2.0], requires_grad=True)
    upstream = np.ones(2, dtype=np.float32)
    (x * 1.0).backward(upstream)
    x.backward(upstream)
    upstream[:] = 9.0
    np.testing.assert_array_equal(x.grad, [2.0, 2.0])


@pytest.mark.parametrize("shape", [(), (1,), (2, 3)])
def test_gradients_are_float32_arrays_of_the_tensors_shape(shape):
    x = Tensor(np.full(shape, 2.0), requires_grad=True)
    y = x * x / 3.0 + x**2 - x.exp()
    y.sum().backward()
    for tensor in (x, y):
        assert type(tensor.grad) is np.ndarray
        assert tensor.grad.dtype == np.float32
        assert tensor.grad.shape == shape


def test_no_grad_records_nothing_and_ends_with_its_block_even_after_an_error():
    x = Tensor([1.0], requires_grad=True)
    with pytest.raises(KeyError), no_grad():
        assert not (x * 2).requires_grad
        raise KeyError
    assert (x * 2).requires_grad


def test_no_grad_in_one_thread_leaves_other_threads_alone():
    x = Tensor([1.0], requires_grad=True)
    seen = []
    with no_grad():
        worker = threading.Thread(target=lambda: seen.append((x * 2).requires_grad))
        worker.start()
        worker.join()
    assert seen == [True]


def test_tinytorchs_function_interface_gives_gradients_outside_a_graph():
    a, b = Tensor([1.0, 2.0], requires_grad=True), Tensor([3.0, 4.0])
    function = autograd.MulBackward(a, b)
    assert function.saved_tensors == (a, b)
    left, right = function.apply(np.array([1.0, 1.0]))
    np.testing.assert_array_equal(left, [3.0, 4.0])
    assert right is None, "b asks for no gradient"
    assert [share.tolist() for share in autograd.AddBackward(a, a).apply(np.array([1.0, 2.0]))] == [[1.0, 2.0]] * 2
    x, w = Tensor([[1.0, 2.0]], requires_grad=True), Tensor([[3.0], [4.0]], requires_grad=True)
    x_share, w_share = autograd.MatmulBackward(x, w).apply(np.array([[1.0]]))
    np.testing.assert_array_equal(x_share, [[3.0, 4.0]])
    np.testing.assert_array_equal(w_share, [[1.0], [2.0]])


def test_enable_autograd_may_be_called_any_number_of_times():
    assert enable_autograd() is None
    assert enable_autograd(quiet=True) is None
