"""The one record that every two-sample test of this floor returns. Imports numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class TwoSampleResult:
    """What a test of `current` against `reference` found, one value per column.

    Attributes
    ----------
    statistic : ndarray of shape (n_features,)
        The test statistic, under scipy's definition where scipy has the test.
    pvalue : ndarray of shape (n_features,)
        Probability of a statistic at least as extreme if both samples come from one law.
    effect_size : ndarray of shape (n_features,)
        How far the samples lie apart on a scale that does not grow with the sample size; its unit stands in
        each test's docstring.

    Examples
    --------
    >>> import numpy as np
    >>> result = TwoSampleResult(np.array([0.5]), np.array([0.01]), np.array([0.5]))
    >>> result.pvalue
    array([0.01])
    """

    statistic: np.ndarray
    pvalue: np.ndarray
    effect_size: np.ndarray
