"""The drawer of the control charts: the known mean and spread that they measure from. It stands in the hall
(`_stream`) and touches numpy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tinytorch.stats.streams._stream import check_size


class Target:
    """A known mean and standard deviation, each one number for all streams or one per stream.

    Examples
    --------
    >>> Target([0.0, 10.0], 2.0).standardise(np.array([[2.0, 6.0]]))
    array([[ 1., -2.]])
    >>> Target(0.0, [1.0, -1.0])
    Traceback (most recent call last):
    ...
    ValueError: standard_deviation must be > 0, got -1.0.
    """

    def __init__(self, mean: ArrayLike, standard_deviation: ArrayLike) -> None:
        self.mean = _read(mean, "mean")
        self.standard_deviation = _read(standard_deviation, "standard_deviation")
        if not (self.standard_deviation > 0).all():
            smallest = float(self.standard_deviation.min())
            raise ValueError(f"standard_deviation must be > 0, got {smallest!r}.")
        sizes = {array.size for array in (self.mean, self.standard_deviation) if array.ndim}
        if len(sizes) > 1:
            raise ValueError(
                f"standard_deviation must have one value per stream as mean has, "
                f"got {self.standard_deviation.size} for {self.mean.size}."
            )
        self.n_streams = sizes.pop() if sizes else None

    def standardise(self, table: np.ndarray) -> np.ndarray:
        """Return (table - mean) / standard_deviation, one stream per column.

        Raises
        ------
        ValueError
            If a value lies so many standard deviations away that it cannot be reckoned with.
        """
        with np.errstate(over="ignore"):
            scores: np.ndarray = table - self.mean
            scores /= self.standard_deviation
        check_size(scores, "values in standard deviations")
        return scores


def _read(values: ArrayLike, name: str) -> np.ndarray:
    """Return a finite number or a 1-D array of them."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be a number or one number per stream, got {type(values).__name__}.") from error
    if array.ndim > 1 or array.size == 0:
        raise ValueError(f"{name} must be a number or one number per stream, got shape {array.shape}.")
    check_size(array, name)
    return array
