"""Floor 4: what a column is: number, category, date, text, boolean or a row number. Numpy and standard library."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from itertools import filterfalse

import numpy as np

from tinytorch._arguments import check_choice
from tinytorch.adapters.tables import COUNTED, KINDS, MISSING_CODE, Column, RawTable, Table

# How a missing value is written; case and blanks around it do not matter.
MISSING_WORDS = frozenset({"", "na", "n/a", "nan", "<na>", "nat", "null", "none", "?"})
TRUE_WORDS = frozenset({"true", "yes"})
FALSE_WORDS = frozenset({"false", "no"})
_WORD_OF_TRUTH = dict.fromkeys((*TRUE_WORDS, "1"), "true") | dict.fromkeys((*FALSE_WORDS, "0"), "false")
# A few stray words do not turn a column of numbers into text; they are counted as unreadable.
READABLE_SHARE = 0.95
# Different values that are looked at to find a kind: the share above is then known to about two percent.
LOOKED_AT = 1000
# A category comes back: on average twice at least, unless there are very few rows to come back in.
LARGEST_DISTINCT_SHARE = 0.5
FEW_CATEGORIES = 20
# More categories than this tell nothing one by one, and are read as text.
MOST_CATEGORIES = 10_000
# Sentences are text even if they come back.
LONGEST_CATEGORY = 60
# Fewer rows than this can be 1, 2, 3, ... by chance or by meaning (months).
FEWEST_NUMBERED_ROWS = 20
_DATE = re.compile(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}([T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?")


def type_columns(raw: RawTable, kinds: Mapping[str, str]) -> Table:
    """Return the table with every column read as its kind: the one in `kinds`, or else the one that is found.

    Raises
    ------
    ValueError
        If `kinds` names a kind that does not exist or a column that the table has not.

    Examples
    --------
    >>> raw = RawTable(("age", "colour"), (np.array([1.5, 2.5]), np.array(["red", None], dtype=object)), "people.csv")
    >>> [column.kind for column in type_columns(raw, {}).columns]
    ['number', 'category']
    >>> type_columns(raw, {"age": "category"})["age"].categories
    ('1.5', '2.5')
    """
    for name, kind in kinds.items():
        if name not in raw.names:
            raise ValueError(f"types must name columns of {raw.source}, got {name!r}; it has {', '.join(raw.names)}.")
        check_choice(kind, f"type of {name}", KINDS)
    columns = [
        read_column(name, values, kinds.get(name) or find_kind(values))
        for name, values in zip(raw.names, raw.columns, strict=True)
    ]
    return Table(tuple(columns), raw.source, raw.notes)


def find_kind(values: np.ndarray) -> str:
    """Return the kind that a raw column looks like.

    Examples
    --------
    >>> find_kind(np.array(["2026-01-02", "2026-01-03", "", None], dtype=object))
    'date'
    >>> find_kind(np.arange(100.0))
    'row number'
    """
    if values.dtype.kind == "b":
        return "boolean"
    if values.dtype.kind == "M":
        return "date"
    if values.dtype.kind == "f":
        return "row number" if _counts_rows(values) else "number"
    return _find_kind_of_text(values)


def read_column(name: str, values: np.ndarray, kind: str) -> Column:
    """Return a raw column as a column of the given kind; what cannot be read as that kind counts as missing.

    Examples
    --------
    >>> column = read_column("age", np.array(["31", "old", ""], dtype=object), "number")
    >>> column.values, column.n_unreadable
    (array([31., nan, nan]), 1)
    """
    if kind in COUNTED:
        return _read_categories(name, values, kind)
    measured, n_unreadable = {"date": _read_dates, "text": _read_lengths}.get(kind, _read_numbers)(values)
    return Column(name, kind, measured, (), n_unreadable)


def is_missing(value: object) -> bool:
    """Tell whether a value of a raw column of objects is missing.

    Examples
    --------
    >>> is_missing(" N/A"), is_missing("0")
    (True, False)
    """
    return value is None or (isinstance(value, str) and value.strip().lower() in MISSING_WORDS)


def as_text(value: object) -> str:
    """Return a value as the text that names its category; 3.0 is "3".

    Examples
    --------
    >>> as_text(3.0), as_text(" red")
    ('3', 'red')
    """
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _counts_rows(values: np.ndarray) -> bool:
    """Tell whether a column of numbers goes up by one from row to row."""
    return len(values) >= FEWEST_NUMBERED_ROWS and bool((np.diff(values) == 1).all())


def _find_kind_of_text(values: np.ndarray) -> str:
    """Look at the different values of a column of objects."""
    distinct = list(filterfalse(is_missing, dict.fromkeys(values.tolist())))
    if not distinct:
        return "number"
    looked_at = list(map(as_text, distinct[:LOOKED_AT]))
    kinds = (kind for kind, reads, least in _READINGS if sum(map(reads, looked_at)) >= least * len(looked_at))
    kind = next(kinds, None)
    if kind is not None:
        return kind
    return "category" if _comes_back(values, len(distinct)) and _is_short(looked_at) else "text"


def _comes_back(values: np.ndarray, n_distinct: int) -> bool:
    """Tell whether values repeat as those of a category do."""
    if n_distinct <= FEW_CATEGORIES:
        return True
    n_present = len(values) - sum(map(is_missing, values.tolist()))
    return n_distinct <= min(MOST_CATEGORIES, LARGEST_DISTINCT_SHARE * n_present)


def _is_short(words: Sequence[str]) -> bool:
    """Tell whether values are names rather than sentences."""
    return sum(map(len, words)) <= LONGEST_CATEGORY * len(words)


def _is_yes_or_no(text: str) -> bool:
    """Tell whether a text is a word of truth."""
    return text.lower() in TRUE_WORDS | FALSE_WORDS


def _number(text: str) -> float | None:
    """Return a text as a finite number, or None."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def _seconds(text: str) -> float | None:
    """Return a date as seconds since the epoch (UTC where no zone is given), or None."""
    if not _DATE.fullmatch(text):
        return None
    plain = text.replace("/", "-").replace("Z", "+00:00")
    try:
        moment = datetime.fromisoformat(plain)
    except ValueError:  # one-digit months and fractions of odd lengths, which only later Pythons read
        return _seconds_by_numpy(plain)
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


def _seconds_by_numpy(text: str) -> float | None:
    """Return a date that numpy reads once its parts have two digits, or None."""
    padded = re.sub(r"(?<=[- :T])(\d)(?!\d)", r"0\1", text)
    try:
        return float(np.datetime64(padded.replace(" ", "T"), "ms").astype(np.int64)) / 1000.0
    except ValueError:
        return None


# Kinds of text in the order in which they are tried: how a word reads as one, and the share of words that must.
_READINGS: tuple[tuple[str, Callable[[str], bool], float], ...] = (
    ("boolean", _is_yes_or_no, 1.0),
    ("number", lambda text: _number(text) is not None, READABLE_SHARE),
    ("date", lambda text: _DATE.fullmatch(text) is not None, READABLE_SHARE),
)


def _read_numbers(values: np.ndarray) -> tuple[np.ndarray, int]:
    """Return float64 with NaN for missing, and how many values are no finite numbers."""
    if values.dtype.kind == "M":
        return _read_dates(values)
    try:
        numbers = values.astype(np.float64, copy=False)
    except (TypeError, ValueError):
        return _read_one_by_one(values, _number)
    is_infinite = np.isinf(numbers)
    if is_infinite.any():
        numbers = np.where(is_infinite, np.nan, numbers)
    return numbers, int(is_infinite.sum())


def _read_dates(values: np.ndarray) -> tuple[np.ndarray, int]:
    """Return seconds since the epoch with NaN for missing, and how many values are no dates."""
    if values.dtype.kind == "M":
        absent = np.isnat(values)
        seconds = values.astype("datetime64[us]").astype(np.int64) / 1e6
        return np.where(absent, np.nan, seconds), 0
    if values.dtype.kind in "fiub":
        return _read_numbers(values)  # already seconds
    return _read_one_by_one(values, _seconds)


def _read_lengths(values: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the number of characters with NaN for missing."""
    if values.dtype.kind == "f":
        values = np.array([None if number != number else number for number in values.tolist()], dtype=object)
    return np.array([np.nan if is_missing(value) else len(as_text(value)) for value in values.tolist()]), 0


def _read_one_by_one(values: np.ndarray, read: Callable[[str], float | None]) -> tuple[np.ndarray, int]:
    """Read each different text once; return the numbers and how many values could not be read."""
    listed = values.tolist()
    known = {value: None if is_missing(value) else read(as_text(value)) for value in dict.fromkeys(listed)}
    numbers = np.array([known[value] for value in listed], dtype=np.float64)  # None becomes NaN
    n_absent = int(np.isnan(numbers).sum())
    return numbers, n_absent - sum(map(is_missing, listed)) if n_absent else 0


def _read_categories(name: str, values: np.ndarray, kind: str) -> Column:
    """Give every different value a code, in the order of their names."""
    code_of: dict[object, int] = {}
    codes = np.array([code_of.setdefault(value, len(code_of)) for value in values.tolist()], dtype=np.int64)
    names = [_name_of_category(value, kind) for value in code_of]
    categories = sorted({text for text in names if text is not None})
    place: dict[str | None, int] = {text: number for number, text in enumerate(categories)}
    new_codes = np.array([place.get(text, MISSING_CODE) for text in names], dtype=np.int64)
    return Column(name, kind, new_codes[codes], tuple(categories))


def _name_of_category(value: object, kind: str) -> str | None:
    """Return a category's name, or None for a missing one; words for yes and no become "true" and "false"."""
    if is_missing(value) or value != value:
        return None
    text = as_text(value)
    if kind != "boolean":
        return text
    return _WORD_OF_TRUTH.get(text.lower(), text)
