"""Floor 4: has this table drifted away from that one? The door for Python; `tinytorch drift` is the one for files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinytorch.adapters.drift_chunks import ChunkFinding, cut_chunks, find_alarms
from tinytorch.adapters.drift_facts import ColumnFacts
from tinytorch.adapters.drift_findings import column_effect, judge_columns, judge_jointly
from tinytorch.adapters.drift_joint import compare_jointly
from tinytorch.adapters.drift_pair import common_names, pair_tables, retype, share_categories
from tinytorch.adapters.drift_profile import ColumnProfile
from tinytorch.adapters.drift_quality import QualityFinding, compare_quality
from tinytorch.adapters.drift_reference import Reference, fit_reference
from tinytorch.adapters.drift_report import TableDriftReport
from tinytorch.adapters.drift_settings import DriftSettings
from tinytorch.adapters.drift_streams import ProfiledTable, compare_profiles, pair_samples, profile_pair
from tinytorch.adapters.drift_time_order import sort_by_time
from tinytorch.adapters.drift_verdict import NumericDetector, choose_method
from tinytorch.adapters.read_csv import Progress
from tinytorch.adapters.read_table import is_too_large, read_raw
from tinytorch.adapters.saved_reference import is_saved_reference, load_reference
from tinytorch.adapters.tables import UNTESTED, Column, Table

DEFAULT_SETTINGS = DriftSettings()


def compare_tables(
    reference: object,
    current: object,
    settings: DriftSettings = DEFAULT_SETTINGS,
    detector: NumericDetector | None = None,
    progress: Progress | None = None,
) -> TableDriftReport:
    """Return a report on whether, where and how far the current table has drifted from the reference.

    Parameters
    ----------
    reference, current : path-like, ndarray, mapping of columns, or a frame of pandas, polars or pyarrow
        A path may also name a file that `save_reference` wrote, as the reference. Files above 500 MB are read in
        blocks and summed up.
    settings : DriftSettings
    detector : object with `fit` and `detect_drift`, optional
        Judges the measured columns in place of the library's tests.
    progress : callable, optional
        Called with the number of bytes read from a CSV file.

    Raises
    ------
    MissingExtraError
        If a file needs pyarrow and it is not installed.
    ValueError
        If a table cannot be read or the two cannot be compared; the message says why.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> reference = {"age": rng.normal(40, 10, 900), "sex": rng.choice(["f", "m"], 900)}
    >>> current = {"age": rng.normal(44, 10, 900), "sex": rng.choice(["f", "m"], 900)}
    >>> report = compare_tables(reference, current)
    >>> report.drifted, report.drifted_columns
    (True, ('age',))
    >>> print(report.columns[1].sentence)
    `sex` did not move more than chance explains
    """
    return judge(open_tables(reference, current, settings, progress), settings, detector)


@dataclass(frozen=True, eq=False)
class OpenTables:
    """Both sides, read and brought to the same columns.

    Examples
    --------
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
    MissingExtraError, ValueError
        As `compare_tables`.

    Examples
    --------
    See `OpenTables`.
    """
    if is_saved_reference(reference):
        return _open_saved(load_reference(reference), current, settings)  # type: ignore[arg-type]
    if is_too_large(reference) or is_too_large(current):
        fitted, summed = profile_pair(reference, current, settings, progress)
        return OpenTables(fitted, summed, (), (*fitted.notes, *summed.notes))
    keep_text = [name for name, kind in settings.types.items() if kind in ("category", "text")]
    raw = [
        read_raw(source, name, keep_text, progress) for source, name in ((reference, "reference"), (current, "current"))
    ]
    pair = pair_tables(raw[0], raw[1], settings)
    before, after = pair.reference, pair.current
    if settings.time is not None:
        before, after = sort_by_time(before, settings.time), sort_by_time(after, settings.time)
    untested = tuple((one.name, one.kind) for one in before.columns if one.kind in UNTESTED)
    left_out = {settings.time, *(name for name, _ in untested)}
    names = [name for name in before.names if name not in left_out]
    if not names:
        raise ValueError(f"{before.source} must have a column that can be tested, got only {', '.join(before.names)}.")
    return OpenTables(fit_reference(before, names), after, untested, pair.notes)


def judge(tables: OpenTables, settings: DriftSettings, detector: NumericDetector | None = None) -> TableDriftReport:
    """Test the columns, all of them together, and the chunks, and write the report.

    Examples
    --------
    >>> tables = open_tables({"x": np.arange(90.0) % 9}, {"x": np.arange(90.0) % 9}, DriftSettings())
    >>> judge(tables, DriftSettings()).drifted
    False
    """
    reference, current = tables.reference, tables.current
    if isinstance(current, ProfiledTable):
        facts, shapes = compare_profiles(reference, current)
        rows = None if reference.rows is None else pair_samples(reference.rows, current.sample)
    else:
        facts, shapes = reference.compare(current), reference.shapes(current)
        rows = None if reference.rows is None else (reference.rows, current)
    features = [one.name for one in facts if settings.role(one.name) == "feature"]
    method = choose_method(rows, facts, settings, detector)
    pvalues, adjusted, facts = method.test(rows, facts, settings)
    joint = ()
    if method.joint and rows is not None:
        joint = compare_jointly(*rows, features, settings.alpha, np.random.default_rng(settings.seed))
    chunks = _judge_chunks(tables, settings, detector) if isinstance(current, Table) and settings.chunked else ()
    return TableDriftReport(
        reference.source,
        current.source,
        reference.n_rows,
        current.n_rows,
        judge_columns(facts, pvalues, adjusted, settings),
        judge_jointly(joint, method.n_families, settings),
        settings.alpha,
        settings.minimum_effect,
        method.n_families,
        chunks,
        find_alarms(chunks, settings.chunks_in_a_row),
        _judge_quality(rows, settings) if isinstance(current, Table) else None,
        tables.untested,
        (*tables.notes, *method.notes),
        shapes,
    )


def _judge_chunks(
    tables: OpenTables, settings: DriftSettings, detector: NumericDetector | None
) -> tuple[ChunkFinding, ...]:
    """Judge each chunk of the current table, column by column."""
    if not isinstance(tables.current, Table):
        return ()
    reference, apart = tables.reference, replace(settings, joint=False)
    findings = []
    for label, chunk in cut_chunks(tables.current, settings):
        rows = None if reference.rows is None else (reference.rows, chunk)
        facts: Sequence[ColumnFacts] = reference.compare(chunk)
        method = choose_method(rows, facts, apart, detector)
        pvalues, adjusted, facts = method.test(rows, facts, apart)
        columns = judge_columns(facts, pvalues, adjusted, apart)
        drifted = tuple(one.name for one in columns if one.drifted)
        effects = tuple(column_effect(one) for one in facts)
        findings.append(ChunkFinding(label, chunk.n_rows, bool(drifted), effects, drifted))
    return tuple(findings)


def _judge_quality(rows: tuple[Table, Table] | None, settings: DriftSettings) -> QualityFinding | None:
    """Compare predictions with labels where both tables have both."""
    if rows is None or settings.prediction is None or settings.label is None:
        return None
    if settings.label not in rows[1].names:
        return None
    return compare_quality(*rows, settings.prediction, settings.label)


def _open_saved(reference: Reference, current: object, settings: DriftSettings) -> OpenTables:
    """Read a current table as the columns of a saved reference."""
    if settings.types:
        raise ValueError("types must be given when the reference is saved, got some for a saved one.")
    keep_text = [
        name for name, kind in zip(reference.names, reference.kinds, strict=True) if kind in ("category", "text")
    ]
    raw = read_raw(current, "current", keep_text)
    known = [*reference.names, *([settings.time] if settings.time is not None else [])]
    names, notes = common_names(known, raw, reference.source, settings)
    kinds = dict(zip(reference.names, reference.kinds, strict=True))
    if settings.time is not None:
        kinds[settings.time] = "date" if raw.columns[raw.names.index(settings.time)].dtype.kind in "OM" else "number"
    table = retype(raw, names, [kinds[name] for name in names])
    kept = reference.select(names)
    table = replace(table, columns=tuple(_with_codes_of(kept, column) for column in table.columns))
    if settings.time is not None:
        table = sort_by_time(table, settings.time)
    return OpenTables(kept, table, (), (*reference.notes, *raw.notes, *notes))


def _with_codes_of(reference: Reference, column: Column) -> Column:
    """Return a column with the codes of the reference's column, where that one has codes."""
    for one in reference.columns:
        if not isinstance(one, ColumnProfile) and one.column.name == column.name:
            return share_categories(one.column, column)[1]
    return column
