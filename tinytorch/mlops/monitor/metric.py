"""Floor 2, monitor: one measured figure with its interval. May import the records' base and the cellar."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tinytorch._arguments import check_in_range, check_integer
from tinytorch.mlops._record import Record
from tinytorch.mlops.validate import check_text


@dataclass(frozen=True)
class Metric(Record):
    """One figure about a model, how far chance may have moved it, and the rows that it rests on.

    Attributes
    ----------
    name : str
    value, low, high : float
        The figure, and the interval that covers the true one with the confidence it was made for.
    n : int
        Rows measured.

    Raises
    ------
    ValueError
        If the interval is turned round, a number is not finite, or there are no rows.

    Examples
    --------
    >>> print(Metric("accuracy", 0.9, 0.825, 0.945, n=100))
    accuracy 0.900 [0.825, 0.945], 100 rows
    """

    name: str
    value: float
    low: float
    high: float
    n: int

    def __post_init__(self) -> None:
        check_text(self.name, "name")
        check_integer(self.n, "n", minimum=1)
        for bound in ("value", "low", "high"):
            check_in_range(getattr(self, bound), bound, -math.inf, math.inf)
        if self.low > self.high:
            raise ValueError(f"low must be <= high, got {self.low} and {self.high}.")

    def __str__(self) -> str:
        return f"{self.name} {self.value:.3f} [{self.low:.3f}, {self.high:.3f}], {self.n:,} rows"
