"""Floor 4: a TinyTorch network as an ONNX file that answers the same, bit for bit, under `onnx.reference`.

The `onnx` extra brings the package. Touches no file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.adapters.extras import require_extra
from tinytorch.core.activations import GELU_CUBIC, GELU_SCALE
from tinytorch.mlops.retrain.network import NetworkModel

# The first operator set in which Gemm, Softmax and the rest mean what the network does, and old runtimes read it.
OPERATOR_SET = 13
# The file format of that time (ONNX 1.8).
FORMAT_VERSION = 7
INPUT = "features"
OUTPUT = "probabilities"


def export_onnx(model: NetworkModel) -> bytes:
    """Return a network as an ONNX file: float32 `features` of (n, n_features), `probabilities` of (n, n_classes).

    Each layer becomes operators that compute the same in the same order. Other runtimes may round differently.

    Raises
    ------
    MissingExtraError
        If the `onnx` package is not installed.
    ValueError
        If a layer has no counterpart.

    Examples
    --------
    >>> from tinytorch.core.layers import Linear, Sequential
    >>> network = NetworkModel(Sequential(Linear(4, 3, rng=np.random.default_rng(0))), n_features=4, n_classes=3)
    >>> export_onnx(network) == export_onnx(network)
    True
    """
    require_extra("onnx", ["onnx"], "ONNX files")
    import onnx
    from onnx import TensorProto, helper

    graph = _Graph()
    graph.add_layer(model.network)
    graph.add("Softmax", [], axis=-1)
    graph.nodes[-1].output[0] = OUTPUT
    described = helper.make_graph(
        graph.nodes,
        "network",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["n", model.n_features])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["n", model.n_classes])],
        graph.weights,
    )
    whole = helper.make_model(described, opset_imports=[helper.make_opsetid("", OPERATOR_SET)])
    whole.ir_version = FORMAT_VERSION
    onnx.checker.check_model(whole, full_check=True)
    content: bytes = whole.SerializeToString(deterministic=True)
    return content


class _Graph:
    """Operators in a row, each fed by the one before."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.last = INPUT

    def add_layer(self, layer: Any) -> None:
        """Add what a layer computes."""
        kind = type(layer).__name__
        if kind not in _WRITERS:
            raise ValueError(f"layer must be one of {', '.join(_WRITERS)}, got {kind}.")
        _WRITERS[kind](self, layer)

    def add(self, operator: str, others: list[str], **attributes: Any) -> str:
        """Add one operator on the last result, and return its result's name."""
        return self.add_apart(operator, [self.last, *others], **attributes)

    def add_apart(self, operator: str, inputs: list[str], **attributes: Any) -> str:
        """Add one operator on any results, and return its result's name."""
        from onnx import helper

        self.last = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [self.last], **attributes))
        return self.last

    def weight(self, values: Any) -> str:
        """Add float32 numbers, and return their name."""
        from onnx import numpy_helper

        name = f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype=np.float32), name))
        return name


def _write_sequential(graph: _Graph, layer: Any) -> None:
    for part in layer.layers:
        graph.add_layer(part)


def _write_linear(graph: _Graph, layer: Any) -> None:
    weight = graph.weight(layer.weight.data)
    if layer.bias is None:
        graph.add("MatMul", [weight])
    else:
        graph.add("Gemm", [weight, graph.weight(layer.bias.data)])


def _write_softmax(graph: _Graph, layer: Any) -> None:
    graph.add("Softmax", [], axis=int(getattr(layer, "dim", -1)))


def _write_gelu(graph: _Graph, layer: Any) -> None:
    """Write out the tanh form: ONNX has the operator only since set 20."""
    x = graph.last
    product = graph.add("Mul", [graph.weight(GELU_CUBIC)])
    for _ in range(2):
        product = graph.add("Mul", [x])
    graph.add_apart("Add", [x, product])
    graph.add("Mul", [graph.weight(GELU_SCALE)])
    graph.add("Tanh", [])
    share = graph.add("Add", [graph.weight(1.0)])
    half = graph.add_apart("Mul", [x, graph.weight(0.5)])
    graph.add_apart("Mul", [half, share])


def _write_plain(operator: str) -> Callable[[_Graph, Any], None]:
    """Return a writer of layers without numbers."""

    def write(graph: _Graph, layer: Any) -> None:
        graph.add(operator, [])

    return write


def _write_nothing(graph: _Graph, layer: Any) -> None:
    """Dropout lets everything through when a network answers."""


_WRITERS: dict[str, Callable[[_Graph, Any], None]] = {
    "Sequential": _write_sequential,
    "Linear": _write_linear,
    "Dropout": _write_nothing,
    "GELU": _write_gelu,
    "ReLU": _write_plain("Relu"),
    "Sigmoid": _write_plain("Sigmoid"),
    "Softmax": _write_softmax,
    "Tanh": _write_plain("Tanh"),
}
