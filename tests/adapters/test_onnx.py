"""ONNX both ways: our networks answer the same bit for bit, and scikit-learn's models are ours to serve."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.checks.model import check_model
from tinytorch.core.activations import GELU, ReLU, Sigmoid, Softmax, Tanh
from tinytorch.core.layers import Dropout, Linear, Sequential
from tinytorch.datasets import load_digits
from tinytorch.mlops.contracts import ModelVersion
from tinytorch.mlops.retrain.network import NetworkModel, NetworkTrainer

pytest.importorskip("onnx", reason="the onnx extra is not installed")

import onnx
from onnx import TensorProto, helper

from tinytorch.adapters.model_onnx import OnnxModel
from tinytorch.adapters.onnx_export import export_onnx
from tinytorch.adapters.sqlite_registry import SqliteRegistry

DATA = Path(__file__).parent / "data"
ANSWERS = np.load(DATA / "sklearn_answers.npz")
# scikit-learn computes in float64, its export in float32: 24 bits, and some roundings in a row.
FLOAT32_ROUNDING = 1e-6
WIDTHS = st.lists(st.integers(1, 40), min_size=1, max_size=3)
ACTIVATIONS = {"ReLU": ReLU, "Sigmoid": Sigmoid, "Tanh": Tanh, "GELU": GELU, "Softmax": Softmax, "none": None}


def make_network(activation: Callable | None, bias: bool, seed: int = 0) -> NetworkModel:
    rng = np.random.default_rng(seed)
    inner = [Linear(12, 7, bias=bias, rng=rng), Dropout(0.5)] + ([] if activation is None else [activation()])
    return NetworkModel(Sequential(Sequential(*inner), Linear(7, 4, rng=rng)), 12, 4)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_exported_network_answers_bit_for_bit_as_the_network(name: str, bias: bool) -> None:
    model = make_network(ACTIVATIONS[name], bias)
    exported = OnnxModel(export_onnx(model))
    rng = np.random.default_rng(1)
    for n_rows in (0, 1, 2, 5, 64):
        for scale in (0.01, 1.0, 1000.0):
            rows = scale * rng.normal(size=(n_rows, 12))
            assert np.array_equal(exported.predict_proba(rows), model.predict_proba(rows)), (n_rows, scale)
    check_model(exported, rng.normal(size=(6, 12)))


@given(
    seed=st.integers(0, 10**6), n_rows=st.integers(1, 9), widths=st.lists(st.integers(1, 40), min_size=1, max_size=3)
)
@settings(max_examples=25)
def test_networks_of_any_widths_answer_bit_for_bit(seed: int, n_rows: int, widths: list[int]) -> None:
    rng = np.random.default_rng(seed)
    sizes = [3, *widths, 5]
    layers = [part for i, o in pairwise(sizes) for part in (Linear(i, o, rng=rng), ReLU())]
    model = NetworkModel(Sequential(*layers[:-1]), 3, 5)
    rows = rng.normal(size=(n_rows, 3))
    assert np.array_equal(OnnxModel(export_onnx(model)).predict_proba(rows), model.predict_proba(rows))


def test_a_network_that_was_trained_on_digits_answers_bit_for_bit() -> None:
    digits = load_digits().validation
    model = NetworkTrainer(hidden_units=16, epochs=2).train(digits.features, digits.labels, np.random.default_rng(0))
    exported = OnnxModel(export_onnx(model))
    assert np.array_equal(exported.predict_proba(digits.features), model.predict_proba(digits.features))


def test_the_same_network_makes_the_same_file() -> None:
    assert export_onnx(make_network(ReLU, True)) == export_onnx(make_network(ReLU, True))


@pytest.mark.parametrize("name", ["logistic", "mlp", "forest"])
def test_a_scikit_learn_model_is_registered_and_answers_as_it_did(tmp_path: Path, name: str) -> None:
    with SqliteRegistry(tmp_path) as registry:
        registry.register(OnnxModel.from_file(DATA / f"sklearn_{name}.onnx"), ModelVersion("iris"))
        registry.promote("iris", 1, 0)
        kept = registry.describe("iris", "champion")
        assert (kept.kind, kept.source) == ("onnx", f"ONNX file sklearn_{name}.onnx")
        loaded = registry.load("iris", "champion")
    answers = loaded.predict_proba(ANSWERS["features"])
    assert np.allclose(answers, ANSWERS[name], rtol=0, atol=FLOAT32_ROUNDING)
    check_model(loaded, ANSWERS["features"])


def test_scikit_learns_default_export_with_dictionaries_for_answers_is_understood() -> None:
    answers = OnnxModel.from_file(DATA / "sklearn_logistic_zipmap.onnx").predict_proba(ANSWERS["features"])
    assert np.allclose(answers, ANSWERS["logistic"], rtol=0, atol=FLOAT32_ROUNDING)


def model_of(nodes: list, inputs: list, outputs: list) -> bytes:
    made = helper.make_model(
        helper.make_graph(nodes, "g", inputs, outputs), opset_imports=[helper.make_opsetid("", 13)]
    )
    made.ir_version = 7
    return made.SerializeToString()


X = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3])
Y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])
SOFTMAX = helper.make_node("Softmax", ["x"], ["y"])
WORDS = helper.make_tensor_value_info("x", TensorProto.STRING, ["n", 3])
WORDS_OUT = helper.make_tensor_value_info("y", TensorProto.STRING, ["n", 3])
REFUSED = {
    "no file of ONNX": (b"hello", "content must be an ONNX model"),
    "nothing": (b"", "content must be an ONNX model"),
    "two inputs": (
        model_of(
            [helper.make_node("Add", ["x", "z"], ["y"])],
            [X, helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n", 3])],
            [Y],
        ),
        "of one input",
    ),
    "texts": (model_of([helper.make_node("Identity", ["x"], ["y"])], [WORDS], [WORDS_OUT]), "takes numbers"),
    "half a file": (export_onnx(make_network(ReLU, True))[:200], "content must be an ONNX model"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_classifier_in_onnx_is_refused(what: str) -> None:
    content, message = REFUSED[what]
    with pytest.raises(ValueError, match=message):
        OnnxModel(content)


def test_answers_that_are_no_probabilities_are_refused() -> None:
    content = model_of([helper.make_node("Identity", ["x"], ["y"])], [X], [Y])
    with pytest.raises(ValueError, match="must be in"):
        OnnxModel(content).predict_proba(np.full((2, 3), 7.0))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="path must be a readable ONNX file"):
        OnnxModel.from_file(tmp_path / "no.onnx")


def test_a_layer_without_counterpart_is_refused() -> None:
    class Doubled:
        def forward(self, x):
            return x * 2.0

        def parameters(self):
            return []

    with pytest.raises(ValueError, match="layer must be one of Sequential, Linear"):
        export_onnx(NetworkModel(Sequential(Linear(3, 2), Doubled()), 3, 2))


def test_the_file_names_its_parts_for_other_runtimes() -> None:
    graph = onnx.load_from_string(export_onnx(make_network(ReLU, True))).graph
    assert [part.name for part in graph.input] == ["features"]
    assert [part.name for part in graph.output] == ["probabilities"]
