"""Floor 4: tensors of the Open Inference Protocol (version 2) as JSON: bytes to arrays and back.

Pure functions: no socket and no server. What a client did wrong is a `ProtocolError` with its HTTP status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import orjson

BAD_REQUEST = 400
# The protocol's name of each type that a table of numbers may have. BYTES, its only other one, is text.
DATATYPES: dict[str, Any] = {
    "FP64": np.float64,
    "FP32": np.float32,
    "FP16": np.float16,
    "INT64": np.int64,
    "INT32": np.int32,
    "INT16": np.int16,
    "INT8": np.int8,
    "UINT64": np.uint64,
    "UINT32": np.uint32,
    "UINT16": np.uint16,
    "UINT8": np.uint8,
    "BOOL": np.bool_,
}
DATATYPE_NAMES = {np.dtype(kind): name for name, kind in DATATYPES.items()}
N_DIMENSIONS = 2
_NUMBERS, _INTEGERS = frozenset({int, float}), frozenset({int})
_PLAIN_KINDS = {"BOOL": frozenset({bool})}


class ProtocolError(ValueError):
    """A request that the protocol, or this server's limits, do not allow; `status` is the HTTP status that says so.

    Examples
    --------
    >>> ProtocolError("shape must have 2 numbers, got 1.").status
    400
    """

    def __init__(self, message: str, status: int = BAD_REQUEST) -> None:
        super().__init__(message)
        self.status = status


def read_object(text: bytes | bytearray | memoryview, name: str = "body") -> dict[str, Any]:
    """Return the JSON object that `text` holds.

    Raises
    ------
    ProtocolError
        If it is no JSON (NaN, Infinity and a thousand levels are none), or something else than an object.

    Examples
    --------
    >>> read_object(b'{"id": "7"}')
    {'id': '7'}
    """
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ProtocolError(f"{name} must be JSON: {error}.") from None
    if type(content) is not dict:
        raise ProtocolError(f"{name} must be a JSON object, got {_kind(content)}.")
    return content


def read_shape(tensor: Mapping[str, Any]) -> tuple[int, int]:
    """Return a tensor's declared shape: rows and columns, at least one of each.

    Raises
    ------
    ProtocolError
        If it is missing, is no list of two positive integers, or has no rows or no columns.

    Examples
    --------
    >>> read_shape({"shape": [2, 64]})
    (2, 64)
    """
    shape = tensor.get("shape")
    if type(shape) is not list or len(shape) != N_DIMENSIONS:
        raise ProtocolError(f"shape must be [rows, columns], got {_shown(shape)}.")
    n_rows, n_columns = shape
    if type(n_rows) is not int or type(n_columns) is not int:  # true is no number of rows
        raise ProtocolError(f"shape must be [rows, columns], got {_shown(shape)}.")
    if n_rows < 1 or n_columns < 1:
        raise ProtocolError(f"shape must have at least one row and one column, got {shape}.")
    return n_rows, n_columns


def read_datatype(tensor: Mapping[str, Any]) -> str:
    """Return a tensor's declared type of numbers.

    Raises
    ------
    ProtocolError
        If it is missing, unknown, or BYTES.

    Examples
    --------
    >>> read_datatype({"datatype": "FP32"})
    'FP32'
    """
    datatype = tensor.get("datatype")
    if type(datatype) is not str or datatype not in DATATYPES:
        raise ProtocolError(f"datatype must be one of {', '.join(DATATYPES)}, got {_shown(datatype)}.")
    return datatype


def read_json_tensor(tensor: Mapping[str, Any]) -> np.ndarray:
    """Return the numbers of a tensor whose `data` is a JSON list, flat or nested as its shape says, as float64.

    Raises
    ------
    ProtocolError
        If shape, datatype or data are malformed, ragged, not numbers of that type, or do not fit each other.

    Examples
    --------
    >>> read_json_tensor({"shape": [1, 2], "datatype": "FP32", "data": [[0.5, 1]]})
    array([[0.5, 1. ]])
    """
    shape, datatype = read_shape(tensor), read_datatype(tensor)
    data = tensor.get("data")
    if type(data) is not list:
        raise ProtocolError(f"data must be a list of numbers, got {_kind(data)}.")
    if data and type(data[0]) is list:
        data = _flatten(data, shape)
    if len(data) != shape[0] * shape[1]:
        raise ProtocolError(f"data must hold {shape[0] * shape[1]} numbers for shape {list(shape)}, got {len(data)}.")
    return _to_numbers(data, datatype).reshape(shape)


def describe_tensor(name: str, array: np.ndarray) -> dict[str, Any]:
    """Return the protocol's description of an array: name, datatype and shape, without its numbers.

    Examples
    --------
    >>> describe_tensor("predictions", np.array([3, 1]))
    {'name': 'predictions', 'datatype': 'INT64', 'shape': (2,)}
    """
    return {"name": name, "datatype": DATATYPE_NAMES[array.dtype], "shape": array.shape}


def write_json(content: Any) -> bytes:
    """Return JSON; contiguous arrays of numbers are lists in it.

    Examples
    --------
    >>> write_json({"data": np.array([1.5, 2.0])})
    b'{"data":[1.5,2.0]}'
    """
    return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)


def write_error(message: str) -> bytes:
    """Return the protocol's answer to a failed request.

    Examples
    --------
    >>> write_error("no such model")
    b'{"error":"no such model"}'
    """
    return write_json({"error": message})


def _flatten(data: list[Any], shape: tuple[int, int]) -> list[Any]:
    """Take a list of rows apart; each must be a list as long as the shape says."""
    if len(data) != shape[0]:
        raise ProtocolError(f"data must hold {shape[0]} rows, got {len(data)}.")
    for place, row in enumerate(data):
        if type(row) is not list or len(row) != shape[1]:
            found = f"{len(row)} numbers" if type(row) is list else _kind(row)
            raise ProtocolError(f"data must hold {shape[1]} numbers in every row, got {found} in row {place}.")
    return list(chain.from_iterable(data))


def _to_numbers(data: Sequence[Any], datatype: str) -> np.ndarray:
    """Turn plain Python values of the right kind into float64, by way of the type that the client speaks of."""
    allowed = _NUMBERS if datatype.startswith("FP") else _PLAIN_KINDS.get(datatype, _INTEGERS)
    if not allowed.issuperset(map(type, data)):
        odd = next(value for value in data if type(value) not in allowed)
        raise ProtocolError(f"data must be numbers of type {datatype}, got {_kind(odd)}.")
    if datatype == "FP64":  # whatever number JSON holds fits into it
        return np.array(data, dtype=np.float64)
    _check_range(data, datatype)
    return np.array(data, dtype=DATATYPES[datatype]).astype(np.float64)


def _check_range(data: Sequence[Any], datatype: str) -> None:
    """Refuse numbers that their type cannot hold: they would become infinite, or others."""
    if datatype == "BOOL":
        return
    is_float = datatype.startswith("FP")
    limits = np.finfo(DATATYPES[datatype]) if is_float else np.iinfo(DATATYPES[datatype])
    low, high = (float(limits.min), float(limits.max)) if is_float else (int(limits.min), int(limits.max))
    for extreme in (min(data), max(data)):
        if not low <= extreme <= high:
            raise ProtocolError(f"data must fit into {datatype}, got {extreme}.")


def _kind(value: Any) -> str:
    """Say in JSON's words what a value is."""
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false", float: "a decimal number"}
    return "null" if value is None else kinds.get(type(value), "a number")


def _shown(value: Any) -> str:
    """Return a short form of what was received."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
