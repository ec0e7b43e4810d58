"""Floor 4: reads CSV, plain or gzipped, in blocks of bounded size. Numpy and the standard library alone.

A block in which every cell is a number or empty is read by numpy's own reader, which is four times as fast as Python's;
the first block that is not sends all later ones to the `csv` module.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import re
import warnings
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np

from tinytorch.adapters.tables import RawTable, check_names

DELIMITERS = (",", ";", "\t", "|")
# Bytes read at a time: large enough that the work per block does not count, small enough to hold several.
BLOCK_BYTES = 8_000_000
SNIFFED_BYTES = 1_000_000
# Rows turned into columns at a time: they stay in the cache meanwhile.
ROWS_TURNED = 2000
# Lines that the delimiter is guessed from.
SNIFFED_LINES = 20
GZIP_MAGIC = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
# Values looked at to see whether a column of a semicolon file writes 3,5 for 3.5, as much of Europe does.
LOOKED_AT = 200
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?|[+-]?\d+")
Progress = Callable[[int], object]


@dataclass(frozen=True)
class CsvLayout:
    """How a CSV file is written.

    Examples
    --------
    >>> CsvLayout(("a", "b"), ";", "utf-8").delimiter
    ';'
    """

    names: tuple[str, ...]
    delimiter: str
    encoding: str


def read_csv(path: Path, keep_text: Collection[str] = (), progress: Progress | None = None) -> RawTable:
    """Return a whole CSV file as a raw table.

    Parameters
    ----------
    path : Path
    keep_text : collection of str
        Columns that stay text even if every cell is a number, so that the code 007 does not become 7.
    progress : callable, optional
        Called after each block with its number of bytes.

    Raises
    ------
    ValueError
        If the file cannot be read as CSV; the message says what is wrong, where, and what was found.

    Examples
    --------
    >>> _ = Path("people.csv").write_text("age,colour\\n31,red\\n,blue\\n", encoding="utf-8")
    >>> table = read_csv(Path("people.csv"))
    >>> table.names, table.columns[1].tolist()
    (('age', 'colour'), ['red', 'blue'])
    """
    blocks = list(csv_blocks(path, keep_text, progress))
    if len(blocks) == 1:
        return blocks[0]
    columns = [_joined_blocks([block.columns[number] for block in blocks]) for number in range(len(blocks[0].names))]
    return RawTable(blocks[0].names, tuple(columns), blocks[0].source, blocks[-1].notes)


def find_csv_layout(path: Path) -> CsvLayout:
    """Return names, delimiter and encoding, read off the first block of a file.

    Raises
    ------
    ValueError
        As `read_csv`.

    Examples
    --------
    >>> _ = Path("people.csv").write_text("age;colour\\n31;red\\n", encoding="utf-8")
    >>> find_csv_layout(Path("people.csv"))
    CsvLayout(names=('age', 'colour'), delimiter=';', encoding='utf-8')
    """
    with _opened(path) as file:
        return _read_head(file, path, SNIFFED_BYTES)[0]


def csv_blocks(
    path: Path, keep_text: Collection[str] = (), progress: Progress | None = None, block_bytes: int = BLOCK_BYTES
) -> Iterator[RawTable]:
    """Yield a CSV file as raw tables of some rows each; quoted cells that hold line ends are kept whole.

    Raises
    ------
    ValueError
        As `read_csv`.

    Examples
    --------
    >>> _ = Path("people.csv").write_text("age\\n31\\n32\\n33\\n", encoding="utf-8")
    >>> [block.n_rows for block in csv_blocks(Path("people.csv"), block_bytes=4)]
    [2, 1]
    """
    with _opened(path) as file:
        layout, rest = _read_head(file, path, block_bytes)
        yield from _read_rows(_Parser(layout, path, keep_text), file, rest, (block_bytes, progress))


def _read_head(file: IO[bytes], path: Path, n_bytes: int) -> tuple[CsvLayout, bytes]:
    """Read the header, and return what it tells with the rest of the first block."""
    first = _read_some(file, n_bytes, path)
    if not first.strip():
        raise ValueError(f"{path} must have a header and rows, got an empty file.")
    encoding = _find_encoding(first, path)
    header, _, rest = first.removeprefix(BYTE_ORDER_MARK).partition(b"\n")
    layout = _find_layout(header.decode(encoding), rest, path, encoding)
    if not rest.strip() and not file.peek(1):  # type: ignore[attr-defined]
        raise ValueError(f"{path} must have rows below its header, got none.")
    return layout, rest


def _read_rows(
    parser: _Parser, file: IO[bytes], rest: bytes, reading: tuple[int, Progress | None]
) -> Iterator[RawTable]:
    """Parse block after block."""
    block_bytes, progress = reading
    block = rest or _read_some(file, block_bytes, parser.path)
    while block:
        if block.strip():
            yield parser.parse(block)
        if progress is not None:
            progress(len(block))
        block = _read_some(file, block_bytes, parser.path)


class _Parser:
    """Turns blocks of bytes into raw tables, and remembers what the first block taught."""

    def __init__(self, layout: CsvLayout, path: Path, keep_text: Collection[str]) -> None:
        self.layout, self.path, self.keep_text = layout, path, keep_text
        self.n_lines = 1
        self.all_numbers = not keep_text
        is_guess = layout.encoding == "latin-1"
        self.notes = (f"{path} is not UTF-8; it was read as Latin-1.",) if is_guess else ()

    def parse(self, block: bytes) -> RawTable:
        """Return the rows of a block."""
        text = self._decode(block)
        columns = self._read_numbers(text) if self.all_numbers else None
        if columns is None:
            self.all_numbers = False
            columns = self._read_texts(text)
        self.n_lines += text.count("\n")
        return RawTable(self.layout.names, tuple(columns), str(self.path), self.notes)

    def _decode(self, block: bytes) -> str:
        """Decode a block; a later block may show that the file is no UTF-8 after all."""
        if b"\0" in block:
            raise ValueError(f"{self.path} must be text, got zero bytes: a binary file?")
        try:
            return block.decode(self.layout.encoding)
        except UnicodeDecodeError:
            self.notes = (f"{self.path} is not UTF-8 throughout; the rest was read as Latin-1.",)
            return block.decode("latin-1")

    def _read_numbers(self, text: str) -> list[np.ndarray] | None:
        """Read a block by numpy, or return None if a cell is neither a number nor empty."""
        if '"' in text:
            return None
        delimiter = self.layout.delimiter
        lines = io.StringIO(_fill_empty_cells(text.replace("\r\n", "\n"), delimiter))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # an empty block is said below
                table = np.loadtxt(lines, delimiter=delimiter, comments=None, ndmin=2)
        except ValueError:
            return None
        return list(np.ascontiguousarray(table.T)) if table.shape[1] == len(self.layout.names) else None

    def _read_texts(self, text: str) -> list[np.ndarray]:
        """Read a block by the csv module; columns of numbers become float64."""
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.layout.delimiter, strict=True)
        columns: list[list[str]] = [[] for _ in self.layout.names]
        try:
            for rows in iter(lambda: list(islice(reader, ROWS_TURNED)), []):
                self._turn_rows(rows, reader.line_num, columns)
        except csv.Error as error:
            line = self.n_lines + reader.line_num
            raise ValueError(f"{self.path} must be CSV, got {error} near line {line}: an unclosed quote?") from error
        return [
            _as_objects(cells) if name in self.keep_text else _numbers_or_text(cells, self.layout.delimiter)
            for name, cells in zip(self.layout.names, columns, strict=True)
        ]

    def _turn_rows(self, rows: list[list[str]], last_line: int, columns: list[list[str]]) -> None:
        """Append the cells of some rows to their columns; empty lines are no rows."""
        width = len(columns)
        if any(len(row) != width for row in rows):
            rows = self._without_empty(rows, last_line)
        for column, cells in zip(columns, zip(*rows, strict=True), strict=bool(rows)):
            column.extend(cells)

    def _without_empty(self, rows: list[list[str]], last_line: int) -> list[list[str]]:
        """Return the rows that are not empty, or say which has the wrong number of cells."""
        for number, row in enumerate(rows, start=1):
            if row and len(row) != len(self.layout.names):
                raise ValueError(self._ragged(row, self.n_lines + last_line - len(rows) + number))
        return [row for row in rows if row]

    def _ragged(self, row: Sequence[str], line: int) -> str:
        """Say which row has the wrong number of cells, and guess why."""
        width, delimiter = len(self.layout.names), self.layout.delimiter
        other = [mark for mark in DELIMITERS if mark != delimiter and "".join(row).count(mark) >= max(1, width - 1)]
        guess = f"; cells there seem to be divided by {other[0]!r} instead of {delimiter!r}" if other else ""
        return f"{self.path} must have {width} cells in every row, got {len(row)} in row {line} (about){guess}."


def _opened(path: Path) -> IO[bytes]:
    """Open a file for reading, unzipped if it is gzipped."""
    try:
        with open(path, "rb") as file:
            zipped = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        return gzip.open(path, "rb") if zipped else open(path, "rb")  # type: ignore[return-value]
    except OSError as error:
        raise ValueError(f"{path} must be a file that can be read, got: {error.strerror or error}.") from error


def _read_some(file: IO[bytes], n_bytes: int, path: Path) -> bytes:
    """Read about so many bytes up to the end of a line that closes no quote in the middle."""
    try:
        block = file.read(n_bytes)
        while block and (not block.endswith(b"\n") or block.count(b'"') % 2):
            more = file.readline()
            if not more:
                break
            block += more
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{path} must be a whole file, got a damaged one ({error}).") from error
    return block


def _find_encoding(first: bytes, path: Path) -> str:
    """Return "utf-8" or "latin-1", or say that the file is no text of either."""
    if first.startswith(WIDE_MARKS):
        raise ValueError(f"{path} must be UTF-8 or Latin-1, got UTF-16: save it as UTF-8.")
    if b"\0" in first:
        raise ValueError(f"{path} must be text, got zero bytes: a binary file?")
    try:
        first.decode("utf-8")
    except UnicodeDecodeError:
        n_control = sum(byte < 32 and byte not in b"\t\r\n\f" for byte in first[:4096])
        if n_control:
            raise ValueError(f"{path} must be text, got control bytes: a binary file?") from None
        return "latin-1"
    return "utf-8"


def _find_layout(header: str, rest: bytes, path: Path, encoding: str) -> CsvLayout:
    """Return names and delimiter, guessed from the header and the lines below it."""
    sample = rest[:100_000].decode(encoding, "replace").splitlines()[:SNIFFED_LINES]
    delimiter = max(DELIMITERS, key=lambda mark: _fitness(mark, header, sample))
    try:
        cells = next(csv.reader([header.rstrip("\r\n")], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise ValueError(f"{path} must have a header that is CSV, got {error}.") from error
    if len(cells) >= 1 and all(_looks_like_number(cell) for cell in cells):
        raise ValueError(f"{path} must begin with a row of column names, got numbers: {', '.join(cells[:4])}.")
    return CsvLayout(check_names(cells, str(path)), delimiter, encoding)


def _fitness(mark: str, header: str, sample: Sequence[str]) -> tuple[float, int]:
    """Return in what share of lines a delimiter occurs as often as in the header, and how often."""
    n_marks = header.count(mark)
    if not n_marks:
        return (0.0, 0)
    # The same number as in the header in most lines; one line in twenty may have a quoted delimiter more.
    return (1.0 + float(np.mean([line.count(mark) == n_marks for line in sample])) if sample else 1.0, n_marks)


def _looks_like_number(cell: str) -> bool:
    """Tell whether a header's cell is a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _fill_empty_cells(text: str, delimiter: str) -> str:
    """Write nan into empty cells, so that numpy reads them."""
    double = delimiter * 2
    if double in text:
        text = text.replace(double, f"{delimiter}nan{delimiter}").replace(double, f"{delimiter}nan{delimiter}")
    if f"{delimiter}\n" in text or text.endswith(delimiter):
        text = re.sub(rf"{re.escape(delimiter)}(?=\n|\Z)", f"{delimiter}nan", text)
    text = text.replace(f"\n{delimiter}", f"\nnan{delimiter}")
    return f"nan{text}" if text.startswith(delimiter) else text


def _numbers_or_text(column: Sequence[str], delimiter: str) -> np.ndarray:
    """Return a column of text as float64 if every cell is a number or empty, else as objects."""
    if delimiter == ";" and _has_decimal_commas(column):
        column = [cell.replace(",", ".") for cell in column]
    for read in (float, _float_or_nan):  # the plain one first: it is twice as fast, and stops at an empty cell
        try:
            return np.array(list(map(read, column)))
        except ValueError:
            continue
    return _as_objects(column)


def _float_or_nan(cell: str) -> float:
    """Return a cell as a number, NaN for an empty one."""
    return float(cell) if cell else math.nan


def _has_decimal_commas(column: Sequence[str]) -> bool:
    """Tell whether the first cells that are not empty are numbers with a comma for the point."""
    cells = [cell.strip() for cell in column[:LOOKED_AT] if cell.strip()]
    return any("," in cell for cell in cells) and all(_DECIMAL_COMMA.fullmatch(cell) for cell in cells)


def _joined_blocks(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Join the blocks of one column; where numbers meet text, all of it becomes objects."""
    if len({part.dtype for part in parts}) == 1:
        return np.concatenate(parts)
    return np.concatenate([part if part.dtype == object else _boxed(part) for part in parts])


def _boxed(part: np.ndarray) -> np.ndarray:
    """Return numbers as objects, NaN as None."""
    objects = part.astype(object)
    objects[np.isnan(part)] = None
    return objects


def _as_objects(cells: Sequence[str]) -> np.ndarray:
    """Return cells of text as an array of objects."""
    texts = np.empty(len(cells), dtype=object)
    texts[:] = cells
    return texts
