"""Floor 4: the whole report on two tables, as one record for a program, a terminal, a notebook and a page."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any

from tinytorch.adapters.drift_advice import advise, detectable_shift, rate_severity
from tinytorch.adapters.drift_chunks import ChunkAlarm, ChunkFinding
from tinytorch.adapters.drift_findings import ColumnFinding, JointFinding
from tinytorch.adapters.drift_pair import list_names
from tinytorch.adapters.drift_quality import QualityFinding
from tinytorch.adapters.drift_shapes import ColumnShape
from tinytorch.mlops._record import Record

FORMAT_NUMBER = 1


@dataclass(frozen=True, eq=False)
class TableDriftReport(Record):
    """What was found when a current table was held against a reference.

    Attributes
    ----------
    reference, current : str
        Where the tables came from.
    n_reference, n_current : int
        Rows.
    columns : tuple of ColumnFinding
    joint : tuple of JointFinding
        Of all features together.
    alpha, minimum_effect : float
        The report says drift of two tables of one law with probability alpha at most.
    n_families : int
        Groups of tests that share alpha.
    chunks : tuple of ChunkFinding
    alarms : tuple of ChunkAlarm
    quality : QualityFinding or None
    untested : tuple of (name, kind)
        Columns that were left out of the tests, such as row numbers.
    notes : tuple of str
        What the reader should know.
    shapes : tuple of ColumnShape
        The distributions, for drawings; no part of `to_dict`.

    Examples
    --------
    >>> report = TableDriftReport("a.csv", "b.csv", 100, 100, (), (), 0.01, 0.2)
    >>> print(report)
    no drift in 0 columns of b.csv against a.csv
    """

    reference: str
    current: str
    n_reference: int
    n_current: int
    columns: tuple[ColumnFinding, ...]
    joint: tuple[JointFinding, ...]
    alpha: float
    minimum_effect: float
    n_families: int = 1
    chunks: tuple[ChunkFinding, ...] = ()
    alarms: tuple[ChunkAlarm, ...] = ()
    quality: QualityFinding | None = None
    untested: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    shapes: tuple[ColumnShape, ...] = field(default=(), repr=False)

    @property
    def drifted_columns(self) -> tuple[str, ...]:
        """The names of the columns that drifted, the largest effect first."""
        return tuple(one.name for one in self.list_drifted())

    def list_drifted(self) -> list[ColumnFinding]:
        """Return the findings of the columns that drifted, the largest effect first."""
        return sorted((one for one in self.columns if one.drifted), key=lambda one: -one.effect_size)

    @property
    def drifted(self) -> bool:
        """Whether a column, all columns together, or several chunks in a row drifted."""
        return bool(self.drifted_columns or any(one.drifted for one in self.joint) or self.alarms)

    @property
    def severity(self) -> str:
        """How large the largest effect of a drifted column is: "none", "low", "medium" or "high".

        Where no column drifted, that of the chunks behind an alarm, or of all columns together.
        """
        columns = [one.effect_size for one in self.columns if one.drifted]
        together = [one.facts.effect_size for one in self.joint if one.drifted]
        return rate_severity(columns or self._effects_of_alarms() or together)

    def _effects_of_alarms(self) -> list[float]:
        """Return the effects of drifted chunks, if several in a row made an alarm."""
        return [chunk.largest_effect for chunk in self.chunks if chunk.drifted] if self.alarms else []

    @property
    def recommendations(self) -> tuple[str, ...]:
        """What to do next, from the figures."""
        alarms = tuple(f"Look at what changed then: {alarm}." for alarm in self.alarms)
        if alarms and not (self.drifted_columns or any(one.drifted for one in self.joint)):
            return alarms
        worse = () if self.quality is None else (f"On the labels at hand, {self.quality.sentence}.",)
        has_labels = any(one.role == "label" for one in self.columns)
        return (*advise(self.columns, self.joint, has_labels), *alarms, *worse)

    @property
    def detectable_shift(self) -> float:
        """The shift, in standard deviations, that tables of this size show about every second time."""
        n_tests = self.n_families * max(1, len(self.columns))
        return detectable_shift(self.n_reference, self.n_current, self.alpha, n_tests)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the shapes as plain values; what is not a number becomes None."""
        content = super().to_dict()
        del content["shapes"]
        derived = {
            "format": FORMAT_NUMBER,
            "drifted": self.drifted,
            "severity": self.severity,
            "drifted_columns": list(self.drifted_columns),
            "recommendations": list(self.recommendations),
            "detectable_shift": self.detectable_shift,
        }
        plain: dict[str, Any] = _finite({**derived, **content})
        return plain

    def to_json(self) -> str:
        """Return the report as JSON text."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n"

    def __str__(self) -> str:
        where = f"{len(self.columns)} columns of {self.current} against {self.reference}"
        if not self.drifted:
            return f"no drift in {where}"
        found = list_names(self.drifted_columns) if self.drifted_columns else "all columns together"
        if not self.drifted_columns and self.alarms:
            found = "some chunks"
        return f"drift ({self.severity}) in {len(self.drifted_columns)} of {where}: {found}"


def _finite(value: Any) -> Any:
    """Replace NaN and infinities by None, all the way down: JSON has no words for them."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
