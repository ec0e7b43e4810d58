"""ADWIN: a window that holds as much of the past as has one and the same mean.

At every check the window is cut at each of its bucket boundaries; an alarm is raised where the means of the older and
the newer part differ by more than chance allows (Bernstein's bound). Which cuts there are and what chance allows is
worked out in the drawing office (`_adwin_geometry`); here stand the sums of the streams.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tinytorch._arguments import check_in_range, check_integer
from tinytorch.stats.streams._adwin_geometry import Segment, WindowRule, segment
from tinytorch.stats.streams._scans import first_true, running_sum
from tinytorch.stats.streams._stream import Alarms, StreamDetectorBase

CUTS_AT_ONCE = 65536
"""Cuts tried in one go over all streams together: 512 kB an array, so that the two in use stay in a core's cache."""


@dataclass(frozen=True, eq=False)
class _Group:
    """Streams that started with the same observation, and so have their boundaries and checks in common."""

    streams: np.ndarray
    count: int
    segment: int
    origin: np.ndarray
    """First value of each stream; sums are of differences from it, which keeps the variance exact."""
    squares: np.ndarray
    sums: np.ndarray
    """Rows of sums as `Segment` lays them out; columns not yet reached hold nothing of meaning."""


class ADWIN(StreamDetectorBase):
    """Raise an alarm when two parts of an adaptive window have means too far apart.

    Nothing need be known beforehand, and the unit of the values does not matter much. With the default parameters,
    the share of streams of 10,000 independent observations with a false alarm is 0.9% for normal values, and less than
    0.5% for errors (0 or 1) at a rate of 0.1 or 0.3.

    Parameters
    ----------
    delta : float in (0, 1)
        Confidence: smaller means fewer false alarms and later true ones. It bounds a probability only under the
        assumptions of the paper (values in [0, 1], one check), so take the rates above as measured.
    clock : int
        Observations between two checks.
    max_buckets : int
        Buckets of each size; more means more cuts tried.
    min_window_length : int
        Both parts of a cut must have this many observations.
    grace_period : int
        No check while the window has no more observations than this.

    Raises
    ------
    ValueError
        If delta is not in (0, 1), or another parameter is not an integer in its range.

    Notes
    -----
    Alarms are those of `river.drift.ADWIN` (versions 0.23 and 0.26), which after an alarm empties the whole window;
    the paper drops its older part only. Memory grows with the logarithm of the window's length, up to a constant.

    References
    ----------
    Bifet, A. and Gavalda, R. (2007). Learning from time-changing data with adaptive windowing. Proceedings of the
    2007 SIAM International Conference on Data Mining, 443-448.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> values = np.concatenate([rng.integers(0, 2, 1000), rng.integers(4, 8, 1000)])
    >>> ADWIN().update(values).alarms_
    (array([1023]),)
    """

    def __init__(
        self,
        delta: float = 0.002,
        clock: int = 32,
        max_buckets: int = 5,
        min_window_length: int = 5,
        grace_period: int = 10,
    ) -> None:
        super().__init__()
        self.delta = check_in_range(delta, "delta", 0.0, 1.0, open_ends=True)
        self.clock = check_integer(clock, "clock", minimum=1)
        self.max_buckets = check_integer(max_buckets, "max_buckets", minimum=2)
        self.min_window_length = check_integer(min_window_length, "min_window_length", minimum=1)
        self.grace_period = check_integer(grace_period, "grace_period", minimum=0)
        self._rule = WindowRule(self.delta, self.clock, self.max_buckets, self.min_window_length, self.grace_period)

    def _check_values(self, table: np.ndarray) -> None:
        """Any finite numbers will do."""

    def _start(self, n_streams: int) -> list[_Group]:
        return [self._new_group(np.arange(n_streams))]

    def _new_group(self, streams: np.ndarray) -> _Group:
        """Streams that have given nothing yet: the sum of no values is 0."""
        first = segment(self._rule, 0)
        nothing = np.zeros(len(streams))
        return _Group(streams, 0, 0, nothing, nothing, np.zeros((len(streams), first.n_kept + first.end)))

    def _advance(self, state: list[_Group], table: np.ndarray, position: int) -> tuple[list[_Group], Alarms]:
        alarms: Alarms = [[] for _ in range(table.shape[1])]
        at_end: list[_Group] = []
        on_the_way = [(group, 0) for group in state]
        while on_the_way:
            group, row = on_the_way.pop()
            if row == len(table):
                at_end.append(group)
                continue
            moved, row_after, alarm_rows = self._step(group, table, row)
            quiet = alarm_rows < 0
            if quiet.any():
                on_the_way.append((_select(moved, quiet), row_after))
            for alarm_row in np.unique(alarm_rows[~quiet]):
                restarted = group.streams[alarm_rows == alarm_row]
                for stream in restarted:
                    alarms[stream].append(position + int(alarm_row))
                on_the_way.append((self._new_group(restarted), int(alarm_row) + 1))
        return at_end, alarms

    def _step(self, group: _Group, table: np.ndarray, row: int) -> tuple[_Group, int, np.ndarray]:
        """Take in some rows of the table; return the group after them, the next row, and each stream's alarm or -1."""
        part = segment(self._rule, group.segment)
        n_steps = self._n_steps(group, part, len(table) - row)
        rows = table[row : row + n_steps]
        rows = rows if len(group.streams) == rows.shape[1] else rows[:, group.streams]
        origin = rows[0].copy() if group.count == 0 else group.origin
        values = np.subtract(rows.T, origin[:, np.newaxis], order="C")
        filled = part.n_kept + group.count - part.begin
        running_sum(values, group.sums[:, filled - 1], out=group.sums[:, filled : filled + n_steps])
        squares = running_sum(np.square(values, out=values), group.squares, out=values)
        alarm_rows = self._check(group, part, squares)
        alarm_rows = np.where(alarm_rows < 0, -1, alarm_rows + row)
        moved = replace(group, count=group.count + n_steps, origin=origin, squares=squares[:, -1].copy())
        return self._begin_next(moved, part), row + n_steps, alarm_rows

    def _n_steps(self, group: _Group, part: Segment, n_left: int) -> int:
        """Return how many rows to take in at once: up to some number of checks, none beyond the segment."""
        n_checks: int = max(1, CUTS_AT_ONCE // (len(group.streams) * max(1, part.older.shape[1])))
        to_last_check = n_checks * self.clock - group.count % self.clock
        return min(n_left, part.end - group.count, to_last_check)

    def _check(self, group: _Group, part: Segment, squares: np.ndarray) -> np.ndarray:
        """Return for each stream the step of the first alarm among the checks now due, -1 if there is none."""
        none = np.full(len(group.streams), -1)
        due = slice(group.count // self.clock - part.first_check,
                    (group.count + squares.shape[1]) // self.clock - part.first_check)  # fmt: skip
        counts = part.counts[due]
        if not len(counts) or not part.older.shape[1]:
            return none
        means = group.sums[:, part.n_kept - 1 + counts - part.begin] / counts
        variances = squares[:, counts - group.count - 1] / counts - means**2
        deviations = np.sqrt(np.maximum(variances, 0))
        excess = group.sums.take(part.places[due], axis=1)
        expected = np.einsum("sc,ck->sck", means, part.older[due])  # half the time of broadcasting
        excess -= expected
        np.abs(excess, out=excess)
        # No limit is below that of the smallest deviation; most of the time none is passed, and that settles it.
        limits = np.einsum("s,ck->sck", deviations.min(axis=1), part.deviation_weight[due], out=expected)
        limits += part.constant[due]
        if not (excess > limits).any():
            return none
        limits = deviations[:, :, np.newaxis] * part.deviation_weight[due] + part.constant[due]
        first = first_true((excess > limits).any(axis=2))
        return np.where(first < len(counts), np.append(counts, 0)[first] - group.count - 1, none)

    def _begin_next(self, group: _Group, part: Segment) -> _Group:
        """At the end of a segment keep only the sums at boundaries still in use."""
        if group.count < part.end:
            return group
        following = segment(self._rule, group.segment + 1)
        sums = np.empty((len(group.streams), following.n_kept + following.end - following.begin))
        sums[:, : following.n_kept] = group.sums[:, part.kept_next]
        return replace(group, segment=group.segment + 1, sums=sums)


def _select(group: _Group, chosen: np.ndarray) -> _Group:
    """Return the group without the streams that are not chosen."""
    if chosen.all():
        return group
    return replace(
        group,
        streams=group.streams[chosen],
        origin=group.origin[chosen],
        squares=group.squares[chosen],
        sums=group.sums[chosen],
    )
