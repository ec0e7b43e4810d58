"""Floor 4: a table as the drift report sees it: named columns, each of one kind, missing values marked. Numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

# Kinds that are measured by one float64 a row: a number, seconds since the epoch, the number of characters.
MEASURED = ("number", "date", "text")
# Kinds that are counted: an integer code a row, which stands for a category.
COUNTED = ("category", "boolean")
# Columns that are shown and never tested: a row number is new in every file.
UNTESTED = ("row number",)
KINDS = (*MEASURED, *COUNTED, *UNTESTED)
MISSING_CODE = -1


@dataclass(frozen=True, eq=False)
class RawTable:
    """What a reader found: columns as the file holds them, before anybody has said what they mean.

    Attributes
    ----------
    names : tuple of str
    columns : tuple of ndarray of shape (n_rows,)
        Numbers (float64, NaN for missing), booleans, datetime64, or objects: text, and None for missing.
    source : str
        The file, or what else the table was.
    notes : tuple of str
        Sentences that the reader of the report should see, such as a guessed encoding.

    Examples
    --------
    >>> RawTable(("age",), (np.array([1.0, 2.0]),), "people.csv").n_rows
    2
    """

    names: tuple[str, ...]
    columns: tuple[np.ndarray, ...]
    source: str
    notes: tuple[str, ...] = ()

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return len(self.columns[0]) if self.columns else 0


@dataclass(frozen=True, eq=False)
class Column:
    """One column of a known kind.

    Attributes
    ----------
    name, kind : str
    values : ndarray of shape (n_rows,)
        float64 with NaN for missing if the kind is measured, else int64 codes with -1 for missing.
    categories : tuple of str
        What the codes stand for; empty for a measured column.
    n_unreadable : int
        Values that are not of the kind and count as missing.

    Examples
    --------
    >>> Column("colour", "category", np.array([0, 1, -1]), ("blue", "red")).missing.tolist()
    [False, False, True]
    """

    name: str
    kind: str
    values: np.ndarray
    categories: tuple[str, ...] = ()
    n_unreadable: int = 0

    @property
    def is_measured(self) -> bool:
        """Whether the values are floats rather than codes."""
        return self.kind not in COUNTED

    @property
    def missing(self) -> np.ndarray:
        """Where the value is missing, as booleans of shape (n_rows,)."""
        absent: np.ndarray = np.isnan(self.values) if self.is_measured else self.values == MISSING_CODE
        return absent

    @property
    def present(self) -> np.ndarray:
        """The values that are not missing."""
        missing = self.missing
        return self.values[~missing] if missing.any() else self.values

    def counts(self) -> np.ndarray:
        """Return how often each category occurs, shape (n_categories,)."""
        return np.bincount(self.values[self.values != MISSING_CODE], minlength=len(self.categories))

    def take(self, rows: np.ndarray | slice) -> Column:
        """Return the same column with some of its rows."""
        return replace(self, values=self.values[rows], n_unreadable=0)


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of one length, in the order of the file.

    Examples
    --------
    >>> table = Table((Column("age", "number", np.array([1.0, 2.0])),), "people.csv")
    >>> table.n_rows, table["age"].kind, table.take(np.array([1])).n_rows
    (2, 'number', 1)
    """

    columns: tuple[Column, ...]
    source: str
    notes: tuple[str, ...] = field(default=())

    def __getitem__(self, name: str) -> Column:
        """Return a column by its name."""
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return len(self.columns[0].values) if self.columns else 0

    def take(self, rows: np.ndarray | slice) -> Table:
        """Return the same table with some of its rows."""
        return replace(self, columns=tuple(column.take(rows) for column in self.columns))


def check_names(names: Sequence[str], source: str) -> tuple[str, ...]:
    """Return column names, empty ones numbered, or say which one comes twice.

    Raises
    ------
    ValueError
        If a name occurs twice or there is none.

    Examples
    --------
    >>> check_names(["", "age "], "people.csv")
    ('column 1', 'age')
    >>> check_names(["age", "age"], "people.csv")
    Traceback (most recent call last):
    ...
    ValueError: people.csv must name every column once, got 'age' twice.
    """
    stripped = tuple(str(name).strip() or f"column {number}" for number, name in enumerate(names, start=1))
    seen: set[str] = set()
    for name in stripped:
        if name in seen:
            raise ValueError(f"{source} must name every column once, got {name!r} twice.")
        seen.add(name)
    if not stripped:
        raise ValueError(f"{source} must have a column, got none.")
    return stripped


def join_tables(parts: Sequence[Table]) -> Table:
    """Return tables of the same columns and categories one below the other.

    Examples
    --------
    >>> half = Table((Column("age", "number", np.array([1.0, 2.0])),), "people.csv")
    >>> join_tables([half, half]).n_rows
    4
    """
    columns = tuple(
        replace(
            columns[0],
            values=np.concatenate([column.values for column in columns]),
            n_unreadable=sum(column.n_unreadable for column in columns),
        )
        for columns in zip(*(part.columns for part in parts), strict=True)
    )
    return replace(parts[0], columns=columns)
