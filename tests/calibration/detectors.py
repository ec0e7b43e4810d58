"""How often every stream detector raises a false alarm with its default parameters, and how soon it finds a shift."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from calibration.rates import generator
from scipy.stats import norm

from tinytorch import stats

N_OBSERVATIONS = 10_000
"""Length of every stream without a change: that of the docstrings' figures."""
HORIZON = 2000
"""Observations after a shift in which it may be found."""
RUN_IN = 500
"""Observations before the shift, from which a detector that is told no mean can learn it."""
SHIFTS = (0.5, 1.0, 1.5, 2.0, 3.0)
CHANCE = 1e-5
"""As for the rates of the tests: how often a figure leaves its limits by chance, on either side."""
DEVIATIONS = float(norm.isf(CHANCE))
QUOTED_STREAMS = 1000
"""Streams behind a figure that a docstring gives as measured."""
ROUNDING = 0.01
"""Docstrings give run lengths to two or three digits."""
SHARE_ROUNDING = 0.005
"""and shares in whole per cent."""


@dataclass(frozen=True)
class Stream:
    """What is watched: `draw(rng, shape, shift)`, the shift in standard deviations of one value."""

    name: str
    draw: Callable[[np.random.Generator, tuple[int, int], float], np.ndarray]


def normal_stream(deviation: float) -> Stream:
    return Stream(f"normal, sd {deviation:g}", lambda rng, shape, shift: rng.normal(shift, 1, shape) * deviation)


def error_stream(rate: float) -> Stream:
    deviation = math.sqrt(rate * (1 - rate))
    return Stream(
        f"errors at {rate:g}", lambda rng, shape, shift: (rng.random(shape) < rate + shift * deviation).astype(float)
    )


@dataclass(frozen=True)
class Watch:
    """A detector on a stream, with what its docstring says of it (None where it says nothing)."""

    detector: str
    stream: Stream
    words: str = ""
    run_length: float | None = None
    share: float | None = None
    delay: float | None = None
    computed: bool = False
    """Whether the figures are computed (from a Markov chain) and not themselves measured."""
    at_most: bool = False
    """Whether the share is an upper bound."""
    n_streams: int = 1000
    told_mean: bool = False


UNIT, TENTH = normal_stream(1.0), normal_stream(0.1)
RARE, SOME, MANY = error_stream(0.05), error_stream(0.1), error_stream(0.3)

SHEWHART_WORDS = "one value in 370.4 raises a false alarm. A shift of one standard deviation is found after 43.9 values"
CUSUM_WORDS = (
    "a two-sided chart raises a false alarm every 465 observations on average (a one-sided one every 930); "
    "after a shift of one standard deviation it takes 10.4 observations"
)
EWMA_WORDS = (
    "a false alarm comes every 500 observations on average; a shift of one standard deviation is found after 10.3 "
    "observations"
)
PH_WORDS = "3% for errors (0 or 1) at a rate of 0.1 and 46% at a rate of 0.3"
ADWIN_WORDS = "0.9% for normal values, and less than 0.5% for errors (0 or 1) at a rate of 0.1 or 0.3"
DDM_WORDS = "62% at an error rate of 0.05, 45% at 0.1 and 20% at 0.3"
EDDM_WORDS = (
    "over independent errors at a fixed rate of 0.1 one every 610 observations, at a rate of 0.3 one every 540; "
    "of streams of 10,000 observations 96% have at least one"
)
HDDM_A_WORDS = "2% at an error rate of 0.1 and 16% at 0.3"
HDDM_W_WORDS = "0% at an error rate of 0.1 and 99% at 0.3 (one every 2,700 observations)"
KSWIN_WORDS = "over independent continuous values, one comes every 1,080 observations on average"

WATCHES = (
    Watch("Shewhart", UNIT, SHEWHART_WORDS, 370.4, delay=43.9, computed=True, told_mean=True),
    Watch("CUSUM", UNIT, CUSUM_WORDS, 465, delay=10.4, computed=True, told_mean=True),
    Watch("EWMA", UNIT, EWMA_WORDS, 500, delay=10.3, computed=True, told_mean=True),
    Watch("PageHinkley", TENTH, "0% for normal values of standard deviation 0.1", share=0.0),
    Watch("PageHinkley", UNIT, "normal values of standard deviation 1 raise one every 1,650 observations", 1650),
    Watch("PageHinkley", SOME, PH_WORDS, share=0.03),
    Watch("PageHinkley", MANY, PH_WORDS, share=0.46),
    Watch("ADWIN", UNIT, ADWIN_WORDS, share=0.009),
    Watch("ADWIN", SOME, ADWIN_WORDS, share=0.005, at_most=True),
    Watch("ADWIN", MANY, ADWIN_WORDS, share=0.005, at_most=True),
    Watch("KSWIN", UNIT, KSWIN_WORDS, 1080, n_streams=200),
    Watch("KSWIN", SOME, "On values with ties (counts, 0 or 1) they are rarer.", n_streams=100),
    Watch("DDM", RARE, DDM_WORDS, share=0.62),
    Watch("DDM", SOME, DDM_WORDS, share=0.45),
    Watch("DDM", MANY, DDM_WORDS, share=0.20),
    Watch("EDDM", SOME, EDDM_WORDS, 610, 0.96),
    Watch("EDDM", MANY, EDDM_WORDS, 540, 0.96),
    Watch("HDDM_A", SOME, HDDM_A_WORDS, share=0.02),
    Watch("HDDM_A", MANY, HDDM_A_WORDS, share=0.16),
    Watch("HDDM_W", SOME, HDDM_W_WORDS, share=0.0),
    Watch("HDDM_W", MANY, HDDM_W_WORDS, 2700, 0.99),
)


@dataclass(frozen=True)
class Finding:
    """What a watch measured, and whether it agrees with the docstring."""

    watch: Watch
    n_streams: int
    alarms: int
    run_length: float
    """Observations per false alarm; infinite without one."""
    share: float
    """Of streams of 10,000 observations with at least one false alarm."""
    mean_delay: float
    """Observations from a shift of one standard deviation to the alarm, over the streams that found it."""
    median_delay: float
    found: float
    """Share of streams that raised an alarm within the horizon after the shift."""
    disagreements: tuple[str, ...]

    @property
    def verdict(self) -> str:
        stated = (self.watch.run_length, self.watch.share, self.watch.delay)
        if self.disagreements:
            return "NOT AS STATED: " + "; ".join(self.disagreements)
        return "no figure stated" if stated == (None, None, None) else "as stated"


def observe(watch: Watch, share_of_streams: float) -> Finding:
    """Watch streams without a change, then streams with a shift of one standard deviation."""
    n_streams = max(5, round(share_of_streams * watch.n_streams))
    rng = generator(watch.detector, watch.stream.name)
    detector = getattr(stats, watch.detector)
    values = watch.stream.draw(rng, (N_OBSERVATIONS, n_streams), 0.0)
    per_stream = np.array([found.size for found in detector().update(values).alarms_])
    delays = delays_after(watch, 1.0, n_streams, rng)
    alarms = int(per_stream.sum())
    found = np.isfinite(delays)
    return Finding(
        watch,
        n_streams,
        alarms,
        values.size / alarms if alarms else math.inf,
        float((per_stream > 0).mean()),
        float(delays[found].mean()) if found.any() else math.nan,
        float(np.median(delays[found])) if found.any() else math.nan,
        float(found.mean()),
        tuple(disagreements(watch, per_stream, delays)),
    )


def delays_after(watch: Watch, shift: float, n_streams: int, rng: np.random.Generator) -> np.ndarray:
    """Observations from the shift to the first alarm after it, counting that one; infinite if it is not found.

    Charts that are told the mean start with the shift. The others first see some values without one; an alarm there
    is no loss, as they start again.
    """
    run_in = 0 if watch.told_mean else RUN_IN
    quiet = watch.stream.draw(rng, (run_in, n_streams), 0.0)
    shifted = watch.stream.draw(rng, (HORIZON, n_streams), shift)
    alarms = getattr(stats, watch.detector)().update(np.concatenate([quiet, shifted])).alarms_
    late = [found[found >= run_in] for found in alarms]
    return np.array([found[0] - run_in + 1 if found.size else math.inf for found in late])


def disagreements(watch: Watch, per_stream: np.ndarray, delays: np.ndarray) -> list[str]:
    """Where a measured figure lies further from the stated one than chance in both and rounding allow."""
    found = []
    n_streams = len(per_stream)
    more = 0.0 if watch.computed else 1 / QUOTED_STREAMS
    if watch.run_length is not None:
        expected = N_OBSERVATIONS / watch.run_length
        error = DEVIATIONS * per_stream.std() * math.sqrt(1 / n_streams + more) + ROUNDING * expected
        if abs(per_stream.mean() - expected) > error:
            found.append(f"run length {watch.run_length:g}")
    if watch.share is not None:
        likely = min(max(watch.share, 2 / QUOTED_STREAMS), 1 - 2 / QUOTED_STREAMS)
        error = DEVIATIONS * math.sqrt(likely * (1 - likely) * (1 / n_streams + more)) + SHARE_ROUNDING
        excess = float((per_stream > 0).mean()) - watch.share
        if excess > error or (excess < -error and not watch.at_most):
            found.append(f"share {watch.share:g}")
    if watch.delay is not None:
        error = DEVIATIONS * delays.std() / math.sqrt(len(delays)) + ROUNDING * watch.delay
        if not abs(delays.mean() - watch.delay) <= error:
            found.append(f"delay {watch.delay:g}")
    return found
