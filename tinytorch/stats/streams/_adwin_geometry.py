"""The drawing office of ADWIN: where the buckets of its window lie, worked out from the count alone. numpy only.

ADWIN keeps its window as buckets of 1, 2, 4, ... observations, at most `max_buckets` of each size; one more makes the
two oldest of that size merge. Between two restarts the bucket boundaries after w observations are therefore a
function of w, and so are the thresholds up to the standard deviation. Both are worked out for a segment of many
checks at once, and kept for every stream that comes by.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

FIRST_CHECKS = 16
"""Checks in the first segment; every next one is twice as long, so that early alarms waste little work."""

LONGEST_CHECKS = 256
"""Checks in the longest segment."""

SEGMENT_STEPS = 8192
"""Bound on the observations of a segment, whose sums are held in memory for every stream."""

CACHED_SEGMENTS = 128
"""Segments kept for good, 0.6 MB each: they cover the first million observations after a start."""


@dataclass(frozen=True)
class WindowRule:
    """What decides where ADWIN may cut its window, and how far the two means must differ there."""

    delta: float
    clock: int
    max_buckets: int
    min_window_length: int
    grace_period: int


@dataclass(frozen=True, eq=False)
class Segment:
    """The checks between two counts of observations since a start.

    Sums of a stream are held in one row: first at the `n_kept` boundaries in use when the segment begins, then after
    every observation in it. `places` are columns of that row. A cut splits the window into `older` observations and
    the rest; it raises an alarm where |sum of the older part - older * mean| > deviation_weight * sd + constant.
    """

    first_check: int
    begin: int
    end: int
    n_kept: int
    counts: np.ndarray
    """Observations at each check, (n_checks,)."""
    places: np.ndarray
    older: np.ndarray
    deviation_weight: np.ndarray
    constant: np.ndarray
    """These four have shape (n_checks, n_cuts); the constant is infinite where a check has fewer cuts."""
    kept_next: np.ndarray
    """Columns of the sums that the next segment begins with."""


def segment(rule: WindowRule, number: int) -> Segment:
    """Return a segment of the rule, from the cache if it is one of the first.

    Examples
    --------
    >>> rule = WindowRule(delta=0.002, clock=32, max_buckets=5, min_window_length=5, grace_period=10)
    >>> segment(rule, 0).begin, segment(rule, 0).end, segment(rule, 1).end
    (0, 512, 1536)
    """
    return _cached_segment(rule, number) if number < CACHED_SEGMENTS else _make_segment(rule, number)


@lru_cache(maxsize=CACHED_SEGMENTS)
def _cached_segment(rule: WindowRule, number: int) -> Segment:
    return _make_segment(rule, number)


def _make_segment(rule: WindowRule, number: int) -> Segment:
    """Work out one segment."""
    first_check, last_check = _checks_before(rule, number), _checks_before(rule, number + 1)
    begin, end = first_check * rule.clock, last_check * rule.clock
    counts = np.arange(first_check + 1, last_check + 1) * rule.clock
    older, weight, constant = _thresholds(rule, counts, bucket_offsets(counts, rule.max_buckets))
    kept = _boundaries(begin, rule.max_buckets)
    return Segment(
        first_check, begin, end, len(kept), counts, _places(older, kept), older.astype(np.float64), weight, constant,
        kept_next=_places(_boundaries(end, rule.max_buckets), kept),
    )  # fmt: skip


def _checks_before(rule: WindowRule, number: int) -> int:
    """Count the checks before a segment: segments double until they are longest."""
    longest = max(1, min(LONGEST_CHECKS, SEGMENT_STEPS // rule.clock))
    shortest = min(FIRST_CHECKS, longest)
    n_doubling = (longest // shortest).bit_length() - 1
    doubled = min(number, n_doubling)
    return shortest * ((1 << doubled) - 1) + (number - doubled) * longest


def bucket_offsets(counts: np.ndarray, max_buckets: int) -> np.ndarray:
    """Return how many observations are newer than each bucket boundary.

    Parameters
    ----------
    counts : int ndarray of shape (n,)
        Observations since the start.
    max_buckets : int

    Returns
    -------
    int ndarray of shape (n, n_boundaries)
        Newest boundary first, 0 where a count has fewer boundaries.

    Examples
    --------
    >>> bucket_offsets(np.array([7]), max_buckets=5)
    array([[1, 2, 3, 4, 5, 7, 0, 0, 0, 0]])
    """
    arrived, newer = counts.copy(), np.zeros_like(counts)
    columns, size = [], 1
    ordinals = np.arange(1, max_buckets + 1)
    while (arrived > 0).any():
        # Of the buckets of this size that ever arrived, pairs have moved on until at most max_buckets are left.
        pairs = np.where(arrived > max_buckets, (arrived - max_buckets + 1) // 2, 0)
        left = arrived - 2 * pairs
        present = ordinals <= left[:, np.newaxis]
        columns.append(np.where(present, newer[:, np.newaxis] + ordinals * size, 0))
        newer = newer + left * size
        arrived, size = pairs, 2 * size
    return np.concatenate(columns, axis=1) if columns else np.zeros((len(counts), 0), dtype=np.int64)


def _boundaries(count: int, max_buckets: int) -> np.ndarray:
    """Return the counts at which the window after `count` observations has a boundary, both ends included."""
    offsets = bucket_offsets(np.array([count]), max_buckets)[0]
    return np.unique(np.concatenate([[0, count], count - offsets[offsets > 0]]))


def _places(counts: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return in which column of a segment's sums those after `counts` observations stand."""
    begin = kept[-1]
    return np.where(counts > begin, len(kept) - 1 + counts - begin, np.searchsorted(kept, counts))


def _thresholds(rule: WindowRule, counts: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the older part's length at each cut, and the two terms of its threshold.

    Bifet and Gavalda cut where |mean of the newer - mean of the older| > sqrt(2 v h) sd + (2/3) v h with
    h = 1 / n_older + 1 / n_newer and v = log(2 log(w) / delta); here both sides are multiplied by
    n_older n_newer / w. As in MOA and river, both lengths count from `min_window_length` on in h.
    """
    total = counts[:, np.newaxis]
    shortest = rule.min_window_length
    allowed = (offsets >= shortest) & (total - offsets >= shortest) & (total > rule.grace_period) & (offsets > 0)
    offsets, allowed = offsets[:, allowed.any(axis=0)], allowed[:, allowed.any(axis=0)]
    newer = np.where(allowed, offsets, shortest).astype(np.float64)
    older = np.where(allowed, total - offsets, shortest).astype(np.float64)
    evidence = np.log(2 * np.log(np.maximum(total, 2)) / rule.delta)
    spread = 1 / (older - (shortest - 1)) + 1 / (newer - (shortest - 1))
    factor = older * newer / total
    weight = factor * np.sqrt(2 * evidence * spread)
    constant = np.where(allowed, factor * spread * evidence * (2 / 3), np.inf)
    return np.where(allowed, total - offsets, 0), weight, constant
