"""Floor 4: reads `.npy` and `.npz` files, and takes arrays and dictionaries of columns. Numpy alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinytorch._storage import load_npz
from tinytorch.adapters.tables import RawTable, check_names

# An array of this name gives the names of the columns of a table beside it.
NAMES_KEY = "feature_names"


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
    if names is not None and len(names) != table.shape[1]:
        raise ValueError(f"{source} must have a name for each of {table.shape[1]} columns, got {len(names)} names.")
    chosen = [f"feature_{number}" for number in range(table.shape[1])] if names is None else names
    columns = table.T if table.dtype.kind == "O" else np.ascontiguousarray(table.T)
    return RawTable(check_names(chosen, source), tuple(plain_column(column, source) for column in columns), source)


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
    tables = [name for name, array in members.items() if array.ndim == 2]
    if len(tables) == 1 and NAMES_KEY in members:
        names = [str(name) for name in members.pop(NAMES_KEY).ravel()]
        if len(members) == 1:
            return raw_from_array(members[tables[0]], source, names)
    columns = {name: column for key, array in members.items() for name, column in _columns_of(key, array, source)}
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        found = ", ".join(f"{name}: {length}" for name, length in list(lengths.items())[:6])
        raise ValueError(f"{source} must hold columns of one length above 0, got {found or 'nothing'}.")
    return RawTable(
        check_names(list(columns), source), tuple(plain_column(column, source) for column in columns.values()), source
    )


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
        return column.astype(np.float64)
    if column.dtype.kind == "S":
        return np.char.decode(column, "utf-8", "replace").astype(object)
    if column.dtype.kind == "U":
        return column.astype(object)
    if column.dtype.kind == "O":
        return _plain_objects(column)
    raise ValueError(f"{source} must hold numbers, booleans, dates or text, got {column.dtype}.")


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
    present = [value for value in listed if value is not None]
    if present and all(isinstance(value, bool) for value in present) and len(present) == len(listed):
        return np.array(listed, dtype=bool)
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in present):
        return np.array([np.nan if value is None else value for value in listed], dtype=np.float64)
    objects = np.empty(len(listed), dtype=object)
    objects[:] = [value if value is None or isinstance(value, str) else str(value) for value in listed]
    return objects
