"""Floor 2, monitor: accuracy per class and per segment, and the slice that is worse than the rest.

Many slices are looked at, so the worst of them is low by chance alone: a slice is only named if it has enough rows
and chance does not explain its distance from the rest, corrected for the number of slices. May import contracts,
validate and `stats`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinytorch._arguments import check_in_range, check_integer
from tinytorch.mlops._record import Record
from tinytorch.mlops.validate import as_labels, check_rows, check_same_length, to_array
from tinytorch.stats import fisher_exact_counts, holm, wilson_interval
from tinytorch.stats.intervals import DEFAULT_CONFIDENCE

# Below it an interval is wider than any fall worth acting on: at 80% right, 30 rows are sure to 14 points only.
DEFAULT_MINIMUM_ROWS = 30
# One look in a hundred names a slice of a model that treats all alike.
DEFAULT_ALPHA = 0.01


@dataclass(frozen=True)
class Slice(Record):
    """The accuracy of one segment against that of all other rows.

    Attributes
    ----------
    segment, value : str
        What the rows have in common: the segment's name and its value there.
    accuracy, low, high, accuracy_elsewhere : float
        `accuracy_elsewhere` is NaN where there are no other rows.
    n : int
        Rows.
    adjusted_pvalue : float
        Of being no worse than the rest (Fisher, one-sided), corrected for the number of slices; 1 with too few rows.

    Examples
    --------
    >>> print(Slice("class", "7", 0.6, 0.45, 0.73, 0.95, n=40, adjusted_pvalue=0.0001))
    class = 7: accuracy 0.600 [0.450, 0.730] over 40 rows, 0.950 elsewhere
    """

    segment: str
    value: str
    accuracy: float
    low: float
    high: float
    accuracy_elsewhere: float
    n: int
    adjusted_pvalue: float

    def __str__(self) -> str:
        figures = f"accuracy {self.accuracy:.3f} [{self.low:.3f}, {self.high:.3f}] over {self.n} rows"
        elsewhere = "" if math.isnan(self.accuracy_elsewhere) else f", {self.accuracy_elsewhere:.3f} elsewhere"
        return f"{self.segment} = {self.value}: {figures}{elsewhere}"


def accuracy_by_slice(
    correct: Any, segments: Mapping[str, Any], *, minimum_rows: int = DEFAULT_MINIMUM_ROWS
) -> tuple[Slice, ...]:
    """Return the accuracy of every slice, segment by segment, the lowest first within each.

    Parameters
    ----------
    correct : array_like of bool, shape (n,)
        Which answers were right, such as `LabelledBatch.correct`.
    segments : mapping of str to array_like of shape (n,)
        Name of a segment -> its value in each row, such as `{"class": labels, "camera": cameras}`. Missing values
        (None, NaN) are a slice like any other.
    minimum_rows : int
        A slice with fewer rows is listed, but never tested.

    Raises
    ------
    ValueError
        If there are no rows or no segments, or the lengths differ.

    Examples
    --------
    >>> for part in accuracy_by_slice([1, 1, 0, 0], {"camera": ["a", "a", "b", "b"]}):
    ...     print(part)
    camera = b: accuracy 0.000 [0.000, 0.658] over 2 rows, 1.000 elsewhere
    camera = a: accuracy 1.000 [0.342, 1.000] over 2 rows, 0.000 elsewhere
    """
    right = as_labels(correct, "correct", n_classes=2)
    check_rows(right, "correct")
    check_integer(minimum_rows, "minimum_rows", minimum=1)
    if not segments:
        raise ValueError("segments must hold at least one segment, got none.")
    names, counts = _tally(right, segments)
    pvalues = _adjusted_pvalues(counts, int(right.sum()), len(right), minimum_rows)
    parts = [_slice(*parts, right) for parts in zip(names, counts, pvalues.tolist(), strict=True)]
    order = {segment: place for place, segment in enumerate(segments)}
    return tuple(sorted(parts, key=lambda part: (order[part.segment], part.accuracy)))


def worst_slice(
    correct: Any,
    segments: Mapping[str, Any],
    *,
    minimum_rows: int = DEFAULT_MINIMUM_ROWS,
    alpha: float = DEFAULT_ALPHA,
) -> Slice | None:
    """Return the slice that is most surely worse than the rest, or None if chance may explain them all.

    Parameters
    ----------
    correct, segments, minimum_rows
        As in `accuracy_by_slice`.
    alpha : float
        Chance of naming a slice when there is none: at most this, over all slices together.

    Raises
    ------
    ValueError
        As in `accuracy_by_slice`, and if `alpha` is not between 0 and 1.

    Examples
    --------
    >>> correct, camera = np.arange(200) % 10 > 0, np.arange(200) // 150
    >>> worst_slice(correct, {"camera": camera}) is None
    True
    >>> print(worst_slice(correct & ((camera == 0) | (np.arange(200) % 2 > 0)), {"camera": camera}))
    camera = 1: accuracy 0.500 [0.366, 0.634] over 50 rows, 0.900 elsewhere
    """
    check_in_range(alpha, "alpha", 0.0, 1.0, open_ends=True)
    parts = accuracy_by_slice(correct, segments, minimum_rows=minimum_rows)
    worst = min(parts, key=lambda part: (part.adjusted_pvalue, part.accuracy))
    return worst if worst.adjusted_pvalue <= alpha else None


def _tally(right: np.ndarray, segments: Mapping[str, Any]) -> tuple[list[tuple[str, str]], list[tuple[int, int]]]:
    """Return (segment, value) and (right, rows) of every slice."""
    names, counts = [], []
    for segment, given in segments.items():
        values = _as_values(given, f"segments[{segment!r}]")
        check_same_length({"correct": right, f"segments[{segment!r}]": values})
        found, places = np.unique(values, return_inverse=True)
        rows, successes = np.bincount(places), np.bincount(places, weights=right)
        names += [(segment, str(value)) for value in found.tolist()]
        counts += list(zip(successes.astype(int).tolist(), rows.tolist(), strict=True))
    return names, counts


def _as_values(given: Any, name: str) -> np.ndarray:
    """Return one value a row, shape (n,), that can be sorted: Python objects (None among them) by their text."""
    values = to_array(given, name)
    if values.ndim != 1:
        raise ValueError(f"{name} must have shape (n,), got {values.shape}.")
    return values.astype(str) if values.dtype == object else values


def _adjusted_pvalues(counts: list[tuple[int, int]], n_right: int, n: int, minimum_rows: int) -> np.ndarray:
    """Return one p-value a slice: no worse than the rest; Holm's correction over those with enough rows."""
    right, rows = np.array(counts).T
    tested = (rows >= minimum_rows) & (rows < n)
    pvalues = np.ones(len(rows))
    if tested.any():
        elsewhere = n_right - right[tested], n - rows[tested]
        pvalues[tested] = holm(fisher_exact_counts(*elsewhere, right[tested], rows[tested], "less").pvalue)
    return pvalues


def _slice(name: tuple[str, str], count: tuple[int, int], pvalue: float, right: np.ndarray) -> Slice:
    """Write one slice down."""
    n_right, n = count
    low, high = map(float, wilson_interval(n_right, n, DEFAULT_CONFIDENCE))
    others = len(right) - n
    elsewhere = (int(right.sum()) - n_right) / others if others else math.nan
    return Slice(*name, n_right / n, low, high, elsewhere, n, pvalue)
