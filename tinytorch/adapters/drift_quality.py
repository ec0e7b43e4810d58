"""Floor 4: where predictions and labels are both at hand: did the model itself get worse? Uses `stats`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinytorch.adapters.drift_pair import share_categories
from tinytorch.adapters.tables import COUNTED, Table
from tinytorch.mlops._record import Record
from tinytorch.stats import fisher_exact_counts, welch_t_test, wilson_interval

# A label with more different values than this is measured, not named.
MOST_CLASSES = 50
FEWEST_JUDGED_ROWS = 2


@dataclass(frozen=True)
class QualityFinding(Record):
    """How good the predictions were in the reference and are now.

    Attributes
    ----------
    measure : str
        "accuracy" or "mean absolute error".
    reference, current : float
    interval : tuple of two float
        95% interval of the current accuracy; NaN for an error.
    pvalue : float
        Of equal quality.
    sentence : str

    Examples
    --------
    >>> QualityFinding("accuracy", 0.9, 0.8, (0.7, 0.87), 0.01, "").measure
    'accuracy'
    """

    measure: str
    reference: float
    current: float
    interval: tuple[float, float]
    pvalue: float
    sentence: str


def compare_quality(reference: Table, current: Table, prediction: str, label: str) -> QualityFinding | None:
    """Return how the predictions fared against the labels, or None where too few rows have both.

    Examples
    --------
    >>> from tinytorch.adapters.tables import Column
    >>> def people(labels):
    ...     columns = Column("guess", "number", np.ones(20)), Column("truth", "number", np.array(labels))
    ...     return Table(columns, "people.csv")
    >>> print(compare_quality(people([1.0] * 20), people([1.0] * 10 + [0.0] * 10), "guess", "truth").sentence)
    accuracy fell from 100% to 50% (95% interval 30% to 70%, p = 0.00044)
    """
    pairs = [_judged_rows(table, prediction, label) for table in (reference, current)]
    if min(len(predicted) for predicted, _ in pairs) < FEWEST_JUDGED_ROWS:
        return None
    if reference[label].kind in COUNTED or len(np.unique(pairs[0][1])) <= MOST_CLASSES:
        return _compare_accuracy(*[predicted == truth for predicted, truth in pairs])
    return _compare_errors(*[np.abs(predicted - truth) for predicted, truth in pairs])


def _judged_rows(table: Table, prediction: str, label: str) -> tuple[np.ndarray, np.ndarray]:
    """Return predictions and labels of the rows that have both, with the same codes."""
    predicted, truth = table[prediction], table[label]
    if not predicted.is_measured and not truth.is_measured:
        predicted, truth = share_categories(predicted, truth)
    both = ~predicted.missing & ~truth.missing
    return predicted.values[both], truth.values[both]


def _compare_accuracy(before: np.ndarray, after: np.ndarray) -> QualityFinding:
    """Compare shares of right answers."""
    counts = [np.array([int(right.sum())]) for right in (before, after)]
    pvalue = float(fisher_exact_counts(counts[0], len(before), counts[1], len(after)).pvalue[0])
    low, high = (float(end[0]) for end in wilson_interval(counts[1], len(after)))
    found = f"(95% interval {low:.0%} to {high:.0%}, p = {pvalue:.2g})"
    old, new = float(before.mean()), float(after.mean())
    sentence = f"accuracy {_verb(new - old)} from {old:.0%} to {new:.0%} {found}"
    return QualityFinding("accuracy", old, new, (low, high), pvalue, sentence)


def _compare_errors(before: np.ndarray, after: np.ndarray) -> QualityFinding:
    """Compare mean absolute errors."""
    pvalue = float(welch_t_test(before, after).pvalue[0])
    old, new = float(before.mean()), float(after.mean())
    sentence = f"mean absolute error {_verb(new - old)} from {old:.3g} to {new:.3g} (p = {pvalue:.2g})"
    return QualityFinding("mean absolute error", old, new, (float("nan"), float("nan")), pvalue, sentence)


def _verb(change: float) -> str:
    """Return what the measure did."""
    return "rose" if change > 0 else "fell" if change < 0 else "stayed:"
