"""Floor 4: brings two raw tables to the same columns of the same kinds, or says why they cannot be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinytorch.adapters.column_types import find_kind, read_column, type_columns
from tinytorch.adapters.drift_settings import DriftSettings
from tinytorch.adapters.tables import MISSING_CODE, Column, RawTable, Table

# Names listed in a message before it says "and so on".
NAMES_SHOWN = 5
ROW_NUMBER = "row number"


@dataclass(frozen=True, eq=False)
class TablePair:
    """Two tables of the same columns, kinds and categories, and what a reader should know about them.

    Examples
    --------
    >>> table = Table((Column("age", "number", np.array([1.0, 2.0])),), "people.csv")
    >>> TablePair(table, table, ()).reference.names
    ('age',)
    """

    reference: Table
    current: Table
    notes: tuple[str, ...]


def pair_tables(reference: RawTable, current: RawTable, settings: DriftSettings) -> TablePair:
    """Return both tables with the reference's columns, in its order, and the kinds found there.

    Raises
    ------
    ValueError
        If the current table lacks a column of the reference (a label may come late), or `settings` names a column
        that the reference has not.

    Examples
    --------
    >>> raw = RawTable(("age",), (np.array([1.5, 2.5]),), "a.csv")
    >>> other = RawTable(("age", "sex"), (np.array([1.5, 2.5]), np.array([0.0, 1.0])), "b.csv")
    >>> pair_tables(raw, other, DriftSettings()).notes
    ('b.csv has columns that a.csv has not: sex; they were left out.',)
    """
    names, notes = common_names(reference.names, current, reference.source, settings)
    reference, current = _chosen_columns(reference, names), _chosen_columns(current, names)
    kinds = {name: _common_kind(reference, current, name) for name in names} | dict(settings.types)
    if settings.time is not None and kinds[settings.time] != "date":
        kinds[settings.time] = "number"
    left, right = share_all_categories(type_columns(reference, kinds), type_columns(current, kinds))
    return TablePair(left, right, (*reference.notes, *current.notes, *notes))


def common_names(
    reference_names: Sequence[str], current: RawTable, source: str, settings: DriftSettings
) -> tuple[list[str], list[str]]:
    """Return the columns that are compared, and sentences about those that are not.

    Raises
    ------
    ValueError
        As `pair_tables`.

    Examples
    --------
    >>> current = RawTable(("age",), (np.array([1.0]),), "b.csv")
    >>> common_names(["age", "sex"], current, "a.csv", DriftSettings())
    Traceback (most recent call last):
    ...
    ValueError: b.csv must have the columns of a.csv, got none called sex; it has age.
    """
    _check_options(reference_names, source, settings)
    common = [name for name in reference_names if name in current.names]
    absent = [name for name in reference_names if name not in {*current.names, settings.label}]
    if absent:
        found = list_names(current.names)
        raise ValueError(
            f"{current.source} must have the columns of {source}, got none called {list_names(absent)}; it has {found}."
        )
    return common, _tell_of_others(reference_names, current, source, settings)


def _tell_of_others(names: Sequence[str], current: RawTable, source: str, settings: DriftSettings) -> list[str]:
    """Return sentences about columns that only one table has."""
    new, notes = [name for name in current.names if name not in names], []
    if new:
        notes.append(f"{current.source} has columns that {source} has not: {list_names(new)}; they were left out.")
    if settings.label is not None and settings.label not in current.names:
        notes.append(f"{current.source} has no labels yet ({settings.label}): only its features were compared.")
    return notes


def _check_options(names: Sequence[str], source: str, settings: DriftSettings) -> None:
    """Refuse options that name no column."""
    for name in (*settings.types, settings.prediction, settings.label, settings.time):
        if name is not None and name not in names:
            raise ValueError(f"options must name columns of {source}, got {name!r}; it has {list_names(names)}.")


def list_names(names: Sequence[str]) -> str:
    """Return a few names, and how many more there are.

    Examples
    --------
    >>> list_names(["a", "b", "c", "d", "e", "f", "g"])
    'a, b, c, d, e and 2 more'
    """
    shown = ", ".join(names[:NAMES_SHOWN])
    return f"{shown} and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else shown


def share_categories(reference: Column, current: Column) -> tuple[Column, Column]:
    """Return both columns with codes for the same categories: the reference's first, then those it has not seen.

    Examples
    --------
    >>> red, blue = (Column("c", "category", np.array([0]), (name,)) for name in ("red", "blue"))
    >>> [column.values.tolist() for column in share_categories(red, blue)], share_categories(red, blue)[0].categories
    ([[0], [1]], ('red', 'blue'))
    """
    if reference.is_measured or reference.categories == current.categories:
        return reference, current
    known = set(reference.categories)
    categories = (*reference.categories, *(name for name in current.categories if name not in known))
    place = {name: code for code, name in enumerate(categories)}
    new_codes = np.array([*(place[name] for name in current.categories), MISSING_CODE], dtype=np.int64)
    return replace(reference, categories=categories), replace(
        current, values=new_codes[current.values], categories=categories
    )


def share_all_categories(reference: Table, current: Table) -> tuple[Table, Table]:
    """Return two tables of the same columns with the same codes; see `share_categories`.

    Examples
    --------
    >>> red, blue = (Table((Column("c", "category", np.zeros(2, int), (name,)),), "") for name in ("red", "blue"))
    >>> share_all_categories(red, blue)[1]["c"].values.tolist()
    [1, 1]
    """
    paired = [share_categories(one, current[one.name]) for one in reference.columns]
    return (
        replace(reference, columns=tuple(one for one, _ in paired)),
        replace(current, columns=tuple(other for _, other in paired)),
    )


def retype(raw: RawTable, names: Sequence[str], kinds: Sequence[str]) -> Table:
    """Return some columns of a raw table, read as the given kinds.

    Examples
    --------
    >>> retype(RawTable(("age", "sex"), (np.array([1.0]), np.array([0.0])), "b.csv"), ["sex"], ["category"]).names
    ('sex',)
    """
    chosen = _chosen_columns(raw, names)
    columns = zip(names, chosen.columns, kinds, strict=True)
    return Table(tuple(read_column(name, values, kind) for name, values, kind in columns), raw.source, raw.notes)


def _chosen_columns(raw: RawTable, names: Sequence[str]) -> RawTable:
    """Return some columns of a raw table."""
    return replace(raw, names=tuple(names), columns=tuple(raw.columns[raw.names.index(name)] for name in names))


def _common_kind(reference: RawTable, current: RawTable, name: str) -> str:
    """Return the reference's kind; the current table's where the reference says nothing."""
    ours, theirs = (raw.columns[raw.names.index(name)] for raw in (reference, current))
    kind = find_kind(theirs if _is_empty(ours) else ours)
    if kind == ROW_NUMBER and find_kind(theirs) != ROW_NUMBER:
        return "number"
    return kind


def _is_empty(values: np.ndarray) -> bool:
    """Tell whether a raw column holds no value at all."""
    return values.dtype.kind == "f" and bool(np.isnan(values).all())
