"""Floor 4: one inference request and its answer, as bytes and as arrays, in JSON, in binary, or in both. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tinytorch.adapters.open_inference_binary import binary_size, read_binary_tensor, write_binary_tensor
from tinytorch.adapters.open_inference_json import (
    ProtocolError,
    describe_tensor,
    read_json_tensor,
    read_object,
    write_json,
)

PROBABILITIES = "probabilities"
PREDICTIONS = "predictions"
OUTPUT_NAMES = (PROBABILITIES, PREDICTIONS)
# Long enough for any kind of identifier, short enough to be stored beside every row.
LONGEST_ID = 128
# What Triton's clients may ask for beyond the protocol: refused aloud, where silence would be taken for assent.
REFUSED_PARAMETERS = ("classification", "shared_memory_region")


class InferRequest(NamedTuple):
    """What a client asks: an id (None if it sent none), features of shape (n, n_features), and how to answer.

    `routing_key` decides between champion and challenger: the parameter of that name, or the id. `outputs` says
    which outputs are wanted, each with whether in binary.

    Examples
    --------
    >>> InferRequest("7", np.zeros((1, 2)), {"probabilities": False}, "7").outputs
    {'probabilities': False}
    """

    request_id: str | None
    features: np.ndarray
    outputs: Mapping[str, bool]
    routing_key: str | None


_BOTH_AS_JSON: Mapping[str, bool] = dict.fromkeys(OUTPUT_NAMES, False)
_BOTH_AS_BINARY: Mapping[str, bool] = dict.fromkeys(OUTPUT_NAMES, True)


def read_infer_request(body: bytes, json_length: int | None = None) -> InferRequest:
    """Return what a body asks for.

    Parameters
    ----------
    body : bytes
        Not compressed.
    json_length : int, optional
        How many of its bytes are JSON; the numbers of tensors follow. All of them, when not given.

    Raises
    ------
    ProtocolError
        If anything in it is malformed or does not fit.

    Examples
    --------
    >>> tensor = b'{"name": "features", "shape": [1, 2], "datatype": "FP64", "data": [0.5, 1.0]}'
    >>> read_infer_request(b'{"id": "7", "inputs": [' + tensor + b"]}").features
    array([[0.5, 1. ]])
    """
    n_json = len(body) if json_length is None else json_length
    content = read_object(body if json_length is None else body[:json_length])
    features = _read_features(content.get("inputs"), memoryview(body)[n_json:])
    request_id, key, in_binary = _read_id(content), None, False
    if "parameters" in content:
        key, in_binary = _read_parameters(content["parameters"])
    outputs = _read_outputs(content.get("outputs"), in_binary)
    return InferRequest(request_id, features, outputs, key or request_id)


def write_infer_answer(
    head: Mapping[str, Any], arrays: Mapping[str, np.ndarray], outputs: Mapping[str, bool]
) -> tuple[bytes, int | None]:
    """Return an answer's body, and how much of it is JSON; None for the second if all of it is.

    Parameters
    ----------
    head : mapping
        `model_name`, `model_version` and `id`.
    arrays : mapping of str to contiguous ndarray
        By output name.
    outputs : mapping of str to bool
        The outputs that are wanted, each with whether in binary.

    Examples
    --------
    >>> write_infer_answer({"id": "7"}, {"predictions": np.array([3])}, {"predictions": False})[0].decode()
    '{"id":"7","outputs":[{"name":"predictions","datatype":"INT64","shape":[1],"data":[3]}]}'
    """
    described, tail = [], []
    for name, in_binary in outputs.items():
        tensor = describe_tensor(name, arrays[name])
        if in_binary:
            raw = write_binary_tensor(arrays[name])
            tensor["parameters"] = {"binary_data_size": len(raw)}
            tail.append(raw)
        else:
            tensor["data"] = arrays[name].ravel()
        described.append(tensor)
    text = write_json({**head, "outputs": described})
    return (b"".join([text, *tail]), len(text)) if tail else (text, None)


def _read_features(inputs: Any, behind: memoryview) -> np.ndarray:
    """Return the numbers of the one input, from the JSON or from the bytes behind it."""
    if type(inputs) is not list or len(inputs) != 1 or type(inputs[0]) is not dict:
        raise ProtocolError("inputs must be a list of one tensor, which is an object.")
    size = binary_size(inputs[0]) if "parameters" in inputs[0] else None
    if len(behind) != (size or 0):
        raise ProtocolError(f"binary_data_size must be the bytes behind the JSON, {len(behind)}, got {size}.")
    return read_json_tensor(inputs[0]) if size is None else read_binary_tensor(inputs[0], behind)


def _read_id(content: Mapping[str, Any]) -> str | None:
    """Return the request's id, a printable text; None if there is none."""
    request_id = content.get("id")
    if request_id is None or request_id == "":
        return None
    return _check_key(request_id, "id")


def _check_key(key: Any, name: str) -> str:
    """Refuse what cannot be stored and shown: ids come back in logs and on pages."""
    if type(key) is not str or not key or len(key) > LONGEST_ID or not key.isprintable():
        raise ProtocolError(f"{name} must be a printable text of at most {LONGEST_ID} characters.")
    return key


def _read_parameters(parameters: Any) -> tuple[str | None, bool]:
    """Return the routing key, and whether every output is wanted in binary."""
    if type(parameters) is not dict:
        raise ProtocolError("parameters must be an object.")
    key = parameters.get("routing_key")
    return None if key is None else _check_key(key, "routing_key"), _read_flag(parameters, "binary_data_output")


def _read_outputs(wanted: Any, in_binary: bool) -> Mapping[str, bool]:
    """Return the outputs asked for, each with whether in binary; none at all means both."""
    if wanted is None or wanted == []:
        return _BOTH_AS_BINARY if in_binary else _BOTH_AS_JSON
    _check_outputs(wanted)
    return {output["name"]: _read_output_flag(output, in_binary) for output in wanted}


def _check_outputs(wanted: Any) -> None:
    """Refuse anything but a list of objects that name outputs of ours, each at most once."""
    if type(wanted) is not list or set(map(type, wanted)) != {dict}:
        raise ProtocolError("outputs must be a list of objects.")
    names = [output.get("name") for output in wanted]
    if not all(name in OUTPUT_NAMES and names.count(name) == 1 for name in names):
        raise ProtocolError(f"outputs must name {' or '.join(OUTPUT_NAMES)}, each at most once.")


def _read_output_flag(output: Mapping[str, Any], in_binary: bool) -> bool:
    """Return whether one output is wanted in binary."""
    parameters = output.get("parameters", {})
    if type(parameters) is not dict:
        raise ProtocolError("parameters must be an object.")
    _check_supported(parameters, REFUSED_PARAMETERS)
    return _read_flag(parameters, "binary_data", in_binary)


def _check_supported(parameters: Mapping[str, Any], refused: Sequence[str]) -> None:
    """Refuse what this server does not do."""
    unsupported = [name for name in refused if parameters.get(name)]
    if unsupported:
        raise ProtocolError(f"{unsupported[0]} must not be asked for: this server does not support it.")


def _read_flag(parameters: Mapping[str, Any], name: str, default: bool = False) -> bool:
    """Return a parameter that is true or false."""
    flag = parameters.get(name, default)
    if type(flag) is not bool:
        raise ProtocolError(f"{name} must be true or false.")
    return flag
