"""Fingerprints: the same for the same bits, another for any other bit, on every machine."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytorch.core.activations import Tanh
from tinytorch.core.layers import Linear, ReLU, Sequential
from tinytorch.mlops.hashing import hash_arrays, hash_data, hash_model
from tinytorch.mlops.retrain import NetworkModel


def a_model(activation: type = ReLU) -> NetworkModel:
    rng = np.random.default_rng(0)
    layers = [Linear(4, 3, rng=rng), activation(), Linear(3, 2, rng=rng)]
    return NetworkModel(Sequential(*layers), n_features=4, n_classes=2)


@given(st.data())
def test_one_bit_of_one_weight_changes_a_models_hash(data: st.DataObject):
    model = a_model()
    before = hash_model(model)
    parameters = [parameter.data for parameter in model.network.parameters()]
    weights = data.draw(st.sampled_from(parameters))
    bits = weights.reshape(-1).view(np.uint32)
    place, bit = data.draw(st.integers(0, bits.size - 1)), data.draw(st.integers(0, 31))
    bits[place] ^= np.uint32(1 << bit)
    assert hash_model(model) != before
    bits[place] ^= np.uint32(1 << bit)
    assert hash_model(model) == before


def test_the_architecture_is_part_of_the_hash():
    assert hash_model(a_model()) == hash_model(a_model())
    assert hash_model(a_model()) != hash_model(a_model(Tanh))  # whose weights are the same


@pytest.mark.parametrize(
    "other",
    [
        {"a": np.zeros((2, 2))},
        {"a": np.zeros(4, dtype=np.float32)},
        {"a": np.zeros(4, dtype=np.int64)},
        {"b": np.zeros(4)},
        {"a": np.zeros(4), "b": np.zeros(0)},
        {"a": np.array([0.0, 0.0, 0.0, -0.0])},
        {},
    ],
)
def test_name_type_shape_and_every_byte_count(other: dict[str, np.ndarray]):
    assert hash_arrays(other) != hash_arrays({"a": np.zeros(4)})


def test_the_order_of_names_and_the_layout_in_memory_do_not_count():
    table = np.arange(6.0).reshape(2, 3)
    one = hash_arrays({"a": table, "b": np.ones(2)})
    assert hash_arrays({"b": np.ones(2), "a": np.asfortranarray(table)}) == one


def test_a_name_cannot_pretend_to_be_two():
    empty = np.zeros(0)
    assert hash_arrays({"a": empty, "b": empty}) != hash_arrays({"a|<f8|(0,)|b": empty})


def test_features_and_labels_are_told_apart():
    assert hash_data(np.zeros((2, 1)), np.ones(2)) != hash_data(np.ones((2, 1)), np.zeros(2))
    assert hash_data(np.zeros((2, 1)), np.ones(2)) != hash_data(np.zeros((2, 1)), np.ones(2)[::-1] * 2)


def test_objects_are_refused_since_their_bytes_are_addresses():
    with pytest.raises(ValueError, match="names must be an array of numbers or texts, got an array of object"):
        hash_arrays({"names": np.array([object()])})
    assert hash_arrays({"names": np.array(["a"])}) != hash_arrays({"names": np.array(["b"])})


def test_the_hash_is_the_same_in_another_process():
    code = "import numpy; from tinytorch.mlops import hashing; print(hashing.hash_arrays({'a': numpy.arange(5)}))"
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    other = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert other.stdout.strip() == hash_arrays({"a": np.arange(5)})
