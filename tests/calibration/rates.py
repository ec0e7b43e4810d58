"""How often every test raises a false alarm, and the limits that chance sets to that."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from calibration.laws import NO_CHANGE, Change, Setting
from calibration.remarks import Remark, remark_on
from calibration.subjects import LEVELS, Subject, steps
from scipy.stats import binom

CHANCE = 1e-5
"""A rate leaves the limits by chance this often on either side: once in some dozens of full tables of 600 rates."""
SEED = 2024


@dataclass(frozen=True)
class Rate:
    """One measured rate and what was allowed."""

    test: str
    setting: Setting
    level: float
    repetitions: int
    alarms: int
    remark: Remark | None

    @property
    def rate(self) -> float:
        return self.alarms / self.repetitions

    @property
    def limits(self) -> tuple[float, float]:
        """What chance leaves of a true rate equal to the level."""
        return binomial_limits(self.level, self.level, self.repetitions)

    @property
    def stated_limits(self) -> tuple[float, float]:
        """What chance leaves of the true rates that the docstring allows."""
        low, high = (self.level, self.level) if self.remark is None else self.remark.range_at(self.level)
        return binomial_limits(low, high, self.repetitions)

    @property
    def verdict(self) -> str:
        if self.limits[0] <= self.rate <= self.limits[1]:
            return "nominal"
        side = "below" if self.rate < self.limits[0] else "above"
        low, high = self.stated_limits
        if self.remark is None or not low <= self.rate <= high:
            return f"{side.upper()}, UNEXPLAINED"
        return f"{side}, as stated" if self.remark.is_said else f"{side}, NOT SAID"

    @property
    def explained(self) -> bool:
        return self.verdict.split(", ")[-1] not in ("UNEXPLAINED", "NOT SAID")


def binomial_limits(low: float, high: float, repetitions: int) -> tuple[float, float]:
    """Shares that a binomial count leaves with probability `CHANCE` on either side, for true rates from low to high."""
    lowest, highest = binom.ppf(CHANCE, repetitions, low), binom.ppf(1 - CHANCE, repetitions, min(high, 1.0))
    return float(lowest) / repetitions, float(highest) / repetitions


def generator(*labels: object) -> np.random.Generator:
    """A generator of its own for every line, so that a new line changes no other one."""
    return np.random.default_rng([SEED, *(zlib.crc32(str(label).encode()) for label in labels)])


def draw_pvalues(subject: Subject, setting: Setting, repetitions: int, change: Change = NO_CHANGE) -> np.ndarray:
    """As many p-values as asked for, a few calls at a time."""
    rng = generator(subject.name, setting, change)
    parts = [subject.pvalues(rng, setting, size, change) for size in steps(repetitions, subject.at_once)]
    return np.concatenate(parts)


def measure_rates(subject: Subject, setting: Setting, repetitions: int) -> list[Rate]:
    """False-alarm rates at every level, from the same p-values."""
    pvalues = draw_pvalues(subject, setting, repetitions)
    assert pvalues.shape == (repetitions,)
    assert ((pvalues >= 0) & (pvalues <= 1)).all()
    remark = remark_on(subject.name, setting)
    return [Rate(subject.name, setting, level, repetitions, int((pvalues <= level).sum()), remark) for level in LEVELS]


def measure_all(subjects: Iterable[Subject], share: float, most_settings: int | None = None) -> list[Rate]:
    """Every subject in its settings (or the first few of them), with a share of the full number of repetitions."""
    return [
        rate
        for subject in subjects
        for setting in subject.settings[:most_settings]
        for rate in measure_rates(subject, setting, max(1, round(share * subject.repetitions)))
    ]
