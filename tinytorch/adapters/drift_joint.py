"""Floor 4: all columns together: can a network tell the two tables apart, and does their joint law differ (MMD)?

Both look at a bounded number of rows, drawn at random. Uses the detectors of `mlops.drift`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinytorch.adapters.tables import Column, Table
from tinytorch.mlops._record import Record
from tinytorch.mlops.drift.classifier import ClassifierDetector
from tinytorch.mlops.drift.multivariate import MultivariateDetector

# Rows of each table that the network sees, half of them to learn: enough to find an area of 0.55.
CLASSIFIER_ROWS = 2000
# MMD compares all pairs of rows; 1,000 of each table cost a quarter of a second.
MMD_ROWS = 1000
FEWEST_JOINT_ROWS = 20
# Categories that get an indicator of their own, the most frequent ones; all others share one.
MOST_INDICATORS = 8
# A p-value of MMD may be doubled three times: for missing values, for the second test, for the columns' own tests.
DOUBLINGS = 8
MOST_SHUFFLES = 20_000
# Features named as betraying the current table, and what the network must lose without them.
FEATURES_NAMED = 5
SMALLEST_LOSS = 0.005


@dataclass(frozen=True)
class JointFacts(Record):
    """What one test of all columns together found.

    Examples
    --------
    >>> JointFacts("classifier", 0.5, 0.6, 0.0).betrayed_by
    ()
    """

    test: str
    statistic: float
    pvalue: float
    effect_size: float
    betrayed_by: tuple[tuple[str, float], ...] = ()


def compare_jointly(
    reference: Table, current: Table, names: Sequence[str], alpha: float, rng: np.random.Generator
) -> tuple[JointFacts, ...]:
    """Run both tests on the named columns; nothing comes back where there are too few columns or rows for them.

    Parameters
    ----------
    reference, current : Table
    names : sequence of str
    alpha : float
        Level of the verdict; there are shuffles enough to reach it. The features are ranked only below it.
    rng : numpy.random.Generator
        Draws the rows.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> tables = [Table((Column("x", "number", rng.normal(size=200)), Column("y", "number", rng.normal(mean, 1, 200))),
    ...                 "") for mean in (0, 2)]
    >>> facts = compare_jointly(*tables, ["x", "y"], 0.01, rng)
    >>> facts[0].test, facts[0].betrayed_by[0][0]
    ('classifier', 'y')
    """
    if min(reference.n_rows, current.n_rows) < FEWEST_JOINT_ROWS:
        return ()
    before, after = _draw(reference, rng), _draw(current, rng)
    filled = [name for name in names if not before[name].missing.all()]
    if len(filled) < 2:
        return ()
    sources, tables = encode(before, after, filled)
    seed = int(rng.integers(2**31))
    few = [table[:MMD_ROWS] for table in tables]
    return _by_classifier(tables, sources, alpha, seed), *(
        [] if _is_empty_column(few[0]) else [_by_mmd(few, alpha, seed)]
    )


def _is_empty_column(table: np.ndarray) -> bool:
    """Tell whether a column has no value."""
    return bool(np.isnan(table).all(axis=0).any())


def encode(reference: Table, current: Table, names: Sequence[str]) -> tuple[list[str], list[np.ndarray]]:
    """Return both tables as numbers, and the name of the column that each of their columns comes from.

    Examples
    --------
    >>> table = Table((Column("colour", "category", np.array([0, 1, 1]), ("red", "blue")),), "")
    >>> encode(table, table, ["colour"])[1][0].tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    """
    sources: list[str] = []
    parts: list[list[np.ndarray]] = [[], []]
    for name in names:
        pair = (reference[name], current[name])
        shown = None if pair[0].is_measured else _most_frequent(*pair)
        for part, column in zip(parts, pair, strict=True):
            part.append(column.values[:, np.newaxis] if shown is None else _indicators(column, shown))
        sources += [name] * parts[0][-1].shape[1]
    return sources, [np.hstack(part) for part in parts]


def _most_frequent(reference: Column, current: Column) -> np.ndarray:
    """Return the codes of the most frequent categories of both tables together.

    Those of the reference alone would be more frequent there by their choice, and tell the tables apart by it.
    """
    counts = reference.counts() + current.counts()
    return np.argsort(-counts, kind="stable")[:MOST_INDICATORS]


def _indicators(column: Column, shown: np.ndarray) -> np.ndarray:
    """Return a column of 0 and 1 for each shown category, and one for all the rest, missing ones among them."""
    is_shown = column.values[:, np.newaxis] == shown
    return np.hstack([is_shown, ~is_shown.any(axis=1, keepdims=True)]).astype(np.float64)


def _by_classifier(tables: list[np.ndarray], sources: Sequence[str], alpha: float, seed: int) -> JointFacts:
    """Ask the network, and if it can tell the tables apart, by which columns."""
    detector = ClassifierDetector(seed=seed).fit(tables[0])
    report = detector.detect_drift(tables[1], now=0.0)
    pvalue = float(report.pvalue[0])
    betrayed: tuple[tuple[str, float], ...] = ()
    if pvalue <= alpha:
        betrayed = _by_source(detector, tables[1], sources)
    return JointFacts("classifier", float(report.statistic[0]), pvalue, float(report.effect_size[0]), betrayed)


def _by_source(
    detector: ClassifierDetector, current: np.ndarray, sources: Sequence[str]
) -> tuple[tuple[str, float], ...]:
    """Return the columns without which the network loses most; indicators of one column count together."""
    losses: dict[str, float] = {}
    for feature, loss in detector.rank_features(current):
        source = sources[int(feature.removeprefix("feature_"))]
        losses[source] = losses.get(source, 0.0) + loss
    ranked = sorted(losses.items(), key=lambda item: -item[1])
    return tuple((name, loss) for name, loss in ranked[:FEATURES_NAMED] if loss >= SMALLEST_LOSS)


def _by_mmd(tables: list[np.ndarray], alpha: float, seed: int) -> JointFacts:
    """Ask the maximum mean discrepancy."""
    n_shuffles = min(MOST_SHUFFLES, math.ceil(DOUBLINGS / alpha))
    detector = MultivariateDetector("mmd", alpha=0.5, n_permutations=n_shuffles, seed=seed).fit(tables[0])
    report = detector.detect_drift(tables[1], now=0.0)
    return JointFacts("MMD", float(report.statistic[0]), float(report.pvalue[0]), float(report.effect_size[0]))


def _draw(table: Table, rng: np.random.Generator) -> Table:
    """Return at most so many different rows as the network sees, in random order."""
    return table.take(rng.permutation(table.n_rows)[:CLASSIFIER_ROWS])
