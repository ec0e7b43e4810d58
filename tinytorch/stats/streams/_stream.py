"""The hall of the stream detectors: how values are read, and how alarms are counted and kept.

May touch numpy, the cellar (`_arguments`) and the table checks of this floor.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from tinytorch._arguments import check_integer
from tinytorch.stats._inputs import check_finite

LARGEST_VALUE = 1e140
"""Detectors add up squares: 1e28 squares of such values still fit into a float."""

Alarms = list[list[int]]
"""Absolute positions of the alarms, one list per stream."""

Detector = TypeVar("Detector", bound="StreamDetectorBase")


class StreamDetectorBase(ABC):
    """What every detector shares: one `update` for a value, a batch, or a batch of parallel streams.

    Every detector gives the same alarms whichever way the data are cut into updates, and for many parallel streams
    the alarms that each stream gives alone. After an alarm it starts afresh with the next observation.

    Give large batches where there are: an update costs some 50 microseconds however few values it brings, and every
    alarm as much again, because the values behind it are read anew.

    Parameters
    ----------
    n_streams : int, optional
        How many streams run in parallel, where the detector knows it beforehand; else the first update fixes it.

    Attributes
    ----------
    n_streams : int or None
        The number of parallel streams, None until it is known.
    n_observations : int
        How many observations each stream has given so far.
    """

    def __init__(self, n_streams: int | None = None) -> None:
        self.n_streams = None if n_streams is None else check_integer(n_streams, "n_streams", minimum=1)
        self.n_observations = 0
        self._state: Any = None
        self._alarms: Alarms = [[] for _ in range(self.n_streams or 0)]
        self._new_alarms: Alarms = [[] for _ in range(self.n_streams or 0)]

    def update(self: Detector, values: ArrayLike) -> Detector:
        """Take in the next observations, in order of time.

        Parameters
        ----------
        values : float, array_like of shape (n,) or (n, n_streams)
            One observation or `n` of a single stream, or `n` of every parallel stream. `n` may be 0.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If values are not finite numbers of that shape, or not of the kind the detector reads. The detector is
            then left as it was.
        """
        table = read_streams(values, self.n_streams)
        self._check_values(table)
        n_streams = table.shape[1]
        state = self._start(n_streams) if self._state is None else self._state
        state, alarms = self._advance(state, table, self.n_observations)
        recorded = self._alarms or [[] for _ in range(n_streams)]
        self._state, self.n_streams, self._new_alarms = state, n_streams, alarms
        self._alarms = [old + new for old, new in zip(recorded, alarms, strict=True)] if any(alarms) else recorded
        self.n_observations += len(table)
        return self

    @property
    def drift_detected(self) -> bool:
        """Whether the last update raised an alarm in any stream."""
        return any(self._new_alarms)

    @property
    def drifted_streams(self) -> np.ndarray:
        """Which streams the last update raised an alarm in, a bool array of shape (n_streams,)."""
        return np.array([bool(found) for found in self._new_alarms], dtype=bool)

    @property
    def alarms_(self) -> tuple[np.ndarray, ...]:
        """Positions of all alarms so far, one array per stream; the very first observation has position 0."""
        return tuple(np.array(found, dtype=np.int64) for found in self._alarms)

    @abstractmethod
    def _check_values(self, table: np.ndarray) -> None:
        """Raise ValueError unless the table of shape (n, n_streams) holds what this detector reads."""

    @abstractmethod
    def _start(self, n_streams: int) -> Any:
        """Return the state of streams that have given nothing yet."""

    @abstractmethod
    def _advance(self, state: Any, table: np.ndarray, position: int) -> tuple[Any, Alarms]:
        """Return the state after a table whose first row is observation `position`, and the alarms in it.

        It must leave `state` and `table` as they are.
        """


def read_streams(values: ArrayLike, n_streams: int | None) -> np.ndarray:
    """Return the values of an update as a float64 table of shape (n, n_streams), or say what is wrong with them.

    Raises
    ------
    ValueError
        If the values are not finite numbers within `LARGEST_VALUE`, or their shape is not that of the streams.

    Examples
    --------
    >>> read_streams(0.5, None).shape, read_streams([0.5, 0.6], 1).shape, read_streams([[0.5, 0.6]], 2).shape
    ((1, 1), (2, 1), (1, 2))
    """
    try:
        table = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"values must be a rectangular array of numbers, got {type(values).__name__}.") from error
    if table.ndim < 2:
        table = table.reshape(-1, 1)
    n_columns = table.shape[1] if table.ndim == 2 else 0
    if n_columns == 0 or n_streams not in (None, n_columns):
        raise ValueError(f"values must be {_describe_shapes(n_streams)}, got shape {np.shape(values)}.")
    check_size(table, "values")
    return table


def _describe_shapes(n_streams: int | None) -> str:
    """Say in words which shapes an update may have."""
    if n_streams is None:
        return "a number or of shape (n,) or (n, n_streams)"
    return "a number or of shape (n,) or (n, 1)" if n_streams == 1 else f"of shape (n, {n_streams})"


def check_errors(table: np.ndarray) -> None:
    """Raise ValueError unless every value is 0 (right) or 1 (an error).

    Examples
    --------
    >>> check_errors(np.array([[0.0], [0.5]]))
    Traceback (most recent call last):
    ...
    ValueError: values must be 0 (right) or 1 (an error), got 0.5.
    """
    wrong = (table != 0) & (table != 1)
    if wrong.any():
        raise ValueError(f"values must be 0 (right) or 1 (an error), got {float(table[wrong][0])!r}.")


def check_fractions(table: np.ndarray) -> None:
    """Raise ValueError unless every value lies in [0, 1].

    Examples
    --------
    >>> check_fractions(np.array([[0.0], [1.5]]))
    Traceback (most recent call last):
    ...
    ValueError: values must be in [0, 1], got 1.5.
    """
    wrong = (table < 0) | (table > 1)
    if wrong.any():
        raise ValueError(f"values must be in [0, 1], got {float(table[wrong][0])!r}.")


def check_size(table: np.ndarray, name: str) -> None:
    """Raise ValueError unless all values are finite and at most `LARGEST_VALUE` in size.

    Examples
    --------
    >>> check_size(np.array([[1e150]]), "values")
    Traceback (most recent call last):
    ...
    ValueError: values must be at most 1e+140 in size, got 1e+150.
    """
    flat = table.ravel()  # a view for every table that lies in memory in order
    with np.errstate(over="ignore", invalid="ignore"):
        if np.dot(flat, flat) <= LARGEST_VALUE**2:  # one fast pass in the ordinary case
            return
    check_finite(table, name)
    largest = float(np.abs(table).max())
    if largest > LARGEST_VALUE:
        raise ValueError(f"{name} must be at most {LARGEST_VALUE:g} in size, got {largest!r}.")
