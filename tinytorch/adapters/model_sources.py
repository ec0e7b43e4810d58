"""Floor 4: whatever can be registered, as bytes and back: a network, an ONNX file, a function, a running URL.

No pickle anywhere: a network is arrays and text, a function its import path and its file's hash, a URL itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tinytorch._arguments import check_choice
from tinytorch.adapters.artifacts import DEFAULT_LIMIT_BYTES
from tinytorch.adapters.model_callable import CallableModel, target_of
from tinytorch.adapters.model_onnx import OnnxModel
from tinytorch.adapters.model_remote import RemoteModel
from tinytorch.adapters.registry_network import pack_network, unpack_network
from tinytorch.mlops.contracts import Model
from tinytorch.mlops.hashing import hash_model
from tinytorch.mlops.retrain.network import NetworkModel


@dataclass(frozen=True)
class PackedModel:
    """A model as bytes.

    Examples
    --------
    >>> PackedModel("url", "http://127.0.0.1:8080/v2/models/digits", b"{}", ".json", "aa").kind
    'url'
    """

    kind: str
    source: str
    content: bytes
    suffix: str
    content_hash: str


def pack_model(model: Any) -> PackedModel:
    """Return a model as bytes, from which `unpack_model` makes it again.

    Parameters
    ----------
    model : NetworkModel, OnnxModel, CallableModel, RemoteModel, or a function at the top of an importable file

    Raises
    ------
    ValueError
        If the model is none of these.

    Examples
    --------
    >>> pack_model(RemoteModel("http://127.0.0.1:8080/v2/models/digits")).kind
    'url'
    """
    packer = next((pack for kind, pack in _PACKERS.items() if isinstance(model, kind)), None)
    if packer is not None:
        return packer(model)
    if callable(model) and not hasattr(model, "predict_proba"):
        return _pack_callable(CallableModel(target_of(model)))
    raise ValueError(
        f"model must be a TinyTorch network, an OnnxModel, a CallableModel (module:callable), a RemoteModel (a URL) or "
        f"a function at the top of a file, got {type(model).__name__}."
    )


def unpack_model(kind: str, content: bytes, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> Model:
    """Make a model from the bytes that `pack_model` returned.

    Raises
    ------
    ValueError
        If the bytes are no such model, or the function's file has changed.
    """
    check_choice(kind, "kind", tuple(_UNPACKERS))
    return _UNPACKERS[kind](content, limit_bytes)


def _pack_network(model: NetworkModel) -> PackedModel:
    return PackedModel("network", model.architecture, pack_network(model), ".npz", hash_model(model))


def _pack_onnx(model: OnnxModel) -> PackedModel:
    return PackedModel("onnx", model.source, model.content, ".onnx", model.content_hash)


def _pack_callable(model: CallableModel) -> PackedModel:
    content = _as_json({"target": model.target, "file_sha256": model.file_sha256})
    return PackedModel("callable", model.target, content, ".json", model.content_hash)


def _pack_remote(model: RemoteModel) -> PackedModel:
    return PackedModel("url", model.url, _as_json({"url": model.url}), ".json", model.content_hash)


def _as_json(fields: Mapping[str, str]) -> bytes:
    return json.dumps(fields, sort_keys=True).encode()


def _from_json(content: bytes, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the texts under these names, in their order."""
    fields = json.loads(content)
    if not isinstance(fields, dict) or set(fields) != set(names):
        raise ValueError(f"content must hold {' and '.join(names)}, got {str(fields)[:100]}.")
    return tuple(fields[name] for name in names)


def _unpack_callable(content: bytes, limit_bytes: int) -> Model:
    return CallableModel(*_from_json(content, ("target", "file_sha256")))


def _unpack_remote(content: bytes, limit_bytes: int) -> Model:
    return RemoteModel(_from_json(content, ("url",))[0])


_PACKERS: dict[type, Callable[[Any], PackedModel]] = {
    NetworkModel: _pack_network,
    OnnxModel: _pack_onnx,
    CallableModel: _pack_callable,
    RemoteModel: _pack_remote,
}
_UNPACKERS: dict[str, Callable[[bytes, int], Model]] = {
    "network": unpack_network,
    "onnx": lambda content, limit_bytes: OnnxModel(content),
    "callable": _unpack_callable,
    "url": _unpack_remote,
}
