"""Floor 4: reads `.npy` and `.npz` files, and takes arrays and dictionaries of columns. Numpy alone."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from tinytorch._storage import load_npz
from tinytorch.adapters.tables import RawTable, check_names
from tinytorch.mlops.drift._common import name_features

# An array of this name gives the names of the columns of a table beside it.
NAMES_KEY = "feature_names"
# Columns whose lengths a message shows.
LENGTHS_SHOWN = 6


def read_arrays(path: Path) -> RawTable:
    """Return the arrays of a `.npy` or `.npz` file as a raw table.

    A `.npy` holds one table (n_rows, n_columns), one column (n_rows,), or named columns (a structured array). A `.npz`
    holds columns of one length by name; a table in it gives as many columns, named by an array `feature_names`.

    Raises
    ------
    ValueError
        If the file is damaged, holds a pickle, or its arrays do not make a table.

    Examples
    --------
    >>> np.savez("people.npz", age=np.array([31, 32]), colour=np.array(["red", "blue"]))
    >>> read_arrays(Path("people.npz")).names
    ('age', 'colour')
    """
    try:
        with open(path, "rb") as file:
            is_single = file.read(6) == b"\x93NUMPY"
        if is_single:
            return raw_from_array(np.load(path, allow_pickle=False), str(path))
        if not zipfile.is_zipfile(path):
            raise ValueError("a damaged archive")
        arrays = load_npz(path)
    except (OSError, EOFError, TypeError) as error:
        raise ValueError(f"{path} must be a file of numpy arrays, got: {error}.") from error
    except ValueError as error:
        raise ValueError(f"{path} must be a whole file of numpy arrays without pickles ({error})") from error
    return raw_from_mapping(arrays, str(path))


def raw_from_array(array: np.ndarray, source: str, names: Sequence[str] | None = None) -> RawTable:
    """Return a table, a column, or a structured array as a raw table.

    Raises
    ------
    ValueError
        If it has no rows, no columns, or more than two dimensions.

    Examples
    --------
    >>> raw_from_array(np.zeros((3, 2)), "reference").names
    ('feature_0', 'feature_1')
    """
    if array.dtype.names is not None:
        return raw_from_mapping({name: array[name] for name in array.dtype.names}, source)
    table = array[:, np.newaxis] if array.ndim == 1 else array
    if table.ndim != 2 or table.size == 0:
        raise ValueError(f"{source} must have rows and columns, got an array of shape {array.shape}.")
    chosen = names or name_features(None, table.shape[1])
    if len(chosen) != table.shape[1]:
        raise ValueError(f"{source} must have a name for each of {table.shape[1]} columns, got {len(chosen)} names.")
    return _raw(list(zip(chosen, np.ascontiguousarray(table.T), strict=True)), source)


def raw_from_mapping(arrays: Mapping[str, Any], source: str) -> RawTable:
    """Return named columns of one length as a raw table; a table among them gives as many columns.

    Raises
    ------
    ValueError
        If they have different lengths, no rows, or more than two dimensions.

    Examples
    --------
    >>> raw_from_mapping({"age": [31, 32], "pixels": np.zeros((2, 2))}, "reference").names
    ('age', 'pixels_0', 'pixels_1')
    """
    members = {str(name): np.asarray(array) for name, array in arrays.items()}
    if len(members) == 2 and NAMES_KEY in members:
        names = members.pop(NAMES_KEY).ravel().tolist()
        return raw_from_array(next(iter(members.values())), source, list(map(str, names)))
    columns = list(chain.from_iterable(_columns_of(key, array, source) for key, array in members.items()))
    _check_lengths({name: len(column) for name, column in columns}, source)
    return _raw(columns, source)


def plain_column(column: np.ndarray, source: str) -> np.ndarray:
    """Return a column in one of the few types that a raw table knows.

    Raises
    ------
    ValueError
        If it holds something else, such as complex numbers.

    Examples
    --------
    >>> plain_column(np.array([1, 2]), "reference").dtype
    dtype('float64')
    >>> plain_column(np.array(["a", "b"]), "reference").dtype
    dtype('O')
    """
    if column.dtype.kind in "bM":
        return column
    if column.dtype.kind in "iuf":
        return column.astype(np.float64, copy=False)
    if column.dtype.kind == "S":
        return np.char.decode(column, "utf-8", "replace").astype(object)
    if column.dtype.kind == "U":
        return column.astype(object)
    if column.dtype.kind == "O":
        return _plain_objects(column)
    raise ValueError(f"{source} must hold numbers, booleans, dates or text, got {column.dtype}.")


def _check_lengths(lengths: Mapping[str, int], source: str) -> None:
    """Refuse columns of different lengths, and no rows."""
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        found = ", ".join(f"{name}: {length}" for name, length in list(lengths.items())[:LENGTHS_SHOWN])
        raise ValueError(f"{source} must hold columns of one length above 0, got {found or 'nothing'}.")


def _raw(columns: Sequence[tuple[str, np.ndarray]], source: str) -> RawTable:
    """Return named columns of one length as a raw table."""
    names = check_names([name for name, _ in columns], source)
    return RawTable(names, tuple(plain_column(column, source) for _, column in columns), source)


def _columns_of(key: str, array: np.ndarray, source: str) -> list[tuple[str, np.ndarray]]:
    """Return the columns of one array of an archive."""
    if array.ndim == 1:
        return [(key, array)]
    if array.ndim != 2:
        raise ValueError(f"{source} must hold arrays of 1 or 2 dimensions, got {key!r} of shape {array.shape}.")
    return [(f"{key}_{number}", column) for number, column in enumerate(array.T)]


def _plain_objects(column: np.ndarray) -> np.ndarray:
    """Return Python objects as numbers if all are, with None and NaN as missing values."""
    listed = [None if value is None or value != value else value for value in column.tolist()]
    kinds = {type(value) for value in listed}
    if kinds == {bool}:
        return np.array(listed, dtype=bool)
    if kinds <= {int, float, type(None)}:
        return np.array(listed, dtype=np.float64)  # None becomes NaN
    objects = np.empty(len(listed), dtype=object)
    objects[:] = list(map(_text_or_none, listed))
    return objects


def _text_or_none(value: object) -> str | None:
    """Return a value as text."""
    return value if value is None or isinstance(value, str) else str(value)
