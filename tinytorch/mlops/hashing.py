"""Floor 1: fingerprints of data and of models, so that a version can say what it was made from.

Two things with the same fingerprint are the same to the last bit. May import numpy and the standard library.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np


def hash_arrays(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the SHA-256 of named arrays: names, types, shapes and every byte.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Of numbers or texts. The order of the names does not matter.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    ValueError
        If an array holds Python objects, whose bytes are addresses and differ from run to run.

    Examples
    --------
    >>> hash_arrays({"a": np.zeros(3)}) == hash_arrays({"a": np.zeros(3)})
    True
    >>> hash_arrays({"a": np.zeros(3)}) == hash_arrays({"a": np.zeros((3, 1))})
    False
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        if array.dtype.hasobject:
            raise ValueError(f"{name} must be an array of numbers or texts, got an array of {array.dtype}.")
        digest.update(f"{name!r}|{array.dtype.str}|{np.shape(arrays[name])}|".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def hash_data(features: np.ndarray, labels: np.ndarray) -> str:
    """Return the fingerprint of a labelled table.

    Examples
    --------
    >>> len(hash_data(np.zeros((2, 3)), np.zeros(2)))
    64
    """
    return hash_arrays({"features": np.asarray(features), "labels": np.asarray(labels)})


def hash_model(model: Any) -> str:
    """Return the fingerprint of a model's architecture and weights.

    Parameters
    ----------
    model : Model
        It must have a `state_dict()` of arrays; `architecture`, if it has one, is hashed with them. A model without
        weights of its own (a function, a file, a server) may say by its attribute `content_hash` what identifies it.

    Raises
    ------
    ValueError
        If the model has neither: then only its owner can say what identifies it.

    Examples
    --------
    >>> hash_model(print)
    Traceback (most recent call last):
    ...
    ValueError: model must have a state_dict() or a content_hash to be hashed, got builtin_function_or_method.
    """
    said = getattr(model, "content_hash", None)
    if isinstance(said, str) and said:
        return said
    if not hasattr(model, "state_dict"):
        raise ValueError(f"model must have a state_dict() or a content_hash to be hashed, got {type(model).__name__}.")
    architecture = str(getattr(model, "architecture", type(model).__name__))
    arrays = {f"state/{name}": np.asarray(value) for name, value in model.state_dict().items()}
    return hash_arrays({**arrays, "architecture": np.frombuffer(architecture.encode(), dtype=np.uint8)})
