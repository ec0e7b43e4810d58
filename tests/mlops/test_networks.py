"""Networks start alike on any core, batches come in a seeded order, and nothing of ours is asked of a core."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from tinytorch.core.activations import ReLU
from tinytorch.core.dataloader import DataLoader, TensorDataset
from tinytorch.core.layers import Dropout, Linear, Sequential
from tinytorch.core.tensor import Tensor
from tinytorch.mlops import networks
from tinytorch.mlops.networks import ShuffledBatches, compute_logits, copy_weights, describe_network, draw_weights


def test_weights_drawn_afterwards_are_those_that_our_own_layers_draw():
    rng, same = np.random.default_rng(7), np.random.default_rng(7)
    ours = Sequential(Linear(5, 4, rng=rng), ReLU(), Linear(4, 3, rng=rng))
    drawn = draw_weights(Sequential(Linear(5, 4), ReLU(), Linear(4, 3)), same)
    for one, other in zip(ours.parameters(), drawn.parameters(), strict=True):
        np.testing.assert_array_equal(one.data, other.data)
    assert rng.integers(2**60) == same.integers(2**60)


def test_weights_are_trained_even_where_the_layer_left_that_to_somebody_else():
    layer = Linear(2, 1)
    layer.weight.requires_grad = layer.bias.requires_grad = False
    layer.bias.data = np.ones(1)
    draw_weights(Sequential(layer), np.random.default_rng(0))
    assert layer.weight.requires_grad
    assert layer.bias.data.tolist() == [0.0]


def test_a_layer_without_bias_stays_without():
    assert draw_weights(Sequential(Linear(2, 1, bias=False)), np.random.default_rng(0)).layers[0].bias is None


def test_a_network_without_weights_is_refused():
    with pytest.raises(ValueError, match="network must have a layer with weights"):
        draw_weights(Sequential(ReLU()), np.random.default_rng(0))


def test_batches_are_those_of_our_own_loader_pass_after_pass():
    data = np.random.default_rng(0)
    features, labels = data.normal(size=(10, 3)), data.integers(0, 4, size=10)
    loader = DataLoader(
        TensorDataset(Tensor(features), Tensor(labels)), batch_size=4, shuffle=True, rng=np.random.default_rng(1)
    )
    batches = ShuffledBatches(features, labels, 4, np.random.default_rng(1))
    assert len(batches) == len(loader) == 3
    for _ in range(2):
        for theirs, ours in zip(loader, batches, strict=True):
            for one, other in zip(theirs, ours, strict=True):
                np.testing.assert_array_equal(one.data, other.data)


@pytest.mark.parametrize(
    ("features", "labels", "batch_size", "message"),
    [
        ([[1.0], [2.0]], [0], 2, "features, labels must have the same length, got 2, 1"),
        ([[1.0]], [0.5], 2, "labels must be class indices"),
        ([[np.nan]], [0], 2, "features must be finite"),
        ([[1.0]], [0], 0, "batch_size must be an integer >= 1"),
    ],
)
def test_rows_that_make_no_batches_are_refused(features, labels, batch_size, message):
    with pytest.raises(ValueError, match=message):
        ShuffledBatches(features, labels, batch_size, np.random.default_rng(0))


def test_logits_are_those_of_the_network_with_nothing_dropped_and_no_graph():
    linear = Linear(3, 2)
    rows = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    network = Sequential(linear, Dropout(0.9))
    network.train()
    np.testing.assert_array_equal(compute_logits(network, rows), linear(Tensor(rows)).data)


class Bare:
    """A network as a student may have written it: two methods, no more."""

    def __init__(self) -> None:
        self.linear = Linear(3, 2, rng=np.random.default_rng(0))

    def forward(self, x: Tensor) -> Tensor:
        return self.linear.forward(x)

    def parameters(self) -> list[Tensor]:
        return self.linear.parameters()


def test_a_network_of_two_methods_answers_and_shows_its_weights(monkeypatch):
    monkeypatch.setattr(networks, "_without_graph", contextlib.nullcontext)  # as in a core without `no_grad`
    network = Bare()
    assert compute_logits(network, np.zeros((4, 3))).shape == (4, 2)
    weights = copy_weights(network)
    assert [part.shape for part in weights.values()] == [(3, 2), (2,)]
    weights["parameter.0"] += 1.0
    np.testing.assert_array_equal(copy_weights(network)["parameter.0"], network.linear.weight.data)


def test_a_description_holds_no_address():
    assert describe_network(Bare()) == describe_network(Bare())
