"""Floor 4: the binary tensor extension of the Open Inference Protocol, and compressed bodies. Pure: bytes and arrays.

A body is a JSON object, and behind it the numbers of its tensors as they lie in memory, little-endian.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinytorch.adapters.open_inference_json import DATATYPES, ProtocolError, read_datatype, read_shape

TOO_LARGE = 413
UNSUPPORTED = 415
# zlib's window size for each way of packing: 31 expects the header of gzip, 15 that of zlib, which HTTP calls deflate.
WINDOW_BITS = {"gzip": 31, "deflate": 15}
# The fastest: answers are small, and a better one costs several times as much.
COMPRESSION_LEVEL = 1


def read_json_length(text: str | None, n_bytes: int) -> int | None:
    """Return how much of a body of `n_bytes` is JSON, by the header Inference-Header-Content-Length.

    None, for a request without that header, means all of it.

    Raises
    ------
    ProtocolError
        If the header is no whole number, or more than the body has.

    Examples
    --------
    >>> read_json_length("12", n_bytes=20)
    12
    """
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(n_bytes)) or int(text) > n_bytes:
        raise ProtocolError(f"Inference-Header-Content-Length must be at most the body's {n_bytes}, got {text[:20]!r}.")
    return int(text)


def binary_size(tensor: Mapping[str, Any]) -> int | None:
    """Return how many bytes of the binary part belong to a tensor; None if its numbers are in the JSON.

    Raises
    ------
    ProtocolError
        If `parameters` is no object, or its `binary_data_size` no whole number.

    Examples
    --------
    >>> binary_size({"parameters": {"binary_data_size": 16}})
    16
    """
    parameters = tensor.get("parameters", {})
    if type(parameters) is not dict:
        raise ProtocolError("parameters must be an object.")
    size = parameters.get("binary_data_size")
    if size is not None and (type(size) is not int or size < 0):
        raise ProtocolError("binary_data_size must be a whole number of bytes.")
    return size


def read_binary_tensor(tensor: Mapping[str, Any], raw: bytes | memoryview) -> np.ndarray:
    """Return the numbers of a tensor from its bytes, as float64.

    Raises
    ------
    ProtocolError
        If shape or datatype are malformed, the bytes are too few or too many, or a number is NaN or infinite.

    Examples
    --------
    >>> numbers = np.array([[0.5, 1.0]], dtype="<f4")
    >>> read_binary_tensor({"shape": [1, 2], "datatype": "FP32"}, numbers.tobytes())
    array([[0.5, 1. ]])
    """
    shape, datatype = read_shape(tensor), read_datatype(tensor)
    if "data" in tensor:
        raise ProtocolError("data must not be given beside binary_data_size.")
    wire_type = np.dtype(DATATYPES[datatype]).newbyteorder("<")
    n_expected = shape[0] * shape[1] * wire_type.itemsize
    if len(raw) != n_expected:
        raise ProtocolError(f"binary data must be {n_expected} bytes for {datatype} {list(shape)}, got {len(raw)}.")
    if datatype == "BOOL":
        wire_type = np.dtype(np.uint8)  # a byte of 2 would be a true that is unequal to true
    numbers = np.frombuffer(raw, dtype=wire_type).reshape(shape).astype(np.float64)
    if datatype == "BOOL" and numbers.max() > 1:
        raise ProtocolError(f"binary data of BOOL must be 0 or 1, got {numbers.max():g}.")
    if not np.isfinite(numbers).all():
        raise ProtocolError("binary data must be finite, got NaN or infinity.")
    return numbers


def write_binary_tensor(array: np.ndarray) -> bytes:
    """Return the bytes of an array, little-endian.

    Examples
    --------
    >>> write_binary_tensor(np.array([1], dtype=np.int64))
    b'\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00'
    """
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def unpack(body: bytes, encoding: str, limit_bytes: int) -> bytes:
    """Return what a compressed body holds, never more than `limit_bytes` of it.

    Raises
    ------
    ProtocolError
        If the encoding is none that is known (415), the body is damaged or cut off (400), or it holds more (413).

    Examples
    --------
    >>> unpack(zlib.compress(b"abc"), "deflate", limit_bytes=10)
    b'abc'
    """
    if encoding == "identity":
        return body
    if encoding not in WINDOW_BITS:
        raise ProtocolError(f"Content-Encoding must be gzip or deflate, got {encoding[:20]!r}.", UNSUPPORTED)
    inflater = zlib.decompressobj(WINDOW_BITS[encoding])
    try:
        content = inflater.decompress(body, limit_bytes + 1)
    except zlib.error as error:
        raise ProtocolError(f"body must be {encoding}: {error}.") from None
    if len(content) > limit_bytes:
        raise ProtocolError(f"body must hold at most {limit_bytes} bytes when unpacked, got more.", TOO_LARGE)
    if not inflater.eof or inflater.unused_data:
        raise ProtocolError(f"body must be one whole {encoding} stream, got another length.")
    return content


def pack(body: bytes, encoding: str) -> bytes:
    """Return a body compressed as `choose_encoding` says.

    Examples
    --------
    >>> unpack(pack(b"abc", "gzip"), "gzip", limit_bytes=10)
    b'abc'
    """
    packer = zlib.compressobj(COMPRESSION_LEVEL, zlib.DEFLATED, WINDOW_BITS[encoding])
    return packer.compress(body) + packer.flush()


def choose_encoding(accepted: str | None) -> str | None:
    """Return the encoding that a client's Accept-Encoding asks for, the first that is known; None for plain bytes.

    Examples
    --------
    >>> choose_encoding("br, gzip;q=0.5"), choose_encoding("gzip;q=0"), choose_encoding(None)
    ('gzip', None, None)
    """
    for part in (accepted or "").lower().split(","):
        name, _, quality = part.strip().partition(";")
        refused = quality.replace(" ", "").removeprefix("q=").rstrip("0") in ("", ".", "0.") and "=" in quality
        if name.strip() in WINDOW_BITS and not refused:
            return name.strip()
    return None
