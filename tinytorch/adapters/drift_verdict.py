"""Floor 4: which tests judge the columns: independent rows, rows in the order of time, or a detector handed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from tinytorch.adapters.drift_facts import ColumnFacts
from tinytorch.adapters.drift_findings import column_pvalue, correct_columns
from tinytorch.adapters.drift_joint import FEWEST_JOINT_ROWS
from tinytorch.adapters.drift_settings import DriftSettings
from tinytorch.adapters.drift_time_order import (
    LARGEST_HARMLESS_CORRELATION,
    MOST_ORDERED_ROWS,
    compare_in_time_order,
    strongest_correlation,
    tell_alike,
)
from tinytorch.adapters.tables import MEASURED, Table
from tinytorch.mlops.contracts import DriftReport

# A detector handed in may shuffle all rows hundreds of times: it sees an even draw of so many of each table.
MOST_DETECTOR_ROWS = 5_000
BLOCKS = "shuffled blocks of rows"
IF_ORDERED = (
    "If the rows are in the order of time, p-values are too small: name the column of their times, and blocks of rows "
    "are shuffled instead."
)
NO_JOINT_TESTS = "Tests of all columns together suppose independent rows and were left out."

Rows = tuple[Table, Table] | None
Tested = tuple[Sequence[float], Sequence[float], Sequence[ColumnFacts]]


class NumericDetector(Protocol):
    """What judges measured columns: a lesson's class or one of the library's detectors."""

    def fit(self, reference: np.ndarray) -> Any:
        """Learn a reference of shape (n, n_columns)."""

    def detect_drift(self, current: np.ndarray, now: float) -> DriftReport:
        """Compare a table of shape (m, n_columns)."""


@dataclass(frozen=True, eq=False)
class Method:
    """How the columns of one report are tested.

    Attributes
    ----------
    in_time_order : bool
    joint : bool
        Whether all columns together are tested as well.
    n_families : int
        Groups of tests that share alpha.
    detector : NumericDetector or None
    notes : tuple of str

    Examples
    --------
    >>> Method(False, True, 2).test(None, [], DriftSettings())
    ([], [], [])
    """

    in_time_order: bool
    joint: bool
    n_families: int
    detector: NumericDetector | None = None
    notes: tuple[str, ...] = ()

    def test(self, rows: Rows, facts: Sequence[ColumnFacts], settings: DriftSettings) -> Tested:
        """Return the columns' p-values, the adjusted ones, and their facts with the test that was run."""
        if not facts:
            return [], [], []
        if self.in_time_order and rows is not None:
            return _by_blocks(rows, facts, settings)
        pvalues = [column_pvalue(one) for one in facts]
        if self.detector is not None and rows is not None:
            return _by_detector(self.detector, rows, facts, pvalues, self.n_families)
        return pvalues, correct_columns(pvalues, self.n_families).tolist(), facts


def choose_method(
    rows: Rows, facts: Sequence[ColumnFacts], settings: DriftSettings, detector: NumericDetector | None = None
) -> Method:
    """Return the method that fits, and what the reader should know about it.

    Examples
    --------
    >>> choose_method(None, [], DriftSettings()).joint
    False
    """
    joint = settings.joint and _can_join(rows, facts, settings)
    families = 1 + joint + (detector is not None)
    name, correlation = _strongest(rows, [one.name for one in facts if one.kind in MEASURED])
    if correlation <= LARGEST_HARMLESS_CORRELATION:
        return Method(False, joint, families, detector)
    alike = tell_alike(name, correlation)
    if settings.time is None:
        return Method(False, joint, families, detector, (f"Warning: {alike}. {IF_ORDERED}",))
    note = f"Since {alike}, p-values come from shuffles of whole blocks of rows{_thinning(rows)}."
    return Method(True, False, 1, None, (note, NO_JOINT_TESTS))


def _can_join(rows: Rows, facts: Sequence[ColumnFacts], settings: DriftSettings) -> bool:
    """Tell whether there are rows and features enough to look at all of them together."""
    n_features = sum(settings.role(one.name) == "feature" for one in facts)
    return rows is not None and n_features > 1 and min(table.n_rows for table in rows) >= FEWEST_JOINT_ROWS


def _thinning(rows: Rows) -> str:
    """Say that not all rows are shuffled, where there are too many."""
    is_thinned = rows is not None and sum(table.n_rows for table in rows) > MOST_ORDERED_ROWS
    return f" ({MOST_ORDERED_ROWS:,} rows at even steps)" if is_thinned else ""


def _strongest(rows: Rows, names: Sequence[str]) -> tuple[str, float]:
    """Return the column with the strongest autocorrelation in either table."""
    if rows is None or not names:
        return "", 0.0
    return max((strongest_correlation(table, names) for table in rows), key=lambda found: found[1])


def _by_blocks(rows: tuple[Table, Table], facts: Sequence[ColumnFacts], settings: DriftSettings) -> Tested:
    """Shuffle blocks of rows."""
    names, rng = [one.name for one in facts], np.random.default_rng(settings.seed)
    alone, together = compare_in_time_order(*rows, names, settings.alpha, rng)
    return (
        alone.tolist(),
        together.tolist(),
        [replace(one, test=BLOCKS, pvalue=float(p)) for one, p in zip(facts, alone, strict=True)],
    )


def _by_detector(
    detector: NumericDetector, rows: tuple[Table, Table], facts: Sequence[ColumnFacts], pvalues: list[float], n: int
) -> Tested:
    """Let a detector judge the measured columns, which it corrects for their number itself, and Holm the others."""
    is_mine = np.array([_is_measured_in_both(one) for one in facts])
    adjusted, all_pvalues, told = np.ones(len(facts)), np.array(pvalues), list(facts)
    if not is_mine.all():
        adjusted[~is_mine] = correct_columns(all_pvalues[~is_mine].tolist(), n)
    if is_mine.any():
        names = [one.name for one, mine in zip(facts, is_mine, strict=True) if mine]
        detector.fit(_matrix(rows[0], names))
        report = detector.detect_drift(_matrix(rows[1], names), 0.0)
        adjusted[is_mine] = np.minimum(1.0, n * report.adjusted_pvalue)
        all_pvalues[is_mine] = report.pvalue
        for place in np.flatnonzero(is_mine).tolist():
            told[place] = replace(facts[place], test=f"your {type(detector).__name__}", pvalue=all_pvalues[place])
    return all_pvalues.tolist(), adjusted.tolist(), told


def _is_measured_in_both(one: ColumnFacts) -> bool:
    """Tell whether a column is measured and has values in both tables."""
    is_empty = one.missing_reference == one.n_reference or one.missing_current == one.n_current
    return one.kind in MEASURED and not is_empty


def _matrix(table: Table, names: Sequence[str]) -> np.ndarray:
    """Return some columns side by side, of at most so many rows at even steps."""
    step = -(-table.n_rows // MOST_DETECTOR_ROWS)
    return np.column_stack([table[name].values[::step] for name in names])
