"""Layers: their parameters, their state, and what training and evaluation change in them."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.activations import ReLU
from tinytorch.core.layers import XAVIER_SCALE_FACTOR, Dropout, Layer, Linear, Sequential, set_training_mode
from tinytorch.core.tensor import Tensor


class Block(Layer):
    """Holds layers in every way a student might."""

    def __init__(self, rng):
        self.first = Linear(2, 3, rng=rng)
        self.parts = [Linear(3, 3, rng=rng), Dropout(0.5, rng=rng)]
        self.named = {"last": Linear(3, 1, bias=False, rng=rng)}
        self.me = self
        self.kind = np.ndarray
        self.module = np

    def forward(self, x):
        return self.named["last"](self.parts[1](self.parts[0](self.first(x))))


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def test_linear_weighs_and_adds_on_the_last_axis(rng):
    layer = Linear(3, 2, rng=rng)
    layer.bias.data = [10.0, 20.0]
    for shape in [(3,), (0, 3), (4, 3), (2, 4, 3)]:
        x = rng.standard_normal(shape).astype(np.float32)
        np.testing.assert_allclose(layer(Tensor(x)).data, x @ layer.weight.data + layer.bias.data, atol=1e-5)


def test_first_weights_come_from_the_generator_and_keep_the_variance():
    same = [Linear(50, 200, rng=np.random.default_rng(1)).weight.data for _ in range(2)]
    np.testing.assert_array_equal(*same)
    # The standard error of a standard deviation from 10,000 normal values is 0.7%; 4% is more than five of them.
    assert np.std(same[0]) == pytest.approx(np.sqrt(XAVIER_SCALE_FACTOR / 50), rel=0.04)
    assert not np.array_equal(Linear(2, 2).weight.data, Linear(2, 2).weight.data)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(), (5,), (2, 5)])
def test_a_wrong_width_is_refused_by_name(bias, shape, rng):
    with pytest.raises(ValueError, match=r"x must have 3 features on its last axis, got shape"):
        Linear(3, 2, bias=bias, rng=rng)(Tensor(np.ones(shape)))


@pytest.mark.parametrize("widths", [(0, 1), (1, -1), (1.5, 2), (True, 2)])
def test_widths_must_be_positive_integers(widths):
    with pytest.raises(ValueError, match="features must be a positive integer"):
        Linear(*widths)


def test_parameters_are_found_wherever_they_are_kept_each_once(rng):
    block = Block(rng)
    assert [parameter.shape for parameter in block.parameters()] == [(2, 3), (3,), (3, 3), (3,), (3, 1)]
    assert [parameter.shape for parameter in Sequential(block, ReLU()).parameters()] == [
        parameter.shape for parameter in block.parameters()
    ]
    tied = Sequential(block.first, ReLU())
    tied.again = block.first
    assert list(tied.state_dict()) == ["layers.0.weight", "layers.0.bias"]


def test_state_goes_into_another_model_of_the_same_build_and_is_a_copy(rng):
    block, other = Block(rng), Block(rng)
    state = block.state_dict()
    assert list(state) == ["first.weight", "first.bias", "parts.0.weight", "parts.0.bias", "named.last.weight"]
    other.load_state_dict(state)
    state["first.weight"][:] = 99.0
    for ours, theirs in zip(block.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(ours.data, theirs.data)
    assert not np.any(block.first.weight.data == 99.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("first.bias"), "must hold exactly"),
        (lambda state: state.update(extra=np.zeros(1)), "must hold exactly"),
        (lambda state: state.update({"named.last.weight": np.zeros((1, 3))}), "must have shape"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change, message, rng):
    block = Block(rng)
    before = block.state_dict()
    state = {name: array + 1.0 for name, array in before.items()}
    change(state)
    with pytest.raises(ValueError, match=message):
        block.load_state_dict(state)
    for name, array in block.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_dropout_drops_its_share_and_keeps_the_mean():
    dropout = Dropout(0.25, rng=np.random.default_rng(0))
    output = dropout(Tensor(np.ones((100, 100)))).data
    # 10,000 draws: the binomial's standard deviation is 43; five of them either way.
    assert abs(np.count_nonzero(output == 0.0) - 2500) < 217
    np.testing.assert_allclose(output[output != 0.0], 1.0 / 0.75)


def test_dropout_follows_the_mode_and_an_argument_overrides_it():
    x = Tensor(np.ones((4, 100)))
    dropout = Dropout(0.5, rng=np.random.default_rng(0))
    assert dropout.eval() is dropout
    np.testing.assert_array_equal(dropout(x).data, x.data)
    assert np.any(dropout.forward(x, training=True).data == 0.0)
    dropout.train()
    assert np.any(dropout(x).data == 0.0)
    np.testing.assert_array_equal(dropout.forward(x, training=False).data, x.data)
    np.testing.assert_array_equal(Dropout(1.0)(x).data, np.zeros((4, 100)))
    np.testing.assert_array_equal(Dropout(0.0)(x).data, x.data)


@pytest.mark.parametrize("p", [-0.1, 1.1, np.nan, "half"])
def test_dropout_refuses_what_is_no_chance(p):
    with pytest.raises(ValueError, match=r"p must be in \[0.0, 1.0\]"):
        Dropout(p)


def test_dropout_passes_gradients_through_its_mask():
    x = Tensor(np.ones(50), requires_grad=True)
    output = Dropout(0.5, rng=np.random.default_rng(0))(x)
    output.sum().backward()
    np.testing.assert_array_equal(x.grad, output.data)


def test_modes_reach_every_layer_however_deep(rng):
    block = Block(rng)
    outer = Sequential(block, ReLU())
    assert outer.training
    set_training_mode(outer, False)
    assert not any(part.training for part in (outer, block, block.first, block.parts[1], block.named["last"]))
    outer.train()
    assert block.parts[1].training


def test_sequential_takes_layers_or_one_list_and_says_what_it_holds(rng):
    layers = [Linear(4, 3, rng=rng), ReLU(), Dropout(0.1)]
    for model in (Sequential(*layers), Sequential(layers)):
        assert list(model) == layers
        assert len(model) == 3
    expected = "Sequential(Linear(in_features=4, out_features=3, bias=True), ReLU(), Dropout(p=0.1))"
    assert repr(Sequential(layers)) == expected
    assert len(Sequential()) == 0


@pytest.mark.parametrize("bad", [np.array(["a"]), np.array([1j]), [None], np.zeros(2)])
def test_a_state_with_one_bad_array_changes_no_parameter(bad, rng):
    layer = Linear(2, 1, rng=rng)
    before = layer.state_dict()
    with pytest.raises(ValueError, match=r"state\['bias'\] must"):
        layer.load_state_dict({"weight": np.ones((2, 1)), "bias": bad})
    for name, array in layer.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("data", [np.ones((1, 2)), [[1.0, 2.0]]])
def test_a_linear_layer_asks_for_a_tensor(bias, data):
    with pytest.raises(ValueError, match=rf"x must be a Tensor, got {type(data).__name__}: wrap it in Tensor\("):
        Linear(2, 1, bias=bias)(data)
