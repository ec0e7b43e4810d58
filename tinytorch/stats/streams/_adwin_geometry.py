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
    counts = np.arange(first_check, last_check + 1) * rule.clock  # the begin, which is no check here, comes first
    offsets = bucket_offsets(counts, rule.max_buckets)
    kept, kept_next = _boundaries(counts[0], offsets[:, 0]), _boundaries(counts[-1], offsets[:, -1])
    older, weight, constant = _thresholds(rule, counts[1:], offsets[:, 1:])
    return Segment(
        first_check=first_check,
        begin=int(counts[0]),
        end=int(counts[-1]),
        n_kept=len(kept),
        counts=counts[1:],
        places=np.ascontiguousarray(_places(older.astype(np.int64), kept).T),
        older=np.ascontiguousarray(older.T),
        deviation_weight=np.ascontiguousarray(weight.T),
        constant=np.ascontiguousarray(constant.T),
        kept_next=_places(kept_next, kept),
    )


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
    int ndarray of shape (n_boundaries, n)
        Newest boundary first, 0 where a count has fewer boundaries.

    Examples
    --------
    >>> bucket_offsets(np.array([7]), max_buckets=5).ravel()
    array([1, 2, 3, 4, 5, 7, 0, 0, 0, 0])
    """
    arrived, most = [counts], int(counts.max())
    while most > max_buckets:
        # Of the buckets of this size that ever arrived, pairs have moved on until at most max_buckets were left.
        most = (most - max_buckets + 1) >> 1
        arrived.append(np.maximum((arrived[-1] - (max_buckets - 1)) >> 1, 0))
    left = np.stack(arrived)
    left[:-1] -= 2 * left[1:]
    sizes = 1 << np.arange(len(left))[:, np.newaxis]
    newer = np.cumsum(left * sizes, axis=0) - left * sizes
    ordinals = np.arange(1, max_buckets + 1)[:, np.newaxis]
    offsets = newer[:, np.newaxis] + (sizes * ordinals.T)[:, :, np.newaxis]
    offsets *= ordinals <= left[:, np.newaxis]
    flat: np.ndarray = offsets.reshape(-1, len(counts))
    return flat


def _boundaries(count: int, offsets: np.ndarray) -> np.ndarray:
    """Return the counts at which the window after `count` observations has a boundary, both ends included."""
    return np.unique(np.concatenate([[0, count], count - offsets[offsets > 0]]))


def _places(counts: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return in which column of a segment's sums those after `counts` observations stand."""
    begin = kept[-1]
    return np.where(counts > begin, len(kept) - 1 + counts - begin, np.searchsorted(kept, counts))


def _thresholds(rule: WindowRule, counts: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the older part's length at each cut, and the two terms of its threshold, in shape (n_cuts, n_checks).

    Bifet and Gavalda cut where |mean of the newer - mean of the older| > sqrt(2 v h) sd + (2/3) v h with
    h = 1 / n_older + 1 / n_newer and v = log(2 log(w) / delta); here both sides are multiplied by
    n_older n_newer / w. As in MOA and river, both lengths count from `min_window_length` on in h.
    """
    shortest = rule.min_window_length
    allowed = (offsets >= shortest) & (offsets <= counts - shortest) & (counts > rule.grace_period)
    used = allowed.any(axis=1)
    forbidden = ~allowed[used]
    newer = offsets[used].astype(np.float64)
    older = np.maximum(counts - newer, shortest)
    np.maximum(newer, shortest, out=newer)
    spread = newer + (older - 2 * (shortest - 1))
    spread /= (newer - (shortest - 1)) * (older - (shortest - 1))
    spread *= np.log(2 * np.log(np.maximum(counts, 2)) / rule.delta)
    newer *= older / counts  # from here on n_older n_newer / w
    constant = newer * spread
    constant *= 2 / 3
    constant[forbidden] = np.inf
    spread *= 2
    newer *= np.sqrt(spread, out=spread)
    return older, newer, constant
