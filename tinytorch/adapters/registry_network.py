"""Floor 4: a TinyTorch network as the bytes of an `.npz` file and back: layers as text, weights as arrays, no pickle.

May import `core` and the stages; touches no file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tinytorch.adapters.artifacts import DEFAULT_LIMIT_BYTES, pack_arrays, unpack_arrays
from tinytorch.core.activations import GELU, ReLU, Sigmoid, Softmax, Tanh
from tinytorch.core.layers import Dropout, Linear, Sequential
from tinytorch.core.tensor import Tensor
from tinytorch.mlops.retrain.network import NetworkModel

# Raised when a newer version can no longer be read by the old code.
NETWORK_FORMAT = 1
DESCRIPTION = "network"


def pack_network(model: NetworkModel) -> bytes:
    """Return a network as the bytes of an `.npz` file.

    Raises
    ------
    ValueError
        If a layer is none of those that can be built again from text: Sequential, Linear, Dropout, and activations.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> model = NetworkModel(Sequential(Linear(4, 3, rng=rng), ReLU(), Linear(3, 2, rng=rng)), 4, 2)
    >>> again = unpack_network(pack_network(model))
    >>> bool((again.predict_proba(np.ones((1, 4))) == model.predict_proba(np.ones((1, 4)))).all())
    True
    """
    arrays: dict[str, np.ndarray] = {}
    described = {
        "format": NETWORK_FORMAT,
        "n_features": model.n_features,
        "n_classes": model.n_classes,
        "network": _describe_layer(model.network, "network", arrays),
    }
    return pack_arrays({**arrays, DESCRIPTION: np.array(json.dumps(described, sort_keys=True))})


def unpack_network(content: bytes, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> NetworkModel:
    """Build a network from the bytes that `pack_network` returned.

    Raises
    ------
    ValueError
        If they are no such file, of a newer format, or larger than `limit_bytes` once unpacked.
    """
    arrays = unpack_arrays(content, limit_bytes)
    try:
        described = json.loads(str(arrays[DESCRIPTION]))
        found = described["format"]
        if found != NETWORK_FORMAT:
            raise ValueError(f"format must be {NETWORK_FORMAT}, got {found!r}")
        network = _build_layer(described["network"], "network", arrays)
        return NetworkModel(network, described["n_features"], described["n_classes"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"content must be a stored network, got {type(error).__name__}: {error}.") from error


def _describe_layer(layer: Any, place: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return a layer as text and numbers, and put its weights among the arrays under its place."""
    kind = type(layer).__name__
    if kind not in _BUILDERS:
        raise ValueError(f"layer {place} must be one of {', '.join(_BUILDERS)}, got {kind}.")
    if kind == "Sequential":
        inner = [_describe_layer(part, f"{place}.{number}", arrays) for number, part in enumerate(layer.layers)]
        return {"kind": kind, "layers": inner}
    if kind == "Linear":
        arrays[f"{place}.weight"] = np.array(layer.weight.data)
        if layer.bias is not None:
            arrays[f"{place}.bias"] = np.array(layer.bias.data)
        return {"kind": kind, "bias": layer.bias is not None}
    numbers = {name: getattr(layer, name) for name in _NUMBERS.get(kind, ()) if hasattr(layer, name)}
    return {"kind": kind, **numbers}


def _build_layer(described: Mapping[str, Any], place: str, arrays: Mapping[str, np.ndarray]) -> Any:
    """Build the layer that `_describe_layer` described."""
    kind = described["kind"]
    if kind not in _BUILDERS:
        raise ValueError(f"layer {place} must be one of {', '.join(_BUILDERS)}, got {kind!r}")
    return _BUILDERS[kind](described, place, arrays)


def _build_sequential(described: Mapping[str, Any], place: str, arrays: Mapping[str, np.ndarray]) -> Any:
    parts = described["layers"]
    return Sequential(*(_build_layer(part, f"{place}.{number}", arrays) for number, part in enumerate(parts)))


def _build_linear(described: Mapping[str, Any], place: str, arrays: Mapping[str, np.ndarray]) -> Any:
    weight = arrays[f"{place}.weight"]
    n_inputs, n_outputs = weight.shape
    layer = Linear(n_inputs, n_outputs, bias=bool(described["bias"]))
    layer.weight = Tensor(weight, requires_grad=True)
    if layer.bias is not None:
        bias = arrays[f"{place}.bias"]
        if bias.shape != (n_outputs,):
            raise ValueError(f"{place}.bias must have shape ({n_outputs},), got {bias.shape}")
        layer.bias = Tensor(bias, requires_grad=True)
    return layer


def _build_plain(make: Callable[..., Any]) -> Callable[..., Any]:
    """Return a builder of layers without weights: their numbers are the constructor's arguments."""

    def build(described: Mapping[str, Any], place: str, arrays: Mapping[str, np.ndarray]) -> Any:
        return make(**{name: value for name, value in described.items() if name != "kind"})

    return build


_NUMBERS = {"Dropout": ("p",), "Softmax": ("dim",)}
_BUILDERS: dict[str, Callable[..., Any]] = {
    "Sequential": _build_sequential,
    "Linear": _build_linear,
    **{make.__name__: _build_plain(make) for make in (Dropout, GELU, ReLU, Sigmoid, Softmax, Tanh)},
}
