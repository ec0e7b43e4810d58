"""Floor 4: reads Parquet, Arrow and Feather files, and CSV faster, by pyarrow. Extra: files."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tinytorch.adapters.column_types import MISSING_WORDS
from tinytorch.adapters.extras import require_extra
from tinytorch.adapters.read_arrays import plain_column
from tinytorch.adapters.read_csv import CsvLayout
from tinytorch.adapters.tables import RawTable, check_names

PARQUET_MAGIC = b"PAR1"
ARROW_MAGIC = b"ARROW1"
# Rows of a Parquet file that are in memory at once while it is streamed.
BATCH_ROWS = 65_536


def read_arrow(path: Path) -> RawTable:
    """Return a Parquet, Arrow (IPC) or Feather file as a raw table.

    Raises
    ------
    MissingExtraError
        If pyarrow is not installed.
    ValueError
        If the file is damaged.

    Examples
    --------
    `read_arrow(Path("people.parquet"))` gives what `read_csv` gives of the same rows, dates as dates.
    """
    require_extra("files", ["pyarrow"], "Parquet and Arrow files")
    import pyarrow as arrow
    from pyarrow import ipc, parquet

    try:
        with open(path, "rb") as file:
            is_parquet = file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC
        if is_parquet:
            return raw_from_arrow(parquet.read_table(path), str(path))
        with arrow.memory_map(str(path)) as source:
            return raw_from_arrow(ipc.open_file(source).read_all(), str(path))
    except (arrow.ArrowException, OSError) as error:
        raise ValueError(f"{path} must be a whole Parquet or Arrow file ({_first_line(error)}).") from error


def read_csv_fast(path: Path, layout: CsvLayout, keep_text: Collection[str] = ()) -> RawTable | None:
    """Return a whole CSV file as a raw table, by all cores, or None where pyarrow finds a fault in it.

    The slower reader then says what the fault is, or reads what pyarrow is too strict for.

    Raises
    ------
    MissingExtraError
        If pyarrow is not installed.

    Examples
    --------
    `read_csv_fast(path, find_csv_layout(path))` gives what `read_csv(path)` gives.
    """
    require_extra("files", ["pyarrow"], "fast CSV files")
    import pyarrow as arrow
    from pyarrow import csv

    reading = csv.ReadOptions(column_names=list(layout.names), skip_rows=1)
    parsing = csv.ParseOptions(delimiter=layout.delimiter, newlines_in_values=True)
    converting = csv.ConvertOptions(
        null_values=sorted({*MISSING_WORDS, *map(str.upper, MISSING_WORDS), *map(str.title, MISSING_WORDS)}),
        strings_can_be_null=True,
        true_values=["true", "True", "TRUE"],
        false_values=["false", "False", "FALSE"],
        column_types={name: arrow.string() for name in keep_text if name in layout.names},
    )
    try:
        with arrow.input_stream(str(path), compression="detect" if path.suffix == ".gz" else None) as stream:
            table = csv.read_csv(stream, reading, parsing, converting)
        return raw_from_arrow(table, str(path))
    except (arrow.ArrowException, OSError, ValueError):
        return None


def arrow_blocks(path: Path) -> Iterator[RawTable]:
    """Yield a Parquet file as raw tables of some rows each, so that it need not fit into memory.

    Raises
    ------
    MissingExtraError, ValueError
        As `read_arrow`.

    Examples
    --------
    `list(arrow_blocks(Path("people.parquet")))` holds all rows, in tables of 65,536.
    """
    require_extra("files", ["pyarrow"], "Parquet and Arrow files")
    import pyarrow as arrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=BATCH_ROWS):
                yield raw_from_arrow(arrow.Table.from_batches([batch]), str(path))
    except (arrow.ArrowException, OSError) as error:
        raise ValueError(f"{path} must be a whole Parquet file ({_first_line(error)}).") from error


def raw_from_arrow(table: Any, source: str) -> RawTable:
    """Return a pyarrow Table as a raw table; nested columns become their text.

    Raises
    ------
    ValueError
        If it has no rows, or a name twice.

    Examples
    --------
    `raw_from_arrow(pyarrow.table({"age": [31, None]}), "people")` has one column, of float64 with a NaN.
    """
    names = check_names(table.column_names, source)
    if table.num_rows == 0:
        raise ValueError(f"{source} must have rows, got none.")
    return RawTable(names, tuple(_column(table.column(number), source) for number in range(len(names))), source)


def _column(column: Any, source: str) -> np.ndarray:
    """Return one pyarrow column as numpy: missing numbers NaN, missing text None."""
    import pyarrow as arrow

    if arrow.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if arrow.types.is_boolean(column.type) and column.null_count:
        column = column.cast(arrow.string())
    if arrow.types.is_decimal(column.type):
        column = column.cast(arrow.float64())
    values = column.to_numpy()
    return plain_column(values.astype("datetime64[us]") if values.dtype.kind == "M" else values, source)


def _first_line(error: Exception) -> str:
    """Return the first line of an error's message."""
    return str(error).partition("\n")[0].rstrip(".")
