"""Floor 4: the current table cut into chunks, each judged against the reference, and alarms that need several."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import groupby

import numpy as np

from tinytorch.adapters.drift_settings import DriftSettings
from tinytorch.adapters.tables import Table
from tinytorch.mlops._record import Record

# A chunk of fewer rows says next to nothing; the last one then belongs to the chunk before it.
FEWEST_CHUNK_ROWS = 20
# More chunks than this are a mistake in the unit rather than a wish.
MOST_CHUNKS = 1000
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")


@dataclass(frozen=True)
class ChunkFinding(Record):
    """One chunk of the current table, judged.

    Attributes
    ----------
    label : str
        Its rows, or the time at which it begins.
    n_rows : int
    drifted : bool
    effects : tuple of float
        One a column, in the report's order, in standard deviations.
    drifted_columns : tuple of str

    Examples
    --------
    >>> ChunkFinding("rows 1 to 100", 100, False, (0.1, 0.3), ()).largest_effect
    0.3
    """

    label: str
    n_rows: int
    drifted: bool
    effects: tuple[float, ...]
    drifted_columns: tuple[str, ...]

    @property
    def largest_effect(self) -> float:
        """The largest effect of any column."""
        return max(self.effects, default=0.0)


@dataclass(frozen=True)
class ChunkAlarm(Record):
    """Drifted chunks in a row.

    Examples
    --------
    >>> print(ChunkAlarm("2026-01-03", "2026-01-05", 3, ("age",)))
    3 chunks in a row drifted, from 2026-01-03 to 2026-01-05: age
    """

    first: str
    last: str
    n_chunks: int
    columns: tuple[str, ...]

    def __str__(self) -> str:
        names = ", ".join(self.columns)
        return f"{self.n_chunks} chunks in a row drifted, from {self.first} to {self.last}: {names}"


def read_duration(text: str) -> float:
    """Return a duration such as 30m, 6h, 1d or 2w in seconds.

    Raises
    ------
    ValueError
        If it is none.

    Examples
    --------
    >>> read_duration("1.5h")
    5400.0
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None or float(match[1]) == 0:
        raise ValueError(f"duration must be a number and one of s, m, h, d, w, such as 1d, got {text!r}.")
    return float(match[1]) * _SECONDS[match[2]]


def cut_chunks(table: Table, settings: DriftSettings) -> Iterator[tuple[str, Table]]:
    """Yield the chunks of a table with their labels; rows are in the order of time if there is a time column.

    Raises
    ------
    ValueError
        If there would be more than 1,000 chunks.

    Examples
    --------
    >>> from tinytorch.adapters.tables import Column
    >>> table = Table((Column("age", "number", np.arange(65.0)),), "a.csv")
    >>> [(label, chunk.n_rows) for label, chunk in cut_chunks(table, DriftSettings(chunk_rows=30))]
    [('rows 1 to 30', 30), ('rows 31 to 65', 35)]
    """
    if settings.chunk_every_s is not None and settings.time is not None:
        yield from _by_time(table, settings.time, settings.chunk_every_s)
        return
    n_rows, size = table.n_rows, settings.chunk_rows or table.n_rows
    starts = list(range(0, n_rows, size))
    if len(starts) > 1 and n_rows - starts[-1] < min(size, FEWEST_CHUNK_ROWS):
        starts.pop()
    check_number_of_chunks(len(starts))
    for start, stop in zip(starts, [*starts[1:], n_rows], strict=True):
        yield name_rows(start, stop), table.take(slice(start, stop))


def name_rows(start: int, stop: int) -> str:
    """Return what a chunk of rows is called, counted from 1.

    Examples
    --------
    >>> name_rows(0, 100)
    'rows 1 to 100'
    """
    return f"rows {start + 1} to {stop}"


def find_alarms(chunks: Sequence[ChunkFinding], in_a_row: int) -> tuple[ChunkAlarm, ...]:
    """Return the runs of at least `in_a_row` drifted chunks, with the columns that drifted in so many of them.

    Where every chunk of a run has other columns, all of them are named.

    Examples
    --------
    >>> chunks = [ChunkFinding(str(n), 50, n > 1, (1.0,), ("age",) if n > 1 else ()) for n in range(4)]
    >>> [str(alarm) for alarm in find_alarms(chunks, 2)]
    ['2 chunks in a row drifted, from 2 to 3: age']
    """
    alarms = []
    for drifted, run in groupby(chunks, key=lambda chunk: chunk.drifted):
        members = list(run)
        if drifted and len(members) >= in_a_row:
            alarms.append(
                ChunkAlarm(members[0].label, members[-1].label, len(members), _lasting_columns(members, in_a_row))
            )
    return tuple(alarms)


def _lasting_columns(chunks: Sequence[ChunkFinding], least: int) -> tuple[str, ...]:
    """Return the columns that drifted in at least so many chunks, the most frequent first; all if none did."""
    counts = Counter(name for chunk in chunks for name in chunk.drifted_columns).most_common()
    return tuple(name for name, count in counts if count >= least) or tuple(name for name, _ in counts)


def _by_time(table: Table, time: str, every_s: float) -> Iterator[tuple[str, Table]]:
    """Cut at whole multiples of the duration since the epoch; rows without a time and tiny chunks are left out."""
    moments = table[time].values
    place = np.floor(moments / every_s)
    known = ~np.isnan(place)
    numbers = np.unique(place[known])
    check_number_of_chunks(len(numbers))
    for number in numbers:
        rows = np.flatnonzero(place == number)
        if len(rows) >= FEWEST_CHUNK_ROWS:
            label = _date_text(number * every_s) if table[time].kind == "date" else f"{time} {number * every_s:g}"
            yield label, table.take(rows)


def _date_text(seconds: float) -> str:
    """Return a moment as people write it, without a time of day that says nothing."""
    moment = datetime.fromtimestamp(seconds, tz=timezone.utc)
    return moment.strftime("%Y-%m-%d" if seconds % _SECONDS["d"] == 0 else "%Y-%m-%d %H:%M:%S")


def check_number_of_chunks(n_chunks: int) -> None:
    """Refuse chunks by the thousand.

    Raises
    ------
    ValueError
        If there are more than 1,000.

    Examples
    --------
    >>> check_number_of_chunks(1001)
    Traceback (most recent call last):
    ...
    ValueError: chunks must be at most 1,000, got 1,001: ask for larger ones.
    """
    if n_chunks > MOST_CHUNKS:
        raise ValueError(f"chunks must be at most {MOST_CHUNKS:,}, got {n_chunks:,}: ask for larger ones.")
