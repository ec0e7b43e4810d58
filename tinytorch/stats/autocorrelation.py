"""How many independent rows is a time series worth? Imports numpy only.

r = sum (x_t - mean)(x_{t+1} - mean) / sum (x_t - mean)^2, and a series with correlation r from each row to the next
(an AR(1) process) fixes its mean no better than n (1 - r) / (1 + r) independent rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tinytorch.stats._effects import in_common_unit
from tinytorch.stats._inputs import as_columns


def lag1_autocorrelation(values: ArrayLike) -> np.ndarray:
    """Correlation of each row with the next, per column.

    It is biased towards 0: at a true correlation rho it averages about rho - (1 + 3 rho) / n.

    Parameters
    ----------
    values : array_like of shape (n_samples, n_features) or (n_samples,)
        Rows in the order of time.

    Returns
    -------
    ndarray of shape (n_features,)
        Between -1 and 1; 0 for a constant column.

    Raises
    ------
    ValueError
        If `values` is not a finite table.

    References
    ----------
    Box, Jenkins and Reinsel, Time Series Analysis, section 2.1; Kendall (1954), Note on bias in the estimation of
    autocorrelation, Biometrika 41.

    Examples
    --------
    >>> lag1_autocorrelation([1.0, 2.0, 3.0, 4.0, 5.0])
    array([0.4])
    """
    table = as_columns(values, "values")
    return pooled_lag1_autocorrelation(in_common_unit(table, table)[0])


def effective_sample_size(values: ArrayLike) -> np.ndarray:
    """Number of independent rows that would fix the mean as well as these rows do, per column.

    n (1 - r) / (1 + r), with r the lag-1 autocorrelation; right for AR(1) processes, too large where the memory is
    longer than the first lag shows. A negative r counts as 0, so that the result never exceeds n, and it is never
    below 1.

    Parameters
    ----------
    values : array_like of shape (n_samples, n_features) or (n_samples,)
        Rows in the order of time.

    Returns
    -------
    ndarray of shape (n_features,)
        Between 1 and n_samples; n_samples for a constant column.

    Raises
    ------
    ValueError
        If `values` is not a finite table.

    References
    ----------
    Bayley and Hammersley (1946), The "effective" number of independent observations in an autocorrelated time
    series, Supplement to the Journal of the Royal Statistical Society 8.

    Examples
    --------
    >>> effective_sample_size([1.0, 2.0, 3.0, 4.0, 5.0]).round(2)
    array([2.14])
    """
    table = as_columns(values, "values")
    correlation = np.maximum(lag1_autocorrelation(table), 0.0)
    return np.asarray(np.maximum(len(table) * (1 - correlation) / (1 + correlation), 1.0))


def pooled_lag1_autocorrelation(*tables: np.ndarray) -> np.ndarray:
    """Lag-1 autocorrelation that stretches of a series share, each about its own mean; tables in one unit, per column.

    Examples
    --------
    >>> pooled_lag1_autocorrelation(np.array([[0.0], [1.0]]), np.array([[5.0], [4.0]]))
    array([-0.5])
    """
    products = np.zeros(tables[0].shape[1])
    squares = np.zeros(tables[0].shape[1])
    for table in tables:
        centred = table - table[0]  # a row of the data first: a constant column is then exactly 0
        centred -= centred.mean(axis=0)
        products += (centred[1:] * centred[:-1]).sum(axis=0)
        squares += (centred * centred).sum(axis=0)
    return np.divide(products, squares, out=np.zeros_like(squares), where=squares > 0)
