"""Floor 2, monitor: how good predictions of a number are: MAE, RMSE and bias, each with a bootstrap interval.

    MAE  mean |prediction - target|     RMSE  root of the mean square     bias  mean of prediction - target
May import contracts, validate and `stats`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.mlops.monitor._means import mean_intervals
from tinytorch.mlops.monitor.metric import Metric
from tinytorch.mlops.validate import as_values, check_rows, check_same_length
from tinytorch.stats.intervals import DEFAULT_CONFIDENCE

MINIMUM_ROWS = 2


def regression_metrics(
    targets: Any, predictions: Any, *, rng: np.random.Generator, confidence: float = DEFAULT_CONFIDENCE
) -> tuple[Metric, ...]:
    """Return mean absolute error, root mean squared error and bias, in the unit of the targets.

    Parameters
    ----------
    targets, predictions : array_like of shape (n,)
    rng : numpy.random.Generator
        Draws the resamples.
    confidence : float
        In (0, 1).

    Returns
    -------
    tuple of Metric
        BCa intervals up to 2,000 rows, percentile intervals above. Resamples show what is in the rows: of a handful,
        or of rows that all err alike, the interval is too narrow.

    Raises
    ------
    ValueError
        If the lengths differ, there are fewer than 2 rows, or a value is not a finite number.

    References
    ----------
    B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap (1993), chapter 14.

    Examples
    --------
    >>> metrics = regression_metrics([1.0, 2.0, 3.0, 4.0], [1.5, 2.0, 2.0, 4.5], rng=np.random.default_rng(0))
    >>> [(metric.name, round(metric.value, 3)) for metric in metrics]
    [('MAE', 0.5), ('RMSE', 0.612), ('bias', 0.0)]
    """
    truth, guess = as_values(targets, "targets"), as_values(predictions, "predictions")
    check_same_length({"targets": truth, "predictions": guess})
    check_rows(truth, "targets", MINIMUM_ROWS)
    error = guess - truth
    columns = np.column_stack([np.abs(error), error**2, error])
    values = columns.mean(axis=0)
    low, high = mean_intervals(columns, rng, confidence)
    for bounds in (values, low, high):
        bounds[1] = np.sqrt(bounds[1])
    figures = zip(("MAE", "RMSE", "bias"), values.tolist(), low.tolist(), high.tolist(), strict=True)
    return tuple(Metric(*figure, len(truth)) for figure in figures)
