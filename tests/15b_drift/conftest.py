"""What the tests of the drift detectors share: limits for measured rates, and attempts that must leave no trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from tinytorch.checks.detector import require_same_report

# A detector that keeps its level would have more false alarms than the limit in one run of a million.
CHANCE_OF_MORE = 1e-6


@pytest.fixture(scope="session")
def most_false_alarms() -> Callable[[float, int], int]:
    """A function (level, repetitions) -> the binomial count that is passed with probability 1e-6."""
    return lambda level, repetitions: int(binom.ppf(1 - CHANCE_OF_MORE, repetitions, level))


@pytest.fixture(scope="session")
def refuses_without_a_trace() -> Callable[..., None]:
    """A function (detector, good window, bad fits, bad windows): each is a ValueError and changes no report."""

    def check(detector: Any, window: np.ndarray, bad_fits: list[Any], bad_windows: list[Any]) -> None:
        before = detector.detect_drift(window, 1.0)
        for bad in bad_fits:
            with pytest.raises(ValueError, match=r"^reference "):
                detector.fit(bad)
            require_same_report(detector.detect_drift(window, 1.0), before, "a window after a refused fit")
        for bad in bad_windows:
            with pytest.raises(ValueError, match=r"^current "):
                detector.detect_drift(bad, 1.0)
            require_same_report(detector.detect_drift(window, 1.0), before, "a window after a refused window")

    return check
