"""Floor 4: an ONNX file as a model, run by `onnx.reference`. The `onnx` extra brings the package.

Touches only the file it is handed.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np

from tinytorch.adapters.extras import require_extra
from tinytorch.mlops.validate import as_features, as_probabilities, check_columns

# The output with the class probabilities; where none has this name, the one table of floats.
PROBABILITY_OUTPUT = "probabilities"


class OnnxModel:
    """A classifier in an ONNX file: one input of (n, n_features), probabilities of (n, n_classes) among its outputs.

    Parameters
    ----------
    content : bytes
        Of the file.
    source : str
        What to call it in words.

    Raises
    ------
    MissingExtraError
        If the `onnx` package is not installed.
    ValueError
        If the bytes are no ONNX model, or not one of this form.

    Examples
    --------
    >>> from tinytorch.adapters.onnx_export import export_onnx
    >>> from tinytorch.core.layers import Linear, Sequential
    >>> from tinytorch.mlops.retrain.network import NetworkModel
    >>> network = NetworkModel(Sequential(Linear(4, 3, rng=np.random.default_rng(0))), n_features=4, n_classes=3)
    >>> OnnxModel(export_onnx(network)).predict_proba(np.zeros((1, 4))).round(2)
    array([[0.33, 0.33, 0.33]])
    """

    def __init__(self, content: bytes, source: str = "ONNX") -> None:
        require_extra("onnx", ["onnx"], "ONNX models")
        self.content = content
        self.source = source
        self._session, self._input = _open_session(content)
        self._type = _input_type(self._input)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> OnnxModel:
        """Read an ONNX file."""
        try:
            return cls(Path(path).read_bytes(), f"ONNX file {Path(path).name}")
        except OSError as error:
            raise ValueError(f"path must be a readable ONNX file, got {str(path)!r} ({error.strerror}).") from error

    @property
    def content_hash(self) -> str:
        """The SHA-256 of the file."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def n_features(self) -> int | None:
        """The width of the input, or None if the file leaves it open."""
        dimensions = self._input.type.tensor_type.shape.dim
        width = dimensions[1].dim_value if len(dimensions) > 1 else 0
        return int(width) or None

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Return class probabilities of shape (n, n_classes), float64.

        Raises
        ------
        ValueError
            If the features are malformed or of another width, or the file's answers are no probabilities.
        """
        table = as_features(features)
        if self.n_features is not None:
            check_columns(table, self.n_features)
        # Some operators take no empty table: a row of zeros is answered and left out.
        asked = table if len(table) else np.zeros((1, table.shape[1]))
        names = self._session.output_names
        try:
            with np.errstate(all="ignore"):  # what becomes infinite or NaN on the way is judged by the answers
                outputs = self._session.run(None, {self._input.name: asked.astype(self._type)})
        except (RuntimeError, IndexError, TypeError, KeyError) as error:
            raise ValueError(
                f"features must be what {self.source} takes, got {type(error).__name__}: {error}."
            ) from error
        answers = as_probabilities(_find_probabilities(dict(zip(names, outputs, strict=True)), self.source))
        return answers[: len(table)]


def _open_session(content: bytes) -> tuple[Any, Any]:
    """Return the evaluator of a model and its one input, once the checker has passed it."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    try:
        model = onnx.load_from_string(content)
        onnx.checker.check_model(model)
    except Exception as error:  # the parser's own kinds of error come from packages below onnx
        raise ValueError(f"content must be an ONNX model, got {str(error)[:200]}.") from error
    _unzip(model.graph)
    weights = {part.name for part in model.graph.initializer}
    inputs = [part for part in model.graph.input if part.name not in weights]
    if len(inputs) != 1:
        raise ValueError(f"content must be an ONNX model of one input, got {[part.name for part in inputs]}.")
    try:
        return ReferenceEvaluator(model), inputs[0]
    except (NotImplementedError, RuntimeError) as error:
        raise ValueError(
            f"content must be an ONNX model that onnx.reference can run, got {str(error)[:200]}."
        ) from error


def _unzip(graph: Any) -> None:
    """Let a graph answer with its table of probabilities where it would make a list of dictionaries of it.

    scikit-learn's exporter adds such a last step (ZipMap) unless it is told not to.
    """
    from onnx import TensorProto, helper

    for node in [node for node in graph.node if node.op_type == "ZipMap"]:
        graph.node.remove(node)
        for output in [output for output in graph.output if output.name in node.output]:
            graph.output.remove(output)
            graph.output.append(helper.make_tensor_value_info(node.input[0], TensorProto.FLOAT, None))


def _input_type(described: Any) -> np.dtype[Any]:
    """Return the numpy type of an input."""
    import onnx

    dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(described.type.tensor_type.elem_type))
    if dtype.kind not in "fiu":
        raise ValueError(f"content must be an ONNX model that takes numbers, got an input of {dtype}.")
    return dtype


def _find_probabilities(outputs: dict[str, Any], source: str) -> np.ndarray:
    """Return the output that holds probabilities."""
    tables = {
        name: value for name, value in outputs.items() if getattr(value, "ndim", 0) == 2 and value.dtype.kind == "f"
    }
    if PROBABILITY_OUTPUT in tables:
        return np.asarray(tables[PROBABILITY_OUTPUT], dtype=np.float64)
    if len(tables) != 1:
        raise ValueError(
            f"{source} must answer with one table of probabilities, or one called {PROBABILITY_OUTPUT!r}, "
            f"got the outputs {sorted(outputs)}."
        )
    return np.asarray(next(iter(tables.values())), dtype=np.float64)
