"""Floor 4, the hatch between the grader and a student's process: only plain data comes out, never an object with code.

A student's process may send anything, so what it sends is never unpickled: it is JSON, read by the rules below.
"""

from __future__ import annotations

import base64
import dataclasses
import reprlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinytorch.mlops import contracts

# Numbers, booleans and texts; an array of objects could hold anything.
PLAIN_KINDS = "biufcUS"
# A whole number of more bits is no answer to any exercise, and takes JSON minutes to write.
MOST_BITS = 4096
# Of what cannot come out, a look is enough for the message.
SHOWN_LENGTH = 200


@dataclass(frozen=True)
class Foreign:
    """Stands for a value that cannot come out of a student's process: equal to nothing, shown as it shows itself.

    Examples
    --------
    >>> Foreign("Lazy", "<Lazy object>")
    <Lazy object>
    """

    kind: str
    shown: str

    def __repr__(self) -> str:
        return self.shown


def to_plain(value: Any) -> Any:
    """Return `value` as JSON can hold it; what has no plain form becomes its type and a look at it.

    Examples
    --------
    >>> to_plain((1, 2.5))
    {'kind': 'tuple', 'items': [1, 2.5]}
    >>> to_plain(object())["kind"]
    'foreign'
    """
    try:
        return _encode_plain(value)
    except Exception:  # a student's object can raise whatever it likes while it is looked at
        return _encode_foreign(value)


def from_plain(data: Any) -> Any:
    """Return the value that `to_plain` made `data` of.

    Raises
    ------
    ValueError
        If `data` is nothing that `to_plain` makes.

    Examples
    --------
    >>> from_plain(to_plain({"a": (1, None)}))
    {'a': (1, None)}
    >>> from_plain(to_plain(np.arange(3)))
    array([0, 1, 2])
    """
    if data is None or isinstance(data, (bool, int, float, str)):
        return data
    if not isinstance(data, dict) or str(data.get("kind")) not in _READERS:
        raise ValueError(f"data must be what to_plain makes, got {reprlib.repr(data)}.")
    try:
        return _READERS[data["kind"]](data)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, MemoryError) as error:
        raise ValueError(f"data must be what to_plain makes, got a broken {data['kind']} ({error}).") from None


def content_of(argument: Any) -> Any:
    """Return what a function can change in an argument: the numbers of an array, the state of a generator.

    As `to_plain` writes it, so that two of them can be compared; None for any other argument.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> before = content_of(rng)
    >>> _ = rng.random()
    >>> content_of(rng) == before
    False
    """
    if isinstance(argument, np.random.Generator):
        return to_plain(argument.bit_generator.state)
    return to_plain(argument) if isinstance(argument, np.ndarray) else None


def put_content(argument: Any, content: Any) -> None:
    """Make an argument hold what `content_of` said of its copy.

    Raises
    ------
    ValueError
        If it does not fit.

    Examples
    --------
    >>> values = np.zeros(2)
    >>> put_content(values, content_of(np.ones(2)))
    >>> values
    array([1., 1.])
    """
    try:
        if isinstance(argument, np.random.Generator):
            argument.bit_generator.state = from_plain(content)
        elif isinstance(argument, np.ndarray):
            argument[...] = from_plain(content)
    except (TypeError, LookupError, OverflowError) as error:
        raise ValueError(f"content must fit the argument, got {reprlib.repr(content)} ({error}).") from None


def _encode_plain(value: Any) -> Any:
    """Numbers and texts as they are, other plain things by their kind."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (np.ndarray, np.generic)):
        return _encode_array(value)
    if isinstance(value, int):
        return int(value) if value.bit_length() <= MOST_BITS else _encode_foreign(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, str):
        return str.__str__(value)
    return _encode_group(value)


def _encode_group(value: Any) -> dict[str, Any]:
    """Sequences, mappings and records by their items; all else as the array that numpy sees in it, if it sees one."""
    if isinstance(value, (tuple, list)):
        return {"kind": "tuple" if isinstance(value, tuple) else "list", "items": list(map(to_plain, value))}
    if isinstance(value, dict):
        return {"kind": "dict", "items": [[to_plain(key), to_plain(item)] for key, item in value.items()]}
    if getattr(contracts, type(value).__name__, None) is type(value) and dataclasses.is_dataclass(value):
        fields = [[field.name, to_plain(getattr(value, field.name))] for field in dataclasses.fields(value)]
        return {"kind": "record", "name": type(value).__name__, "fields": dict(fields)}
    return _encode_array(value)


def _encode_array(value: Any) -> dict[str, Any]:
    """An array, or a scalar of numpy, by its bytes."""
    array = np.asarray(value)
    if array.dtype.kind not in PLAIN_KINDS:
        return _encode_foreign(value)
    content = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
    return {"kind": "array", "dtype": array.dtype.str, "shape": list(array.shape), "content": content}


def _encode_foreign(value: Any) -> dict[str, Any]:
    """The type and a short look, which must not fail either."""
    try:
        shown = repr(value)[:SHOWN_LENGTH]
    except Exception:  # as above
        shown = "an object that cannot be shown"
    return {"kind": "foreign", "type": type(value).__name__[:SHOWN_LENGTH], "shown": shown}


def _decode_array(data: dict[str, Any]) -> Any:
    """The shape must fit the bytes: numpy refuses any other."""
    dtype = np.dtype(str(data["dtype"]))
    if dtype.kind not in PLAIN_KINDS:
        raise TypeError(f"dtype {dtype}")
    array = np.frombuffer(base64.b64decode(data["content"]), dtype).reshape(data["shape"]).copy()
    return array if array.ndim else array[()]


def _decode_record(data: dict[str, Any]) -> Any:
    """A record checks its own fields; a class that is no record of the contracts is refused."""
    made = getattr(contracts, data["name"])
    if not (isinstance(made, type) and dataclasses.is_dataclass(made)):
        raise TypeError(f"{data['name']} is no record")
    return made(**{name: from_plain(value) for name, value in data["fields"].items()})


_READERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "tuple": lambda data: tuple(from_plain(item) for item in data["items"]),
    "list": lambda data: [from_plain(item) for item in data["items"]],
    "dict": lambda data: {from_plain(key): from_plain(item) for key, item in data["items"]},
    "array": _decode_array,
    "record": _decode_record,
    "foreign": lambda data: Foreign(str(data["type"]), str(data["shown"])),
}
