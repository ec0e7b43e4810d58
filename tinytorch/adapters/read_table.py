"""Floor 4: one door for every source of a table: files by their first bytes, arrays, and frames from Python."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from tinytorch.adapters.read_arrays import plain_column, raw_from_array, raw_from_mapping, read_arrays
from tinytorch.adapters.read_arrow import (
    ARROW_MAGIC,
    PARQUET_MAGIC,
    arrow_blocks,
    raw_from_arrow,
    read_arrow,
    read_csv_fast,
)
from tinytorch.adapters.read_csv import GZIP_MAGIC, Progress, csv_blocks, find_csv_layout, read_csv
from tinytorch.adapters.tables import RawTable, check_names

ARRAY_MAGIC = (b"\x93NUMPY", b"PK")
LONGEST_MAGIC = 8
# Files above this size are read in blocks and summarised: tables take about three times their CSV in memory.
LARGEST_IN_MEMORY_BYTES = 500_000_000
# Importing pyarrow takes as long as reading so much without it.
SMALLEST_FOR_ARROW_BYTES = 20_000_000
# How much a gzipped table grows when it is unpacked, at the least that is usual.
GZIP_GROWTH = 4


def read_raw(source: object, name: str, keep_text: Collection[str] = (), progress: Progress | None = None) -> RawTable:
    """Return a raw table of a file's path, an array, a dictionary of columns, or a frame.

    Parameters
    ----------
    source : path-like, ndarray, mapping of columns, or a frame of pandas, polars or pyarrow
    name : str
        What messages call a source that is no file.
    keep_text : collection of str
        Columns of a CSV file that stay text even if every cell is a number.
    progress : callable, optional
        Called after each block of a CSV file with its number of bytes.

    Raises
    ------
    MissingExtraError
        If pyarrow is needed and not installed.
    ValueError
        If there is no table in the source; the message says what is wrong.

    Examples
    --------
    >>> read_raw({"age": [31, 32]}, "reference").n_rows
    2
    >>> read_raw("no_such.csv", "reference")
    Traceback (most recent call last):
    ...
    ValueError: no_such.csv must be a file that can be read, got: No such file or directory.
    """
    if isinstance(source, (str, os.PathLike)):
        return _read_file(Path(source), keep_text, progress)
    if isinstance(source, np.ndarray):
        return raw_from_array(source, name)
    if isinstance(source, Mapping):
        return raw_from_mapping(source, name)
    if hasattr(source, "column_names") and hasattr(source, "num_rows"):
        return raw_from_arrow(source, name)
    if hasattr(source, "columns"):
        return _raw_from_frame(source, name)
    raise ValueError(
        f"{name} must be a path, an array, a dictionary of columns, or a frame of pandas, polars or pyarrow, "
        f"got {type(source).__name__}."
    )


def is_too_large(source: object, limit_bytes: int = LARGEST_IN_MEMORY_BYTES) -> bool:
    """Tell whether a source is a file that should be read in blocks.

    Examples
    --------
    >>> is_too_large("no_such.csv"), is_too_large(np.zeros(3))
    (False, False)
    """
    if not isinstance(source, (str, os.PathLike)) or not Path(source).is_file():
        return False
    path = Path(source)
    magic = first_bytes(path)
    if magic.startswith(ARRAY_MAGIC) or magic.startswith(ARROW_MAGIC):
        return False
    growth = GZIP_GROWTH if magic.startswith((GZIP_MAGIC, PARQUET_MAGIC)) else 1
    return path.stat().st_size * growth > limit_bytes


def read_blocks(
    path: str | os.PathLike[str], keep_text: Collection[str] = (), progress: Progress | None = None
) -> Iterator[RawTable]:
    """Yield a CSV or Parquet file as raw tables of some rows each.

    Raises
    ------
    MissingExtraError, ValueError
        As `read_raw`.

    Examples
    --------
    >>> _ = Path("people.csv").write_text("age\\n31\\n32\\n", encoding="utf-8")
    >>> sum(block.n_rows for block in read_blocks("people.csv"))
    2
    """
    if first_bytes(Path(path)).startswith(PARQUET_MAGIC):
        return arrow_blocks(Path(path))
    return csv_blocks(Path(path), keep_text, progress)


def first_bytes(path: Path) -> bytes:
    """Return the first bytes of a file, by which formats are told apart.

    Raises
    ------
    ValueError
        If the file cannot be read.

    Examples
    --------
    >>> np.save("values.npy", np.zeros(2))
    >>> first_bytes(Path("values.npy"))[1:6]
    b'NUMPY'
    """
    try:
        with open(path, "rb") as file:
            return file.read(LONGEST_MAGIC)
    except OSError as error:
        raise ValueError(f"{path} must be a file that can be read, got: {error.strerror or error}.") from error


def _read_file(path: Path, keep_text: Collection[str], progress: Progress | None) -> RawTable:
    """Choose the reader by the file's first bytes."""
    magic = first_bytes(path)
    if magic.startswith(ARRAY_MAGIC):
        return read_arrays(path)
    if magic.startswith((PARQUET_MAGIC, ARROW_MAGIC)):
        return read_arrow(path)
    return (_read_by_arrow(path, keep_text) if _is_worth_arrow(path) else None) or read_csv(path, keep_text, progress)


def _is_worth_arrow(path: Path) -> bool:
    """Tell whether pyarrow is there and reads so much faster that importing it pays."""
    return path.stat().st_size >= SMALLEST_FOR_ARROW_BYTES and find_spec("pyarrow") is not None


def _read_by_arrow(path: Path, keep_text: Collection[str]) -> RawTable | None:
    """Read a UTF-8 file by pyarrow; files with semicolons may write 3,5 for 3.5, which it takes for text."""
    layout = find_csv_layout(path)
    plain = layout.encoding == "utf-8" and layout.delimiter != ";"
    return read_csv_fast(path, layout, keep_text) if plain else None


def _raw_from_frame(frame: Any, name: str) -> RawTable:
    """Return a frame of pandas or polars, column by column, without importing either."""
    names = check_names([str(column) for column in frame.columns], name)
    columns = tuple(_frame_column(frame[column], name) for column in frame.columns)
    if not columns or not len(columns[0]):
        raise ValueError(f"{name} must have rows and columns, got a frame of shape {frame.shape}.")
    return RawTable(names, columns, name)


def _frame_column(series: Any, name: str) -> np.ndarray:
    """Return a column of a frame; pandas says `isna`, polars `is_null`."""
    missing = np.asarray(series.isna() if hasattr(series, "isna") else series.is_null(), dtype=bool)
    values = np.asarray(series.to_numpy())
    if values.dtype.kind in "OUS" and missing.any():
        values = values.astype(object)
        values[missing] = None
    return plain_column(values, name)
