"""Figures of predicted numbers against scikit-learn, and intervals that cover them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom
from sklearn import metrics as sklearn_metrics

from tinytorch.mlops.monitor import regression_metrics
from tinytorch.mlops.monitor._means import MOST_ROWS_FOR_BCA

N_REPETITIONS = 150


@pytest.mark.parametrize("n", [2, 50, MOST_ROWS_FOR_BCA + 1])
def test_the_figures_are_those_of_scikit_learn(n: int) -> None:
    rng = np.random.default_rng(n)
    targets = rng.normal(size=n)
    guesses = targets + rng.normal(0.3, 0.5, size=n)
    mae, rmse, bias = regression_metrics(targets, guesses, rng=rng)
    assert mae.value == pytest.approx(sklearn_metrics.mean_absolute_error(targets, guesses))
    assert rmse.value == pytest.approx(sklearn_metrics.root_mean_squared_error(targets, guesses))
    assert bias.value == pytest.approx(float((guesses - targets).mean()))
    assert all(metric.low <= metric.value <= metric.high for metric in (mae, rmse, bias))


def test_the_intervals_cover_the_true_errors() -> None:
    """Normal errors of mean 0.2 and deviation 1; as few as 1 in 10,000 would give of 150 repetitions at 93%."""
    rng = np.random.default_rng(7)
    true = {"MAE": 0.8137, "RMSE": np.sqrt(1.04), "bias": 0.2}  # E|N(0.2, 1)| from its closed form
    covered = dict.fromkeys(true, 0)
    for _ in range(N_REPETITIONS):
        for metric in regression_metrics(np.zeros(80), rng.normal(0.2, 1.0, 80), rng=rng):
            covered[metric.name] += metric.low <= true[metric.name] <= metric.high
    assert min(covered.values()) >= binom.ppf(1e-4, N_REPETITIONS, 0.93), covered


def test_too_few_rows_are_named() -> None:
    with pytest.raises(ValueError, match=r"targets must have at least 2 row\(s\), got 1."):
        regression_metrics([1.0], [1.0], rng=np.random.default_rng(0))
