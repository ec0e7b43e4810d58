"""Page-Hinkley: a cumulative sum around the running mean. Sits on the workbench `_scans`.

With d_t = x_t - mean(x_1..x_t), the sum u_t = fading * u_(t-1) + d_t - delta rises when the values do; an alarm is
raised when it stands more than `threshold` above its lowest value so far. Downwards v_t, the same with + delta, falls
more than `threshold` below its highest. Both come from one sum: u_t = a_t - delta * b_t, v_t = a_t + delta * b_t, where
a_t = fading * a_(t-1) + d_t, and b_t does the same over ones, which is a geometric series.
"""

from __future__ import annotations

import math

import numpy as np

from tinytorch._arguments import check_choice, check_in_range, check_integer, check_positive
from tinytorch.stats.streams._scans import (
    BLOCK_VALUES,
    FadingSum,
    advance_with_restarts,
    first_climb,
    running_sum,
)
from tinytorch.stats.streams._stream import Alarms, StreamDetectorBase

SHORTEST_MEMORY = 0.01
"""Smallest fading: what forgets all but a hundredth at every step sums nothing up, and its scales would overflow."""


def _upwards(sums: np.ndarray, allowed: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Levels that climb when the mean rises."""
    np.subtract(sums, allowed, out=out)
    return out


def _downwards(sums: np.ndarray, allowed: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Levels that climb when the mean falls."""
    np.add(sums, allowed, out=out)
    np.negative(out, out=out)
    return out


SIDES = {"up": ((_upwards, 0),), "down": ((_downwards, 1),), "both": ((_upwards, 0), (_downwards, 1))}
"""For each mode the levels to look at, and which of the two lowest levels in the state is theirs."""


class PageHinkley(StreamDetectorBase):
    """Raise an alarm when the values have stayed off their own running mean for too long.

    Nothing need be known beforehand, but `delta` and `threshold` are in the units of the values. With the default
    parameters, the share of streams of 10,000 independent observations with a false alarm is 0% for normal values of
    standard deviation 0.1, 3% for errors (0 or 1) at a rate of 0.1 and 46% at a rate of 0.3; normal values of standard
    deviation 1 raise one every 1,650 observations.

    Parameters
    ----------
    min_instances : int
        Observations after a start before the first alarm may be raised.
    delta : float
        Shift of the mean that is let pass per observation.
    threshold : float
        Alarm when a sum stands further than this from its lowest or highest value.
    fading : float in [0.01, 1]
        What is kept of the sum at each observation; 1 forgets nothing. river calls it alpha.
    mode : {"both", "up", "down"}
        Which changes of the mean to look for.

    Raises
    ------
    ValueError
        If the threshold is not > 0, delta < 0, fading not in [0.01, 1], or the mode not one of the three.

    Notes
    -----
    Alarms and restarts are those of `river.drift.PageHinkley` (versions 0.23 and 0.26).

    References
    ----------
    Page, E. S. (1954). Continuous inspection schemes. Biometrika 41, 100-115.
    Hinkley, D. V. (1971). Inference about the change-point from cumulative sum tests. Biometrika 58, 509-523.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> values = np.concatenate([rng.integers(0, 2, 1000), rng.integers(4, 8, 200)])
    >>> PageHinkley().update(values).alarms_
    (array([1009]),)
    """

    _block_values = BLOCK_VALUES

    def __init__(
        self,
        min_instances: int = 30,
        delta: float = 0.005,
        threshold: float = 50.0,
        fading: float = 1 - 1e-4,
        mode: str = "both",
    ) -> None:
        super().__init__()
        self.min_instances = check_integer(min_instances, "min_instances", minimum=1)
        self.delta = check_in_range(delta, "delta", 0.0, float("inf"))
        self.threshold = check_positive(threshold, "threshold")
        self.fading = check_in_range(fading, "fading", SHORTEST_MEMORY, 1.0)
        self.mode = check_choice(mode, "mode", SIDES)
        self._sides = SIDES[mode]
        self._fading = FadingSum(fading)
        self._cycle = self._fading.cycle
        self._steps = np.arange(1.0, self._cycle + 1)
        self._allowed_in_cycle = delta * geometric_sum(fading, self._steps)

    def _check_values(self, table: np.ndarray) -> None:
        """Any finite numbers will do."""

    def _start(self, n_streams: int) -> np.ndarray:
        """Count, total, scaled sum of deviations, lowest level up and down."""
        state = np.zeros((5, n_streams))
        state[3:] = np.inf
        return state

    def _advance(self, state: np.ndarray, table: np.ndarray, position: int) -> tuple[np.ndarray, Alarms]:
        return advance_with_restarts(self, state, table, position)

    def _scan(self, state: np.ndarray, values: np.ndarray, position: int) -> tuple[np.ndarray, np.ndarray]:
        count, total, carried = state[:3]
        n_steps = values.shape[1]
        totals = running_sum(values, total)
        deviations = count[:, np.newaxis] + self._steps[:n_steps]
        np.divide(totals, deviations, out=deviations)
        np.subtract(values, deviations, out=deviations)
        sums, carried = self._fading.scan(deviations, carried, position)
        first = np.full(len(values), n_steps)
        allowed = self._allowed(count, position, n_steps)
        n_blind = self.min_instances - 1 - count
        lowest = state[3:].copy()
        for climbs, side in self._sides:
            levels = climbs(sums, allowed, out=deviations)
            found, lowest[side] = first_climb(levels, lowest[side], self.threshold, n_blind)
            first = np.minimum(first, found)
        return first, np.stack([count + n_steps, totals[:, -1], carried, *lowest])

    def _allowed(self, count: np.ndarray, position: int, n_steps: int) -> np.ndarray:
        """Return delta times the sum of fading**i over the observations since each stream's start, per step.

        The part since the cycle began is a table; the part before it fades over the cycle.
        """
        begin = position % self._cycle
        steps = slice(begin, begin + n_steps)
        before = self.delta * geometric_sum(self.fading, count - begin)
        allowed = np.multiply.outer(before, self._fading.decays[steps])
        allowed += self._allowed_in_cycle[steps]
        return allowed


def geometric_sum(ratio: float, n_terms: np.ndarray) -> np.ndarray:
    """Return 1 + ratio + ... + ratio**(n_terms - 1), continued to negative numbers of terms.

    Examples
    --------
    >>> geometric_sum(0.5, np.array([0.0, 1.0, 2.0, 3.0])).tolist()
    [0.0, 1.0, 1.5, 1.75]
    """
    if ratio == 1:
        return n_terms
    return -np.expm1(n_terms * math.log(ratio)) / (1 - ratio)
