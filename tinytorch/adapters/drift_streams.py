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
from tinytorch.adapters.drift_exact import FittedColumn
from tinytorch.adapters.drift_facts import ColumnFacts
from tinytorch.adapters.drift_joint import CLASSIFIER_ROWS
from tinytorch.adapters.drift_pair import common_names, retype, share_categories
from tinytorch.adapters.drift_profile import ColumnProfile, profile_column
from tinytorch.adapters.drift_reference import Reference, shape_profiles
from tinytorch.adapters.drift_settings import DriftSettings
from tinytorch.adapters.drift_shapes import ColumnShape
from tinytorch.adapters.read_csv import Progress
from tinytorch.adapters.read_table import is_too_large, read_blocks, read_raw
from tinytorch.adapters.tables import UNTESTED, RawTable, Table, join_tables


@dataclass(frozen=True, eq=False)
class ProfiledTable:
    """A table of which only sums are left, and a few of its rows.

    Examples
    --------
    >>> profile_blocks([Table((Column("age", "number", np.arange(9.0)),), "a.csv")], None, 0).n_rows
    9
    """

    source: str
    n_rows: int
    columns: tuple[ColumnProfile, ...]
    sample: Table
    notes: tuple[str, ...] = ()

    def as_reference(self) -> Reference:
        """Return it as something to compare with."""
        note = (
            f"{self.source} was read in blocks and summed up: shares of its rows at or below a value are known to "
            "within {:.2g} percentage points."
        )
        made = Reference(self.source, self.n_rows, self.columns, self.sample)
        return replace(made, notes=(*self.notes, note.format(100 * made.rank_error)))


def profile_blocks(blocks: Iterator[Table] | Sequence[Table], like: Reference | None, seed: int) -> ProfiledTable:
    """Sum up blocks of rows, over the edges of a reference if there is one, else over those of the first block.

    Parameters
    ----------
    blocks : iterator of Table
        All with the same columns.
    like : Reference or None
    seed : int
        Draws the rows that are kept.

    Examples
    --------
    >>> blocks = [Table((Column("age", "number", np.arange(50.0) + n),), "a.csv") for n in range(3)]
    >>> whole = profile_blocks(blocks, None, 0)
    >>> whole.columns[0].n_rows, whole.sample.n_rows
    (150, 150)
    """
    rng, columns, sample, keys = np.random.default_rng(seed), _edges_of(like), None, np.empty(0)
    table = None
    for table in blocks:
        parts = tuple(
            profile_column(column, columns[place] if columns else None) for place, column in enumerate(table.columns)
        )
        merged = parts if sample is None else tuple(one.merge(other) for one, other in zip(merged, parts, strict=True))
        columns = columns or parts
        sample, keys = _keep_lowest(sample, keys, table, rng)
    if table is None or sample is None:
        raise ValueError("table must have rows, got none.")
    return ProfiledTable(table.source, merged[0].n_rows, merged, sample, table.notes)


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
    if settings.time is not None or settings.chunked:
        raise ValueError(
            "files that do not fit into memory must be compared without --time and chunks, got one of them."
        )
    blocks = _blocks(reference, "reference", settings, progress)
    first, others = next(blocks), next(_blocks(current, "current", settings, None))
    names, notes = common_names(first.names, others, first.source, settings)
    kinds = [settings.types.get(name) or find_kind(first.columns[first.names.index(name)]) for name in names]
    tested = [(name, kind) for name, kind in zip(names, kinds, strict=True) if kind not in UNTESTED]
    names, kinds = [name for name, _ in tested], [kind for _, kind in tested]
    all_blocks = (retype(block, names, kinds) for block in _chained(first, blocks))
    fitted = profile_blocks(all_blocks, None, settings.seed).as_reference()
    current_blocks = (retype(block, names, kinds) for block in _blocks(current, "current", settings, progress))
    table = profile_blocks(current_blocks, fitted, settings.seed + 1)
    return fitted, replace(table, notes=(*table.notes, *notes))


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


def pair_samples(reference: Table, current: Table) -> tuple[Table, Table]:
    """Return two samples of rows whose categories have the same codes.

    Examples
    --------
    >>> red, blue = (Table((Column("c", "category", np.zeros(2, int), (name,)),), "") for name in ("red", "blue"))
    >>> pair_samples(red, blue)[1]["c"].values.tolist()
    [1, 1]
    """
    paired = [share_categories(one, current[one.name]) for one in reference.columns]
    return (
        replace(reference, columns=tuple(one for one, _ in paired)),
        replace(current, columns=tuple(other for _, other in paired)),
    )


def _blocks(source: object, name: str, settings: DriftSettings, progress: Progress | None) -> Iterator[RawTable]:
    """Yield a source in blocks if it is a file too large for memory, else whole."""
    keep_text = [column for column, kind in settings.types.items() if kind in ("category", "text")]
    if is_too_large(source) and isinstance(source, (str, os.PathLike)):
        yield from read_blocks(source, keep_text, progress)
    else:
        yield read_raw(source, name, keep_text, progress)


def _chained(first: RawTable, others: Iterator[RawTable]) -> Iterator[RawTable]:
    """Put a block that was looked at in front again."""
    yield first
    yield from others


def _edges_of(like: Reference | None) -> tuple[ColumnProfile, ...]:
    """Return the profiles that say where to count."""
    if like is None:
        return ()
    return tuple(profile_column(one.column) if isinstance(one, FittedColumn) else one for one in like.columns)


def _keep_lowest(
    sample: Table | None, keys: np.ndarray, table: Table, rng: np.random.Generator
) -> tuple[Table, np.ndarray]:
    """Give every row a random key and keep the rows with the lowest: an even draw from all rows so far."""
    new_keys = rng.random(table.n_rows)
    kept = np.argpartition(new_keys, min(CLASSIFIER_ROWS, table.n_rows) - 1)[:CLASSIFIER_ROWS]
    part, new_keys = table.take(kept), new_keys[kept]
    if sample is None:
        return part, new_keys
    joined, all_keys = join_tables(pair_samples(sample, part)), np.concatenate([keys, new_keys])
    chosen = np.argsort(all_keys)[:CLASSIFIER_ROWS]
    return joined.take(chosen), all_keys[chosen]
