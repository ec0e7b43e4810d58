"""What the data of the calibration follow, and how they are changed where power is measured."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import signal

TWO_VALUED_SHARE = 0.3
RARE_SHARE = 0.05
"""With 10 rows half a success is expected: what approximate tests of shares have most trouble with."""
HEAVY_TAILED_DOF = 3
"""Student's t with three degrees of freedom: a variance, but no third moment."""

Law = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]


def autoregressive(phi: float) -> Law:
    """Stationary series down the rows: each value is phi times the last one plus normal noise, variance 1."""

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
        noise = rng.normal(size=shape) * math.sqrt(1 - phi**2)
        noise[0] /= math.sqrt(1 - phi**2)
        return signal.lfilter([1.0], [1.0, -phi], noise, axis=0)

    return draw


LAWS: dict[str, Law] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "two-valued": lambda rng, shape: (rng.random(shape) < TWO_VALUED_SHARE).astype(float),
    "rare": lambda rng, shape: (rng.random(shape) < RARE_SHARE).astype(float),
    "few-valued": lambda rng, shape: rng.poisson(1.0, shape).astype(float),
    "heavy-tailed": lambda rng, shape: rng.standard_t(HEAVY_TAILED_DOF, shape),
    "AR(1) 0.5": autoregressive(0.5),
    "AR(1) 0.8": autoregressive(0.8),
    "AR(1) 0.9": autoregressive(0.9),
}
LAWS_IN_WORDS = {
    "normal": "standard normal; for tests on categories cut into five equally likely ones",
    "two-valued": f"1 with probability {TWO_VALUED_SHARE}, else 0",
    "rare": f"1 with probability {RARE_SHARE}, else 0",
    "few-valued": "Poisson with mean 1: mostly 0, 1 and 2, so nearly every value is tied",
    "heavy-tailed": f"Student's t with {HEAVY_TAILED_DOF} degrees of freedom",
    "AR(1) phi": "normal series in which neighbouring rows have correlation phi",
}
TIED = ("two-valued", "rare", "few-valued")


@dataclass(frozen=True)
class Setting:
    """One line of the table of false alarms: where the data come from, and how many there are."""

    law: str
    n: int
    m: int


@dataclass(frozen=True)
class Change:
    """How the current sample differs from the reference; by default not at all."""

    shift: float = 0.0
    """Added to every value: with standard normal data, the shift in standard deviations."""
    scale: float = 1.0
    """What every value is multiplied with."""
    share: float = 0.0
    """Added to the probability of a success."""

    def applied(self, table: np.ndarray) -> np.ndarray:
        return table * self.scale + self.shift if (self.shift, self.scale) != (0.0, 1.0) else table


NO_CHANGE = Change()


def draw_pair(
    rng: np.random.Generator, setting: Setting, n_columns: int, change: Change
) -> tuple[np.ndarray, np.ndarray]:
    """Reference (n, n_columns) and current (m, n_columns), consecutive rows of one table."""
    table = LAWS[setting.law](rng, (setting.n + setting.m, n_columns))
    return table[: setting.n], change.applied(table[setting.n :])


def draw_counts(
    rng: np.random.Generator, setting: Setting, n_columns: int, change: Change
) -> tuple[np.ndarray, np.ndarray]:
    """Successes among n and among m."""
    share = {"two-valued": TWO_VALUED_SHARE, "rare": RARE_SHARE}[setting.law]
    return rng.binomial(setting.n, share, n_columns), rng.binomial(setting.m, share + change.share, n_columns)
