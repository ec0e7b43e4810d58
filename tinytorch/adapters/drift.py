"""Floor 4: has this table drifted away from that one? The door for Python; `tinytorch drift` is the one for files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinytorch.adapters.drift_chunks import ChunkFinding, cut_chunks, find_alarms
from tinytorch.adapters.drift_facts import ColumnFacts
from tinytorch.adapters.drift_findings import ColumnFinding, column_effect, judge_columns, judge_jointly
from tinytorch.adapters.drift_joint import JointFacts, compare_jointly
from tinytorch.adapters.drift_open import OpenTables, open_tables
from tinytorch.adapters.drift_pair import share_all_categories
from tinytorch.adapters.drift_quality import QualityFinding, compare_quality
from tinytorch.adapters.drift_report import TableDriftReport
from tinytorch.adapters.drift_settings import DriftSettings
from tinytorch.adapters.drift_shapes import ColumnShape
from tinytorch.adapters.drift_streams import ProfiledTable, compare_chunks, compare_profiles
from tinytorch.adapters.drift_verdict import Method, NumericDetector, Rows, choose_method
from tinytorch.adapters.read_csv import Progress
from tinytorch.adapters.tables import Table

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
        Called after each block of a CSV file with its number of bytes.

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
    return judge_tables(open_tables(reference, current, settings, progress), settings, detector)


def judge_tables(
    tables: OpenTables, settings: DriftSettings, detector: NumericDetector | None = None
) -> TableDriftReport:
    """Test the columns, all of them together, and the chunks, and write the report.

    Examples
    --------
    >>> tables = open_tables({"x": np.arange(90.0) % 9}, {"x": np.arange(90.0) % 9}, DriftSettings())
    >>> judge_tables(tables, DriftSettings()).drifted
    False
    """
    facts, shapes, rows = _measure(tables)
    method = choose_method(rows, facts, settings, detector)
    chunks = _judge_chunks(tables, settings, detector) if settings.chunked else ()
    return TableDriftReport(
        reference=tables.reference.source,
        current=tables.current.source,
        n_reference=tables.reference.n_rows,
        n_current=tables.current.n_rows,
        columns=_judge_columns(method, rows, facts, settings),
        joint=judge_jointly(_look_jointly(method, rows, facts, settings), method.n_families, settings),
        alpha=settings.alpha,
        minimum_effect=settings.minimum_effect,
        n_families=method.n_families,
        chunks=chunks,
        alarms=find_alarms(chunks, settings.chunks_in_a_row),
        quality=_judge_quality(tables, settings),
        untested=tables.untested,
        notes=(*tables.notes, *method.notes),
        shapes=shapes,
    )


def _measure(tables: OpenTables) -> tuple[list[ColumnFacts], tuple[ColumnShape, ...], Rows]:
    """Return the facts and shapes of all columns, and rows of both sides where some are at hand."""
    reference, current = tables.reference, tables.current
    if isinstance(current, ProfiledTable):
        facts, shapes = compare_profiles(reference, current)
        rows = None if reference.rows is None else share_all_categories(reference.rows, current.sample)
        return facts, shapes, rows
    return reference.compare(current), reference.shapes(current), _rows_of_both(reference.rows, current)


def _rows_of_both(reference: Table | None, current: Table) -> Rows:
    """Return the rows of both sides, or None where the reference has none."""
    return None if reference is None else (reference, current)


def _judge_columns(
    method: Method, rows: Rows, facts: list[ColumnFacts], settings: DriftSettings
) -> tuple[ColumnFinding, ...]:
    """Test the columns one by one."""
    pvalues, adjusted, told = method.test(rows, facts, settings)
    return judge_columns(told, pvalues, adjusted, settings)


def _look_jointly(
    method: Method, rows: Rows, facts: list[ColumnFacts], settings: DriftSettings
) -> tuple[JointFacts, ...]:
    """Test all features together, if the method has such tests."""
    if not method.joint or rows is None:
        return ()
    features = [one.name for one in facts if settings.role(one.name) == "feature"]
    return compare_jointly(*rows, features, settings.alpha, np.random.default_rng(settings.seed))


def _judge_chunks(
    tables: OpenTables, settings: DriftSettings, detector: NumericDetector | None
) -> tuple[ChunkFinding, ...]:
    """Judge each chunk of the current table, column by column."""
    current, alone = tables.current, replace(settings, joint=False)
    if isinstance(current, ProfiledTable):
        measured = compare_chunks(tables.reference, current)
        return tuple(_judge_chunk(label, facts, None, (alone, None)) for label, facts in measured)
    return tuple(
        _judge_chunk(
            label, tables.reference.compare(chunk), _rows_of_both(tables.reference.rows, chunk), (alone, detector)
        )
        for label, chunk in cut_chunks(current, settings)
    )


def _judge_chunk(
    label: str, facts: list[ColumnFacts], rows: Rows, how: tuple[DriftSettings, NumericDetector | None]
) -> ChunkFinding:
    """Judge one chunk."""
    settings, detector = how
    columns = _judge_columns(choose_method(rows, facts, settings, detector), rows, facts, settings)
    drifted = tuple(one.name for one in columns if one.drifted)
    return ChunkFinding(label, facts[0].n_current, bool(drifted), tuple(map(column_effect, facts)), drifted)


def _judge_quality(tables: OpenTables, settings: DriftSettings) -> QualityFinding | None:
    """Compare predictions with labels where both tables have both."""
    reference, current = tables.reference.rows, tables.current
    if reference is None or isinstance(current, ProfiledTable):
        return None
    if settings.prediction is None or settings.label is None or settings.label not in current.names:
        return None
    return compare_quality(reference, current, settings.prediction, settings.label)
