"""The workbench of the stream detectors: recurrences over whole blocks, with a restart after every alarm. numpy only.

Blocks are stream-major, `(n_streams, n_steps)`. All sums run strictly from left to right and carry on from the value
before the block, and scales depend on the absolute position alone. So no rounding depends on where a block begins
or ends, nor on which streams share it: that is why cutting the data cannot change an alarm.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Protocol

import numpy as np

from tinytorch.stats.streams._stream import Alarms

LONGEST_CYCLE = 8192
"""Steps between two changes of scale: long enough to make the cost per call of numpy small."""

LARGEST_GROWTH = 1e100
"""Bound on decay**-cycle, so that scaled sums of ordinary values stay far inside the range of a float."""

BLOCK_VALUES = 16384
"""Values in a block: 128 kB, so that the few arrays of a scan stay in a core's cache."""

PIECE_STEPS = 64
"""Steps whose highest and lowest level are compared first, before a running minimum is taken."""

FEW_LEVELS = 512
"""Levels so few that bounding them costs more than it spares."""

REPLAY_STEPS = 256
"""Steps scanned right after an alarm; doubled as long as no other alarm follows."""

DIRECTIONS = ("both", "up", "down")
"""Which changes of the mean a detector may look for."""


class Scanner(Protocol):
    """What `advance_with_restarts` needs of a detector whose state is an array of shape (n_fields, n_streams)."""

    _cycle: int
    _block_values: int

    def _start(self, n_streams: int) -> np.ndarray: ...

    def _scan(self, state: np.ndarray, values: np.ndarray, position: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the step of each stream's first alarm (n_steps if none), and the state after the block.

        The state of a stream with an alarm may be anything. The block does not cross a multiple of `_cycle`.
        """
        ...


def advance_with_restarts(
    detector: Scanner, state: np.ndarray, table: np.ndarray, position: int
) -> tuple[np.ndarray, Alarms]:
    """Scan a table of shape (n, n_streams) block by block; a stream with an alarm restarts with the next value.

    All streams are scanned together. Those few with an alarm in a block are then replayed alone from there.
    """
    n_streams = table.shape[1]
    alarms: Alarms = [[] for _ in range(n_streams)]
    for begin, end in _blocks(position, len(table), detector._cycle, detector._block_values // n_streams):
        block = np.ascontiguousarray(table[begin:end].T)
        first, state = detector._scan(state, block, position + begin)
        for stream in np.flatnonzero(first < end - begin):
            steps, after = _replay(detector, block[stream : stream + 1], int(first[stream]), position + begin)
            alarms[stream] += [position + begin + step for step in steps]
            state[:, stream : stream + 1] = after
    return state, alarms


def _blocks(position: int, n: int, cycle: int, n_steps: int) -> Iterator[tuple[int, int]]:
    """Yield (begin, end) rows of blocks of at most `n_steps` (at least 1) that cross no multiple of `cycle`."""
    begin = 0
    while begin < n:
        left_in_cycle = cycle - (position + begin) % cycle
        end = min(n, begin + min(left_in_cycle, max(n_steps, 1)))
        yield begin, end
        begin = end


def _replay(detector: Scanner, values: np.ndarray, first: int, position: int) -> tuple[list[int], np.ndarray]:
    """Return all alarm steps of one stream's block of shape (1, n_steps) after its first, and the state at its end."""
    steps = [first]
    begin, state, n_steps = first + 1, detector._start(1), REPLAY_STEPS
    while begin < values.shape[1]:
        window = values[:, begin : begin + n_steps]
        found, state = detector._scan(state, window, position + begin)
        if found[0] < window.shape[1]:
            steps.append(begin + int(found[0]))
            begin, state, n_steps = steps[-1] + 1, detector._start(1), REPLAY_STEPS
        else:
            begin, n_steps = begin + window.shape[1], 2 * n_steps
    return steps, state


def running_sum(values: np.ndarray, carried: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Return carried + x_1 + ... + x_t for every step t, added strictly from left to right.

    `out` may be given to hold the result, `values` itself included.

    Examples
    --------
    >>> running_sum(np.array([[1.0, 2.0, 3.0]]), np.array([10.0]))
    array([[11., 13., 16.]])
    """
    sums = np.empty_like(values) if out is None else out
    if sums is not values:
        sums[...] = values
    sums[:, 0] += carried
    return np.add.accumulate(sums, axis=1, out=sums)


class FadingSum:
    """The recurrence s_t = decay * s_(t-1) + x_t over whole blocks.

    Inside a cycle of steps s_t / decay**k_t is a plain running sum of x_t / decay**k_t, where k_t counts the steps
    since the cycle began; that scaled sum is what is carried from block to block.

    Examples
    --------
    >>> sums, carried = FadingSum(0.5).scan(np.array([[1.0, 1.0, 1.0]]), np.zeros(1), position=0)
    >>> sums
    array([[1.  , 1.5 , 1.75]])
    """

    def __init__(self, decay: float) -> None:
        self.decay = decay
        longest = LONGEST_CYCLE if decay == 1 else math.log(LARGEST_GROWTH) / -math.log(decay)
        self.cycle = max(1, int(min(longest, LONGEST_CYCLE)))
        self.decays = decay ** np.arange(1.0, self.cycle + 1)
        self._growths = 1 / self.decays

    def scan(self, values: np.ndarray, carried: np.ndarray, position: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the sums of a block, and what to carry to the next one (0 for a stream that starts)."""
        begin = position % self.cycle
        if begin == 0:
            carried = carried * self.decays[-1]
        steps = slice(begin, begin + values.shape[1])
        scaled = values * self._growths[steps]
        scaled[:, 0] += carried
        np.add.accumulate(scaled, axis=1, out=scaled)
        carried = scaled[:, -1].copy()
        scaled *= self.decays[steps]
        return scaled, carried


def first_climb(
    levels: np.ndarray, lowest: np.ndarray, threshold: float, n_blind: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Find where each row first stands more than `threshold` above its lowest level so far.

    Parameters
    ----------
    levels : ndarray of shape (n_streams, n_steps)
    lowest : ndarray of shape (n_streams,)
        The lowest level before the block.
    threshold : float
    n_blind : ndarray of shape (n_streams,), optional
        How many steps at the beginning of the block cannot give an alarm.

    Returns
    -------
    first : ndarray of shape (n_streams,)
        The step, n_steps if there is none.
    lowest : ndarray of shape (n_streams,)
        The lowest level after the block.

    Examples
    --------
    >>> first_climb(np.array([[1.0, 0.0, 2.0, 4.0]]), np.array([0.5]), threshold=3)
    (array([3]), array([0.]))
    """
    if levels.size <= FEW_LEVELS:
        return _first_climb_step_by_step(levels, lowest, threshold, n_blind)
    pieces = np.arange(0, levels.shape[1], PIECE_STEPS)
    floors = np.minimum.reduceat(levels, pieces, axis=1)
    floors[:, 0] = np.minimum(floors[:, 0], lowest)
    np.minimum.accumulate(floors, axis=1, out=floors)
    # No climb is larger than the highest level of a piece over the lowest up to its end: only rows where one passes
    # this bound need their running minimum step by step.
    bounds = np.maximum.reduceat(levels, pieces, axis=1) - floors
    rows = np.flatnonzero((bounds > threshold).any(axis=1))
    first = np.full(len(levels), levels.shape[1])
    if rows.size:
        blind = None if n_blind is None else n_blind[rows]
        first[rows], _ = _first_climb_step_by_step(levels[rows], lowest[rows], threshold, blind)
    return first, floors[:, -1].copy()


def _first_climb_step_by_step(
    levels: np.ndarray, lowest: np.ndarray, threshold: float, n_blind: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Do the work of `first_climb` without a bound."""
    floors = np.minimum.accumulate(levels, axis=1)
    np.minimum(floors, lowest[:, np.newaxis], out=floors)
    return first_true(levels - floors > threshold, n_blind), floors[:, -1].copy()


def first_true(flags: np.ndarray, n_blind: np.ndarray | None = None) -> np.ndarray:
    """Return the first step at which each row of `flags` is true, its blind steps aside; n_steps if there is none.

    Examples
    --------
    >>> first_true(np.array([[False, True], [False, False]]))
    array([1, 2])
    """
    if n_blind is not None:
        flags = flags & (np.arange(flags.shape[1]) >= n_blind[:, np.newaxis])
    steps: np.ndarray = np.where(flags.any(axis=1), flags.argmax(axis=1), flags.shape[1])
    return steps


def record_steps(levels: np.ndarray, lowest: np.ndarray, *, ties: bool) -> np.ndarray:
    """Return for every step the step at which the lowest level so far was set, -1 if that was before the block.

    Parameters
    ----------
    levels : ndarray of shape (n_streams, n_steps)
    lowest : ndarray of shape (n_streams,)
        The lowest level before the block.
    ties : bool
        Whether a level equal to the lowest sets it anew.

    Examples
    --------
    >>> record_steps(np.array([[5.0, 3.0, 4.0, 3.0]]), np.array([4.0]), ties=False)
    array([[-1,  1,  1,  1]])
    >>> record_steps(np.array([[5.0, 3.0, 4.0, 3.0]]), np.array([4.0]), ties=True)
    array([[-1,  1,  1,  3]])
    """
    so_far = np.minimum.accumulate(np.column_stack([lowest, levels]), axis=1)[:, :-1]
    is_record = levels <= so_far if ties else levels < so_far
    return np.maximum.accumulate(np.where(is_record, np.arange(levels.shape[1]), -1), axis=1)


def at_record(values: np.ndarray, carried: np.ndarray, records: np.ndarray) -> np.ndarray:
    """Return the values at the steps given by `record_steps`, the carried one where the record is older.

    Examples
    --------
    >>> at_record(np.array([[5.0, 3.0]]), np.array([9.0]), np.array([[-1, 1]]))
    array([[9., 3.]])
    """
    return np.take_along_axis(np.column_stack([carried, values]), records + 1, axis=1)
