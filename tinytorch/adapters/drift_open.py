"""Floor 4: opens both sides of a comparison: tables in memory, a saved reference, or files larger than memory."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tinytorch.adapters.drift_findings import LARGEST_IGNORED_SHARE
from tinytorch.adapters.drift_pair import common_names, pair_tables, retype, share_categories
from tinytorch.adapters.drift_profile import ColumnProfile
from tinytorch.adapters.drift_reference import Reference, fit_reference
from tinytorch.adapters.drift_settings import DriftSettings
from tinytorch.adapters.drift_streams import ProfiledTable, profile_pair
from tinytorch.adapters.drift_time_order import sort_by_time, warn_if_alike
from tinytorch.adapters.read_csv import Progress
from tinytorch.adapters.read_table import is_too_large, read_raw
from tinytorch.adapters.saved_reference import is_saved_reference, load_reference
from tinytorch.adapters.tables import UNTESTED, Column, RawTable, Table


@dataclass(frozen=True, eq=False)
class OpenTables:
    """Both sides, read and brought to the same columns.

    Attributes
    ----------
    reference : Reference
    current : Table or ProfiledTable
    untested : tuple of (name, kind)
        Columns of the reference that no test is for.
    notes : tuple of str

    Examples
    --------
    >>> import numpy as np
    >>> open_tables({"x": np.arange(30.0) % 9}, {"x": np.arange(20.0) % 9}, DriftSettings()).reference.names
    ('x',)
    """

    reference: Reference
    current: Table | ProfiledTable
    untested: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def open_tables(
    reference: object, current: object, settings: DriftSettings, progress: Progress | None = None
) -> OpenTables:
    """Read both sides and fit the reference.

    Raises
    ------
    MissingExtraError
        If a file needs pyarrow and it is not installed.
    ValueError
        If a table cannot be read or the two cannot be compared; the message says why.

    Examples
    --------
    See `OpenTables`.
    """
    if is_saved_reference(current):
        raise ValueError(f"current must be a table, got a saved reference, {str(current)!r}: it can stand first only.")
    if is_saved_reference(reference):
        return _open_saved(load_reference(reference), current, settings)  # type: ignore[arg-type]
    if is_too_large(reference) or is_too_large(current):
        fitted, summed = profile_pair(reference, current, settings, progress)
        return OpenTables(fitted, summed, (), (*fitted.notes, *summed.notes))
    before = read_raw(reference, "reference", settings.text_columns, progress)
    after = read_raw(current, "current", settings.text_columns, progress)
    return _open_in_memory(before, after, settings)


def _open_in_memory(reference: RawTable, current: RawTable, settings: DriftSettings) -> OpenTables:
    """Pair two raw tables, put them in the order of time, and fit the reference."""
    pair = pair_tables(reference, current, settings)
    before, after = _in_order(pair.reference, settings), _in_order(pair.current, settings)
    untested = tuple((one.name, one.kind) for one in before.columns if one.kind in UNTESTED)
    names = [name for name in before.names if name != settings.time and before[name].kind not in UNTESTED]
    if not names:
        raise ValueError(f"{before.source} must have a column that can be tested, got only {', '.join(before.names)}.")
    return OpenTables(fit_reference(before, names), after, untested, pair.notes)


def _in_order(table: Table, settings: DriftSettings) -> Table:
    """Return the rows in the order of time, if a column says it."""
    return table if settings.time is None else sort_by_time(table, settings.time)


def _open_saved(reference: Reference, current: object, settings: DriftSettings) -> OpenTables:
    """Read a current table as the columns of a saved reference."""
    if settings.types:
        raise ValueError("types must be given when the reference is saved, got some for a saved one.")
    kinds = dict(zip(reference.names, reference.kinds, strict=True))
    raw = read_raw(current, "current", [name for name, kind in kinds.items() if kind in ("category", "text")])
    if settings.time is not None:
        kinds[settings.time] = _kind_of_time(raw, settings.time)
    names, notes = common_names(list(kinds), raw, reference.source, settings)
    kept, table = reference.select(names), retype(raw, names, [kinds[name] for name in names])
    table = replace(table, columns=tuple(_with_codes_of(kept, column) for column in table.columns))
    table = _in_order(table, settings)
    told = (*raw.notes, *notes, *_tell_pooled(kept), *warn_if_alike(table, kept.names))
    return OpenTables(kept, table, (), (*reference.notes, *told))


def _tell_pooled(reference: Reference) -> list[str]:
    """Return a note for every column whose rare categories the file holds as one, so that new ones may hide in it."""
    shares = {
        one.name: one.n_rare / reference.n_rows
        for one in reference.columns
        if isinstance(one, ColumnProfile) and one.n_rare > LARGEST_IGNORED_SHARE * reference.n_rows
    }
    return [
        f"{share:.0%} of the reference's rows in `{name}` are of categories too rare to be stored by name: new "
        "categories cannot be told from them (compare with the table itself)."
        for name, share in shares.items()
    ]


def _kind_of_time(raw: RawTable, name: str) -> str:
    """Return "number" for a column of numbers, else "date"."""
    is_number = name in raw.names and raw.columns[raw.names.index(name)].dtype.kind == "f"
    return "number" if is_number else "date"


def _with_codes_of(reference: Reference, column: Column) -> Column:
    """Return a column with the codes of the reference's column, where that one has codes."""
    for one in reference.columns:
        if not isinstance(one, ColumnProfile) and one.column.name == column.name:
            return share_categories(one.column, column)[1]
    return column
