"""Floor 4: files larger than memory: read in blocks, each summed up and forgotten; the sums merge.

Edges come from the first block of the reference, counts from all rows of both files. A bounded number of rows, drawn
evenly from the whole file, is kept for the tests of all columns together.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinytorch.adapters.column_types import find_kind
from tinytorch.adapters.drift_chunks import check_number_of_chunks, name_rows
from tinytorch.adapters.drift_exact import FittedColumn
from tinytorch.adapters.drift_facts import ColumnFacts
from tinytorch.adapters.drift_joint import CLASSIFIER_ROWS
from tinytorch.adapters.drift_pair import common_names, retype, share_all_categories
from tinytorch.adapters.drift_profile import ColumnProfile, profile_column
from tinytorch.adapters.drift_reference import Reference, shape_profiles
from tinytorch.adapters.drift_settings import DriftSettings
from tinytorch.adapters.drift_shapes import ColumnShape
from tinytorch.adapters.drift_time_order import warn_if_alike
from tinytorch.adapters.read_csv import Progress
from tinytorch.adapters.read_table import is_too_large, read_blocks, read_raw
from tinytorch.adapters.tables import UNTESTED, RawTable, Table, join_tables


@dataclass(frozen=True, eq=False)
class ProfiledTable:
    """A table of which only sums are left, and a few of its rows.

    Examples
    --------
    >>> from tinytorch.adapters.tables import Column
    >>> profile_blocks([Table((Column("age", "number", np.arange(9.0)),), "a.csv")], None, 0).n_rows
    9
    """

    source: str
    n_rows: int
    columns: tuple[ColumnProfile, ...]
    sample: Table
    notes: tuple[str, ...] = ()
    chunks: tuple[tuple[ColumnProfile, ...], ...] = ()

    def as_reference(self) -> Reference:
        """Return it as something to compare with."""
        note = (
            f"{self.source} was read in blocks and summed up: shares of its rows at or below a value are known to "
            "within {:.2g} percentage points."
        )
        made = Reference(self.source, self.n_rows, self.columns, self.sample)
        return replace(made, notes=(*self.notes, note.format(100 * made.rank_error)))


def profile_blocks(
    blocks: Iterator[Table] | Sequence[Table], like: Reference | None, seed: int, chunk_rows: int | None = None
) -> ProfiledTable:
    """Sum up blocks of rows, over the edges of a reference if there is one, else over those of the first block.

    Parameters
    ----------
    blocks : iterator of Table
        All with the same columns.
    like : Reference or None
    seed : int
        Draws the rows that are kept.
    chunk_rows : int, optional
        Also sum up chunks of so many rows; blocks of other sizes are cut.

    Examples
    --------
    >>> from tinytorch.adapters.tables import Column
    >>> blocks = [Table((Column("age", "number", np.arange(50.0) + n),), "a.csv") for n in range(3)]
    >>> whole = profile_blocks(blocks, None, 0)
    >>> whole.columns[0].n_rows, whole.sample.n_rows
    (150, 150)
    """
    edges, whole = _edges_of(like), None
    kept, chunks = _Sample(np.random.default_rng(seed)), _Chunks(chunk_rows)
    for table in chunks.cut(blocks):
        parts = tuple(map(profile_column, table.columns, edges)) if edges else tuple(map(profile_column, table.columns))
        edges = edges or parts
        whole = parts if whole is None else merge_profiles(whole, parts)
        kept.offer(table)
        chunks.offer(parts)
    if whole is None or kept.rows is None:
        raise ValueError("blocks must hold rows, got none.")
    source, notes = kept.rows.source, kept.rows.notes
    return ProfiledTable(source, whole[0].n_rows, whole, kept.rows, notes, tuple(chunks.sums))


def merge_profiles(ours: Sequence[ColumnProfile], theirs: Sequence[ColumnProfile]) -> tuple[ColumnProfile, ...]:
    """Return the sums of both, column by column.

    Examples
    --------
    >>> from tinytorch.adapters.tables import Column
    >>> one = profile_column(Column("age", "number", np.arange(9.0)))
    >>> merge_profiles([one], [one])[0].n_rows
    18
    """
    return tuple(map(ColumnProfile.merge, ours, theirs))


class _Chunks:
    """Sums of equally many rows each, however the blocks are cut."""

    def __init__(self, chunk_rows: int | None) -> None:
        self.chunk_rows = chunk_rows
        self.sums: list[tuple[ColumnProfile, ...]] = []

    def cut(self, blocks: Iterator[Table] | Sequence[Table]) -> Iterator[Table]:
        """Yield the rows in pieces that end where a chunk ends."""
        room = self.chunk_rows or 0
        for table in blocks:
            start = 0
            while start < table.n_rows:
                stop = min(table.n_rows, start + room) if self.chunk_rows else table.n_rows
                yield table.take(slice(start, stop))
                room = room - (stop - start) or (self.chunk_rows or 0)
                start = stop

    def offer(self, parts: tuple[ColumnProfile, ...]) -> None:
        """Add a piece to the chunk it belongs to."""
        if self.chunk_rows is None:
            return
        if self.sums and self.sums[-1][0].n_rows < self.chunk_rows:
            self.sums[-1] = merge_profiles(self.sums[-1], parts)
        else:
            check_number_of_chunks(len(self.sums) + 1)
            self.sums.append(parts)


class _Sample:
    """An even draw from all rows offered so far: every row gets a random key, and the lowest keys stay."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.rows: Table | None = None
        self._keys = np.empty(0)

    def offer(self, table: Table) -> None:
        """Look at a block of rows."""
        keys = self.rng.random(table.n_rows)
        lowest = np.argsort(keys)[:CLASSIFIER_ROWS]
        rows, keys = table.take(lowest), keys[lowest]
        if self.rows is not None:
            rows, keys = join_tables(share_all_categories(self.rows, rows)), np.concatenate([self._keys, keys])
        chosen = np.argsort(keys)[:CLASSIFIER_ROWS]
        self.rows, self._keys = rows.take(chosen), keys[chosen]


def profile_pair(
    reference: object, current: object, settings: DriftSettings, progress: Progress | None = None
) -> tuple[Reference, ProfiledTable]:
    """Read two sources in blocks and sum both up over the reference's edges.

    Raises
    ------
    ValueError
        If a file cannot be read, the current one lacks columns, or rows would have to be put in the order of time.

    Examples
    --------
    >>> sources = {"x": np.arange(90.0) % 7, "y": np.arange(90.0) % 5}, {"x": np.ones(40), "y": np.ones(40)}
    >>> reference, table = profile_pair(*sources, DriftSettings())
    >>> reference.n_rows, table.n_rows
    (90, 40)
    """
    if settings.time is not None:
        raise ValueError("files that do not fit into memory must be compared without a time column, got one.")
    first, others = (next(_blocks_of(source, settings, None)) for source in (reference, current))
    names, notes = common_names(first.names, others, first.source, settings)
    kinds = _kinds_to_test(first, names, settings)

    def typed_blocks(source: object) -> Iterator[Table]:
        for block in _blocks_of(source, settings, progress):
            yield retype(block, list(kinds), list(kinds.values()))

    fitted = profile_blocks(typed_blocks(reference), None, settings.seed).as_reference()
    table = profile_blocks(typed_blocks(current), fitted, settings.seed + 1, settings.chunk_rows)
    # The sample is in random order: only a block itself can tell whether neighbours are alike.
    warnings = warn_if_alike(retype(others, list(kinds), list(kinds.values())), list(kinds))
    return fitted, replace(table, notes=(*table.notes, *notes, *warnings))


def _kinds_to_test(first: RawTable, names: Sequence[str], settings: DriftSettings) -> dict[str, str]:
    """Return the kinds that the first block shows, of the columns that are tested."""
    kinds = {name: settings.types.get(name) or find_kind(first.columns[first.names.index(name)]) for name in names}
    return {name: kind for name, kind in kinds.items() if kind not in UNTESTED}


def compare_profiles(reference: Reference, current: ProfiledTable) -> tuple[list[ColumnFacts], tuple[ColumnShape, ...]]:
    """Return the facts and the shapes of each column of two sums.

    Examples
    --------
    >>> pair = profile_pair({"x": np.arange(90.0) % 7}, {"x": np.ones(40)}, DriftSettings())
    >>> compare_profiles(*pair)[0][0].pvalue < 1e-9
    True
    """
    profiles = [one for one in reference.columns if isinstance(one, ColumnProfile)]
    pairs = list(zip(profiles, current.columns, strict=True))
    return [one.compare(other) for one, other in pairs], tuple(shape_profiles(one, other) for one, other in pairs)


def compare_chunks(reference: Reference, current: ProfiledTable) -> Iterator[tuple[str, list[ColumnFacts]]]:
    """Yield the name and the facts of each chunk of a table that was summed up.

    Examples
    --------
    >>> settings = DriftSettings(chunk_rows=20)
    >>> pair = profile_pair({"x": np.arange(90.0) % 7}, {"x": np.ones(50)}, settings)
    >>> [label for label, _ in compare_chunks(*pair)]
    ['rows 1 to 20', 'rows 21 to 40', 'rows 41 to 50']
    """
    start = 0
    for chunk in current.chunks:
        stop = start + chunk[0].n_rows
        pairs = zip(reference.columns, chunk, strict=True)
        yield name_rows(start, stop), [one.compare(other) for one, other in pairs if isinstance(one, ColumnProfile)]
        start = stop


def _blocks_of(source: object, settings: DriftSettings, progress: Progress | None) -> Iterator[RawTable]:
    """Yield a source in blocks if it is a file too large for memory, else whole."""
    if is_too_large(source) and isinstance(source, (str, os.PathLike)):
        yield from read_blocks(source, settings.text_columns, progress)
    else:
        yield read_raw(source, "table", settings.text_columns, progress)


def _edges_of(like: Reference | None) -> tuple[ColumnProfile, ...]:
    """Return the profiles that say where to count."""
    if like is None:
        return ()
    return tuple(profile_column(one.column) if isinstance(one, FittedColumn) else one for one in like.columns)
