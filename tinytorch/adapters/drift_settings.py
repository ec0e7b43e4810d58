"""Floor 4: what a person can choose about a drift report, checked once. Numpy and standard library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tinytorch._arguments import check_choice, check_in_range, check_integer, check_positive
from tinytorch.adapters.tables import KINDS

# One clean pair of tables in a hundred is called drifted, whatever the number of columns.
DEFAULT_REPORT_ALPHA = 0.01
# Cohen's small effect, in standard deviations: less than that hardly moves a model's answers.
DEFAULT_REPORT_EFFECT = 0.2
# One odd chunk is an event, two in a row are a state.
DEFAULT_CHUNKS_IN_A_ROW = 2


@dataclass(frozen=True)
class DriftSettings:
    """How two tables are compared.

    Attributes
    ----------
    alpha : float
        Chance that two tables of one law are called drifted, at most, over all tests of the report together.
    minimum_effect : float
        Shifts below so many standard deviations are reported and raise no verdict.
    types : mapping of column name to kind
        Overrides the kinds that are found: "number", "category", "date", "text", "boolean" or "row number".
    prediction, label : str, optional
        Columns that are no features: they get sections of their own.
    time : str, optional
        The column that says when a row was recorded; rows are put in its order, and it is not tested.
    chunk_rows : int, optional
        Rows of a chunk of the current table.
    chunk_every_s : float, optional
        Seconds of a chunk; needs `time`.
    chunks_in_a_row : int
        Drifted chunks in a row that make an alarm.
    joint : bool
        Whether all columns are also looked at together.
    seed : int
        Draws the rows and shuffles of the tests that need some: the same tables always get the same report.

    Raises
    ------
    ValueError
        If one of them breaks its rule.

    Examples
    --------
    >>> DriftSettings(alpha=0.05, types={"age": "category"}).chunks_in_a_row
    2
    >>> DriftSettings(chunk_every_s=60.0)
    Traceback (most recent call last):
    ...
    ValueError: time must name the column of the rows' times when chunks are cut by time, got None.
    """

    alpha: float = DEFAULT_REPORT_ALPHA
    minimum_effect: float = DEFAULT_REPORT_EFFECT
    types: Mapping[str, str] = field(default_factory=dict)
    prediction: str | None = None
    label: str | None = None
    time: str | None = None
    chunk_rows: int | None = None
    chunk_every_s: float | None = None
    chunks_in_a_row: int = DEFAULT_CHUNKS_IN_A_ROW
    joint: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        check_in_range(self.alpha, "alpha", 0, 1, open_ends=True)
        check_in_range(self.minimum_effect, "minimum_effect", 0.0, np.inf)
        check_integer(self.chunks_in_a_row, "chunks_in_a_row", minimum=1)
        check_integer(self.seed, "seed")
        for name, kind in self.types.items():
            check_choice(kind, f"type of {name}", KINDS)
        self._check_chunks()
        self._check_roles()

    def role(self, name: str) -> str:
        """Return "prediction", "label", "time" or "feature" for a column's name."""
        roles = {self.prediction: "prediction", self.label: "label", self.time: "time"}
        return roles.get(name, "feature")

    @property
    def text_columns(self) -> tuple[str, ...]:
        """Columns of a file that stay text even if every cell is a number, so that the code 007 does not become 7."""
        return tuple(name for name, kind in self.types.items() if kind in ("category", "text"))

    @property
    def chunked(self) -> bool:
        """Whether the current table is cut into chunks."""
        return self.chunk_rows is not None or self.chunk_every_s is not None

    def _check_chunks(self) -> None:
        """Check the two ways to cut chunks."""
        if self.chunk_rows is not None:
            check_integer(self.chunk_rows, "chunk_rows", minimum=2)
        if self.chunk_every_s is None:
            return
        check_positive(self.chunk_every_s, "chunk_every_s")
        if self.chunk_rows is not None:
            raise ValueError("chunks must be cut by rows or by time, got both.")
        if self.time is None:
            raise ValueError("time must name the column of the rows' times when chunks are cut by time, got None.")

    def _check_roles(self) -> None:
        """Check that no column has two roles."""
        named = [name for name in (self.prediction, self.label, self.time) if name is not None]
        if len(set(named)) < len(named):
            raise ValueError(f"prediction, label and time must name different columns, got {', '.join(named)}.")
