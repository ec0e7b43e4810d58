"""Floor 4: a column as counts between edges, in a size that does not grow with its rows; profiles of parts merge.

Edges lie halfway between neighbouring values, never on a value, and at least five rows lie between two of them. Uses
the summaries of `stats`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from tinytorch.adapters.drift_exact import CHI_SQUARE, KS, MOST_COUNTED_VALUES
from tinytorch.adapters.drift_facts import ColumnFacts, describe_categories, empty_facts, missing_pvalue
from tinytorch.adapters.tables import Column
from tinytorch.mlops.drift._shares import compare_shares
from tinytorch.stats import CategoryCounts, Histogram, Moments
from tinytorch.stats.ks import asymptotic_pvalue

# Ranks are then known to a thousandth, in 16 KB a column.
MOST_BINS = 1024
# Fewer rows than this in a bin or a category could point at persons.
FEWEST_IN_BIN = 5
# Where all rows share one value there is no neighbour to lay an edge halfway to: it is laid this share away.
NEAR_A_CONSTANT = 1e-6
RARE = "(rare or new)"

Part = TypeVar("Part", Moments, Histogram, CategoryCounts)


@dataclass(frozen=True, eq=False)
class ColumnProfile:
    """One column summed up.

    Attributes
    ----------
    name, kind : str
    n_rows, n_missing, n_unreadable : int
    moments : Moments or None
        Of a measured column, as are the next two.
    histogram : Histogram or None
    sole : ndarray of shape (n_bins,), or None
        The only value found in a bin; infinity in an empty bin, NaN where there are several: within such a bin the
        order of rows is not known.
    categories : CategoryCounts or None
        Of a counted column.
    n_rare : int
        Rows of categories that were pooled.

    Examples
    --------
    >>> profile = profile_column(Column("age", "number", np.arange(1000.0)))
    >>> profile.histogram.counts.sum(), profile.rank_error <= 0.005
    (np.int64(1000), True)
    """

    name: str
    kind: str
    n_rows: int
    n_missing: int
    n_unreadable: int = 0
    moments: Moments | None = None
    histogram: Histogram | None = None
    sole: np.ndarray | None = None
    categories: CategoryCounts | None = None
    n_rare: int = 0

    @property
    def rank_error(self) -> float:
        """Most that the share of rows at or below one of the reference's values may be wrong."""
        if self.histogram is None or self.sole is None or self.n_rows == self.n_missing:
            return 0.0
        counts = self.histogram.counts[0]
        return float(counts[np.isnan(self.sole)].max(initial=0) / max(1, counts.sum()))

    def merge(self, other: ColumnProfile) -> ColumnProfile:
        """Sum up the rows of both, which have the same edges."""
        return replace(
            self,
            n_rows=self.n_rows + other.n_rows,
            n_missing=self.n_missing + other.n_missing,
            n_unreadable=self.n_unreadable + other.n_unreadable,
            moments=_merged_parts(self.moments, other.moments),
            histogram=_merged_parts(self.histogram, other.histogram),
            sole=None if self.sole is None or other.sole is None else _sole_of_both(self.sole, other.sole),
            categories=_merged_parts(self.categories, other.categories),
        )

    def compare(self, current: Column | ColumnProfile) -> ColumnFacts:
        """Return what a current column, or its profile over the same edges, shows against this one."""
        other = current if isinstance(current, ColumnProfile) else profile_column(current, self)
        rows, missing = (self.n_rows, other.n_rows), (self.n_missing, other.n_missing)
        if rows[0] == missing[0] or rows[1] == missing[1]:
            return empty_facts(self.name, self.kind, rows, missing)
        facts = ColumnFacts(
            self.name, self.kind, "", *rows, *missing, missing_pvalue(rows, missing), n_unreadable=other.n_unreadable
        )
        return (
            _compare_counted(self, other, facts)
            if self.categories is not None
            else _compare_measured(self, other, facts)
        )


def profile_column(column: Column, like: ColumnProfile | None = None) -> ColumnProfile:
    """Sum up a column, over the edges of another profile if one is given.

    Examples
    --------
    >>> first = profile_column(Column("age", "number", np.arange(100.0)))
    >>> profile_column(Column("age", "number", np.arange(50.0)), first).merge(first).n_rows
    150
    """
    profile = ColumnProfile(
        column.name, column.kind, len(column.values), int(column.missing.sum()), column.n_unreadable
    )
    if not column.is_measured:
        names, counts = np.array(column.categories, dtype=np.str_), column.counts()
        order = np.argsort(names, kind="stable")
        seen = order[counts[order] > 0]
        return replace(profile, categories=CategoryCounts((names[seen],), (counts[seen],)))
    values = np.sort(column.present)
    edges = find_edges(values) if like is None or like.histogram is None else like.histogram.edges[0]
    counts, sole = _count_between(values, edges)
    return replace(
        profile,
        moments=Moments.from_batch(column.values),
        histogram=Histogram(edges[np.newaxis], counts[np.newaxis]),
        sole=sole,
    )


def find_edges(values: np.ndarray) -> np.ndarray:
    """Return at most 1,023 rising edges for sorted values, halfway between neighbours, five values apart at least.

    Where five rows or more share the smallest or largest value, one more edge is laid just outside it.

    Examples
    --------
    >>> find_edges(np.repeat([1.0, 2.0], 5))
    array([0.5, 1.5, 2.5])
    >>> find_edges(np.full(9, 7.0))
    array([6.9999965, 7.0000035])
    >>> find_edges(np.arange(12.0))
    array([4.5])
    """
    if not len(values):
        return np.zeros(1)
    last = np.append(np.flatnonzero(np.diff(values)), len(values) - 1)
    upto = last + 1
    targets = np.linspace(0, len(values), MOST_BINS - 1)[1:-1]
    chosen = np.unique(np.searchsorted(upto[:-1], targets)) if len(upto) > MOST_BINS - 2 else np.arange(len(upto) - 1)
    inner = [
        middle
        for place in _spaced(chosen[chosen < len(upto) - 1], upto)
        if values[last[place]]
        < (middle := _middle(values[last[place]], values[last[place] + 1]))
        < values[last[place] + 1]
    ]
    edges = [*_outside(values, last, -1), *inner, *_outside(values, last, 1)]
    return np.array(edges) if edges else np.array([_beside(values[0], values[-1])])


def pool_rare(profile: ColumnProfile) -> ColumnProfile:
    """Return a profile whose categories of fewer than five rows are counted together, without their names.

    Examples
    --------
    >>> column = Column("c", "category", np.array([0] * 9 + [1]), ("red", "teal"))
    >>> pooled = pool_rare(profile_column(column))
    >>> pooled.categories.categories[0].tolist(), pooled.n_rare
    (['red'], 1)
    """
    if profile.categories is None:
        return profile
    names, counts = profile.categories.categories[0], profile.categories.counts[0]
    kept = counts >= FEWEST_IN_BIN
    pooled = CategoryCounts((names[kept],), (counts[kept],))
    return replace(profile, categories=pooled, n_rare=profile.n_rare + int(counts[~kept].sum()))


def aligned_counts(reference: ColumnProfile, current: ColumnProfile) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Return the categories of both and their counts; what a pooled reference cannot tell apart is one category.

    Examples
    --------
    >>> red, blue = (profile_column(Column("c", "category", np.zeros(9, int), (name,))) for name in ("red", "blue"))
    >>> aligned_counts(red, blue)[0]
    ('blue', 'red')
    """
    if reference.categories is None or current.categories is None:
        return (), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    names, before, after = reference.categories.align(current.categories, 0)
    if reference.n_rare:
        known = before > 0
        names = np.append(names[known], RARE)
        before = np.append(before[known], reference.n_rare)
        after = np.append(after[known], after[~known].sum() + current.n_rare)
    return tuple(names.tolist()), before, after


def _compare_counted(reference: ColumnProfile, current: ColumnProfile, facts: ColumnFacts) -> ColumnFacts:
    """Compare shares of categories."""
    names, before, after = aligned_counts(reference, current)
    change = compare_shares(before[np.newaxis], after[np.newaxis], "chi2")
    moved, unseen, unseen_share = describe_categories(names, before, after)
    return replace(
        facts,
        test=CHI_SQUARE,
        statistic=float(change.statistic[0]),
        pvalue=float(change.pvalue[0]),
        distance=float(change.distance[0]),
        categories=moved,
        unseen=unseen,
        unseen_share=unseen_share,
    )


def _compare_measured(reference: ColumnProfile, current: ColumnProfile, facts: ColumnFacts) -> ColumnFacts:
    """Compare counts between edges."""
    counts = np.stack([_counts_of(reference), _counts_of(current)])
    below, above = np.where(counts[0, [0, -1]] == 0, counts[1, [0, -1]] / counts[1].sum(), 0.0).tolist()
    test, statistic, pvalue, distance = _compare_counts(counts, reference.rank_error)
    (mean, spread), (new_mean, new_spread) = _mean_and_spread(reference), _mean_and_spread(current)
    return replace(
        facts,
        test=test,
        statistic=statistic,
        pvalue=pvalue,
        distance=distance,
        means=(mean, new_mean),
        spreads=(spread, new_spread),
        share_below=below,
        share_above=above,
        rank_error=reference.rank_error,
    )


def _compare_counts(counts: np.ndarray, rank_error: float) -> tuple[str, float, float, float]:
    """Return test, statistic, p-value and distance of two rows of counts; few values without an order are counted."""
    if counts.shape[1] <= MOST_COUNTED_VALUES and rank_error == 0:
        change = compare_shares(counts[:1], counts[1:], "chi2")
        return CHI_SQUARE, float(change.statistic[0]), float(change.pvalue[0]), float(change.distance[0])
    n, m = counts.sum(axis=1).tolist()
    distance = float(np.abs(np.cumsum(counts[0]) / n - np.cumsum(counts[1]) / m).max())
    pvalue = float(asymptotic_pvalue(np.array([distance]), n, m, "two-sided")[0])
    return f"{KS} over {counts.shape[1]:,} bins", distance, pvalue, distance


def _counts_of(profile: ColumnProfile) -> np.ndarray:
    """Return a measured column's counts."""
    return np.zeros(1, dtype=np.int64) if profile.histogram is None else profile.histogram.counts[0]


def _mean_and_spread(profile: ColumnProfile) -> tuple[float, float]:
    """Return the mean and the standard deviation of a profile's values."""
    if profile.moments is None:
        return float("nan"), float("nan")
    variance = profile.moments.squares[0] / max(1, int(profile.moments.count[0]))
    return float(profile.moments.mean[0]), float(np.sqrt(variance))


def _count_between(values: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how many sorted values lie in each bin, and which single value each holds."""
    starts = np.concatenate([[0], np.searchsorted(values, edges, side="right"), [len(values)]])
    counts = np.diff(starts)
    sole = np.full(len(counts), np.inf)
    used = np.flatnonzero(counts)
    first, last = values[starts[used]], values[starts[used + 1] - 1]
    sole[used] = np.where(first == last, first, np.nan)
    return counts, sole


def _merged_parts(ours: Part | None, theirs: Part | None) -> Part | None:
    """Merge two summaries, or return none where there is none."""
    return None if ours is None or theirs is None else ours.merge(theirs)


def _sole_of_both(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Return the only value that two parts hold in each bin."""
    same = np.isinf(theirs) | (ours == theirs)
    return np.where(np.isinf(ours), theirs, np.where(same, ours, np.nan))


def _spaced(places: np.ndarray, upto: np.ndarray) -> list[int]:
    """Return the places of edges that leave at least five values on both sides and between each other."""
    kept, below = [], 0
    for place in places.tolist():
        if upto[place] - below >= FEWEST_IN_BIN and upto[-1] - upto[place] >= FEWEST_IN_BIN:
            kept.append(place)
            below = int(upto[place])
    return kept


def _outside(values: np.ndarray, last: np.ndarray, side: int) -> list[float]:
    """Return an edge just outside a smallest (side -1) or largest (1) value that five rows share, or none."""
    end, neighbour = (0, last[0] + 1) if side < 0 else (len(values) - 1, last[-2] if len(last) > 1 else -1)
    n_shared = last[0] + 1 if side < 0 else len(values) - 1 - (last[-2] if len(last) > 1 else -1)
    if n_shared < FEWEST_IN_BIN:
        return []
    alone = len(last) < 2
    gap = NEAR_A_CONSTANT * max(1.0, abs(values[end])) if alone else abs(values[end] - values[neighbour])
    return [float(values[end] + side * gap / 2)]


def _middle(low: float, high: float) -> float:
    """Return the middle of two numbers, also of huge ones."""
    return low + (high - low) / 2


def _beside(low: float, high: float) -> float:
    """Return an edge for values too few to be divided: none of them."""
    return float(high + max(1.0, high - low))
