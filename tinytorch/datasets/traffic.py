"""Floor 0, the pantry: the digits as traffic over time, with late labels and a drift of a chosen kind and moment.

May import numpy, the cellar and the other rooms of the pantry. Time is simulated: a stream carries timestamps and
never looks at a clock.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytorch._arguments import check_choice, check_in_range, check_integer, check_positive
from tinytorch.datasets.corruptions import CORRUPTIONS, corrupt
from tinytorch.datasets.digits import LabelledImages, load_digits
from tinytorch.datasets.population import class_mix_order

DRIFT_KINDS = ("none", *CORRUPTIONS, "class_mix")
SPEEDS = ("sudden", "gradual", "recurring")
# The severity of a plan that names none. Chosen with scikit-learn's one-hidden-layer network (32 to 128 units, four
# seeds, 96% right on clean traffic) and 30 cameras each, so that every kind is clearly of one sort: its accuracy
# falls by more than 10 points and training on some drifted rows brings it back, or it falls by less than 3 points
# although a test of each pixel (Kolmogorov-Smirnov, Bonferroni) sees 200 rows move every time. What a drift should
# lead to is for the caller to say.
DEFAULT_SEVERITY: dict[str, float] = {
    "none": 0.0,
    "brightness": 0.75,  # accuracy falls by 32 to 47 points
    "contrast": 0.75,  # by 20 to 31
    "noise": 0.3,  # by less than 2; at 1 by 10, which training on noisy rows hardly wins back
    "blur": 0.4,  # by less than 2; at 1 by 8
    "shift": 0.5,  # by 16 to 24; from 0.75 on 80 drifted rows are too few to learn it again
    "rotation": 0.5,  # by 15 to 24; the same
    "dead_pixels": 1.0,  # by 11 to 52, depending on which pixels die; less severe and some cameras do no harm
    "occlusion": 1.0,  # by 15 to 47, depending on where the dirt is; at 0.75 some do little harm
    "stretch": 0.75,  # by 19 to 22
    "class_mix": 1.0,  # by 0 on average; at 0.75 the pixels do not always show it in 200 rows
}
# 40 images a step make 25 steps of the 1,000 traffic images.
DEFAULT_STEP_SIZE = 40
DEFAULT_STEP_SECONDS = 3600.0
# Labels come two steps late: long enough that a drift in the inputs can be seen before its damage can.
DEFAULT_LABEL_DELAY_S = 2 * DEFAULT_STEP_SECONDS
# Eight clean steps (320 images) leave 17 for what follows: detection, retraining, canary and recovery.
DEFAULT_START_STEP = 8
DEFAULT_DURATION_STEPS = 4


@dataclass(frozen=True)
class DriftPlan:
    """What drifts, how badly, when and how fast.

    Attributes
    ----------
    kind : str
        One of `DRIFT_KINDS`: "none", a name in `CORRUPTIONS`, or "class_mix".
    severity : float, optional
        In [0, 1]; the kind's own `DEFAULT_SEVERITY` when not given. Not used by "none".
    start_step : int
        The first step, counted from 0, that may be affected.
    speed : "sudden", "gradual" or "recurring"
        At once; rising evenly over `duration_steps`; or on for `duration_steps`, off for as many, and so on.
    duration_steps : int
        See `speed`; not used by "sudden".

    Raises
    ------
    ValueError
        If a value is not as described.

    Examples
    --------
    >>> plan = DriftPlan("noise", severity=0.8, start_step=2, speed="gradual", duration_steps=4)
    >>> plan.severity_by_step(7).round(2).tolist()
    [0.0, 0.0, 0.2, 0.4, 0.6, 0.8, 0.8]
    >>> DriftPlan("noise", severity=1.0, start_step=1, speed="recurring", duration_steps=2).severity_by_step(6).tolist()
    [0.0, 1.0, 1.0, 0.0, 0.0, 1.0]
    """

    kind: str = "none"
    severity: float | None = None
    start_step: int = DEFAULT_START_STEP
    speed: str = "sudden"
    duration_steps: int = DEFAULT_DURATION_STEPS

    def __post_init__(self) -> None:
        check_choice(self.kind, "kind", DRIFT_KINDS)
        if self.severity is not None:
            check_in_range(self.severity, "severity", 0.0, 1.0)
        check_integer(self.start_step, "start_step")
        check_choice(self.speed, "speed", SPEEDS)
        check_integer(self.duration_steps, "duration_steps", minimum=1)

    @property
    def full_severity(self) -> float:
        """The severity when the drift is at its worst."""
        if self.kind == "none":
            return 0.0
        return DEFAULT_SEVERITY[self.kind] if self.severity is None else float(self.severity)

    def severity_by_step(self, n_steps: int) -> NDArray[np.float64]:
        """Return the severity of each of the first `n_steps` steps, (n_steps,)."""
        since = np.arange(check_integer(n_steps, "n_steps")) - self.start_step
        if self.speed == "gradual":
            return self.full_severity * np.clip((since + 1) / self.duration_steps, 0.0, 1.0)
        affected = since >= 0
        if self.speed == "recurring":
            affected &= since // self.duration_steps % 2 == 0
        return np.where(affected, self.full_severity, 0.0)


@dataclass(frozen=True)
class TrafficSchedule:
    """How much traffic comes when, and how late its labels are.

    Attributes
    ----------
    step_size : int
        Requests a step.
    step_seconds : float
        Seconds from one step to the next.
    label_delay_s : float
        Seconds from a request to its label; at least 0.
    start_time : float
        Timestamp of the first step, in seconds since the epoch.

    Raises
    ------
    ValueError
        If a value is not as described.

    Examples
    --------
    >>> TrafficSchedule(step_size=20).step_size
    20
    """

    step_size: int = DEFAULT_STEP_SIZE
    step_seconds: float = DEFAULT_STEP_SECONDS
    label_delay_s: float = DEFAULT_LABEL_DELAY_S
    start_time: float = 0.0

    def __post_init__(self) -> None:
        check_integer(self.step_size, "step_size", minimum=1)
        check_positive(self.step_seconds, "step_seconds")
        check_in_range(self.label_delay_s, "label_delay_s", 0.0, float(np.finfo(np.float64).max))
        check_in_range(self.start_time, "start_time", 0.0, float(np.finfo(np.float64).max))


@dataclass(frozen=True, eq=False)
class TrafficStep:
    """The requests of one step, with the labels that will be known later.

    Attributes
    ----------
    request_ids : (n,) int64
        The images' ids, unique over the whole stream.
    features : (n, 64) float32
    labels : (n,) int64
        To be revealed `label_delay_s` after `timestamp`, not before.
    label_delay_s : float
    timestamp : float
        Seconds since the epoch.

    Examples
    --------
    >>> step = next(stream(DriftPlan("none"), np.random.default_rng(0)))
    >>> step.features.shape, step.timestamp, step.labels_known_at
    ((40, 64), 0.0, 7200.0)
    """

    request_ids: NDArray[np.int64]
    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    label_delay_s: float
    timestamp: float

    @property
    def labels_known_at(self) -> float:
        """The timestamp from which on the labels may be used."""
        return self.timestamp + self.label_delay_s


class TrafficStream:
    """An iterator of `TrafficStep` over images, each served at most once.

    The order of the images is shuffled by `rng`, and is the same for every corruption and for "none", so that runs
    with the same seed can be compared image by image. Only whole steps are served. With "class_mix" the stream ends
    when an image of a frequent class is wanted and none is left, since to go on would be another drift.

    Parameters
    ----------
    images : LabelledImages
    plan : DriftPlan
    rng : numpy.random.Generator
        Everything random is drawn from it when the stream is made.
    schedule : TrafficSchedule, optional

    Raises
    ------
    ValueError
        If there are fewer images than one step holds.

    Examples
    --------
    >>> traffic = TrafficStream(load_digits().traffic, DriftPlan("shift"), np.random.default_rng(0))
    >>> traffic.n_steps, len(traffic.take(10)), traffic.n_left
    (25, 10, 15)
    >>> traffic.take(16)
    Traceback (most recent call last):
    ...
    ValueError: the stream is exhausted: n_steps must be <= 15 (of 25), got 16.
    """

    def __init__(
        self,
        images: LabelledImages,
        plan: DriftPlan,
        rng: np.random.Generator,
        schedule: TrafficSchedule | None = None,
    ) -> None:
        self.plan = plan
        self.schedule = TrafficSchedule() if schedule is None else schedule
        size = self.schedule.step_size
        if len(images) < size:
            raise ValueError(f"images must hold at least one step of {size}, got {len(images)}.")
        most_steps = len(images) // size
        severity = plan.severity_by_step(most_steps)
        order = rng.permutation(len(images))[: most_steps * size]
        if plan.kind == "class_mix":
            order = class_mix_order(images.labels, severity, size, rng)
        self._images = LabelledImages(images.features[order], images.labels[order], images.ids[order])
        self._severity = severity[: order.size // size]
        self._features = _corrupted(self._images.features, plan.kind, np.repeat(self._severity, size), rng)
        self._served = 0

    @property
    def n_steps(self) -> int:
        """How many steps the whole stream has."""
        return self._severity.size

    @property
    def n_left(self) -> int:
        """How many steps have not been served yet."""
        return self.n_steps - self._served

    @property
    def severity_by_step(self) -> NDArray[np.float64]:
        """The true severity of each step, (n_steps,): for plots and tests, not for detectors."""
        return self._severity.copy()

    def __iter__(self) -> TrafficStream:
        return self

    def __next__(self) -> TrafficStep:
        if not self.n_left:
            raise StopIteration
        step, size = self._served, self.schedule.step_size
        rows = slice(step * size, (step + 1) * size)
        self._served += 1
        return TrafficStep(
            self._images.ids[rows].copy(),
            self._features[rows].copy(),
            self._images.labels[rows].copy(),
            self.schedule.label_delay_s,
            self.schedule.start_time + step * self.schedule.step_seconds,
        )

    def take(self, n_steps: int) -> list[TrafficStep]:
        """Return the next `n_steps` steps.

        Raises
        ------
        ValueError
            If fewer are left; then none is served.
        """
        if check_integer(n_steps, "n_steps") > self.n_left:
            raise ValueError(
                f"the stream is exhausted: n_steps must be <= {self.n_left} (of {self.n_steps}), got {n_steps}."
            )
        return [next(self) for _ in range(n_steps)]


def stream(plan: DriftPlan, rng: np.random.Generator, schedule: TrafficSchedule | None = None) -> TrafficStream:
    """Return the bundled traffic images as a stream: 25 steps of 40, each image once.

    Parameters
    ----------
    plan : DriftPlan
    rng : numpy.random.Generator
    schedule : TrafficSchedule, optional

    Examples
    --------
    >>> traffic = stream(DriftPlan("dead_pixels", start_step=3), np.random.default_rng(0))
    >>> sum(len(step.labels) for step in traffic)
    1000
    """
    return TrafficStream(load_digits().traffic, plan, rng, schedule)


def _corrupted(
    features: NDArray[np.float32], kind: str, severity: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return the features after the drift, which for "none" and "class_mix" is as they were."""
    if kind not in CORRUPTIONS:
        return features
    return corrupt(features, kind, severity, rng)
