"""Energy distance per column: the gap between two distribution functions, squared and summed. Numpy only.

    D = sqrt(2 * integral of (F - G)^2 dx) = sqrt(2 E|X - Y| - E|X - X'| - E|Y - Y'|)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tinytorch.stats._inputs import as_pair
from tinytorch.stats._merged import Merged, merged_columns


def energy_distance(reference: ArrayLike, current: ArrayLike) -> np.ndarray:
    """Return the energy distance of the samples, per column, in the square root of the column's unit.

    Equals `scipy.stats.energy_distance`. By chance alone it is near sqrt(E|X - X'| (1/n + 1/m)), so compare it
    only between samples of equal sizes; `energy_test` gives a p-value, over all columns together.

    Parameters
    ----------
    reference, current : array_like of shape (n,) or (n, n_features)

    Returns
    -------
    ndarray of shape (n_features,)

    Raises
    ------
    ValueError
        If the tables do not match.

    References
    ----------
    G. J. Szekely and M. L. Rizzo, Energy Statistics, J. Stat. Planning and Inference 143 (2013).

    Examples
    --------
    >>> energy_distance([0.0, 8.0], [0.0, 8.0, 8.0]).round(4)
    array([0.6667])
    """
    left, right = as_pair(reference, current)
    n, m = len(left), len(right)
    return np.array([_distance(column, n, m) for column in merged_columns(left, right)])


def _distance(column: Merged, n: int, m: int) -> float:
    """Integrate the squared gap of the two step functions over the axis."""
    gaps = column.reference_upto[:-1] / n - column.current_upto[:-1] / m
    return float(np.sqrt(2 * (gaps**2 * np.diff(column.values)).sum()))
