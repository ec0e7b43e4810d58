"""Floor 1: the records that the four stages exchange, and the protocols that their parts satisfy.

The stages monitor, drift, retrain and deploy never import each other. What one of them has to say to another it
says in one of the frozen records below, so any part can be replaced by another that passes the same
`tinytorch.checks`. This file may import numpy, the cellar and `validate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from tinytorch._arguments import check_choice, check_in_range, check_integer
from tinytorch.mlops._record import Record as Record
from tinytorch.mlops._record import store_arrays
from tinytorch.mlops.validate import (
    as_features,
    as_labels,
    as_probabilities,
    as_request_ids,
    as_values,
    as_values_within,
    check_distinct,
    check_moment,
    check_same_length,
    check_text,
)

# Cohen's reading of an effect size in standard deviations (1988, section 2.2): 0.2 small, 0.5 medium, 0.8 large.
MEDIUM_EFFECT = 0.5
LARGE_EFFECT = 0.8


@dataclass(frozen=True, eq=False)
class PredictionBatch(Record):
    """What a model answered to one batch of requests: from serving to the monitor and the drift detector.

    Attributes
    ----------
    request_ids : ndarray of shape (n,)
        Integers or strings; labels that come late are joined by them.
    features : ndarray of shape (n, n_features)
        NaN stands for a missing value.
    predictions : ndarray of shape (n,)
        Class indices.
    probabilities : ndarray of shape (n, n_classes) or None
    latency_ms : ndarray of shape (n,)
        Time from request to answer, in milliseconds; never negative.
    timestamp : float
        Seconds since the epoch.
    model_version : int
        The registry's number of the model that answered.

    Raises
    ------
    ValueError
        If the arrays' lengths differ, one of them is malformed, or a prediction is no class of `probabilities`.

    Examples
    --------
    >>> batch = PredictionBatch([1, 2], [[0.0], [1.0]], [3, 4], None, [0.2, 0.3], timestamp=0.0, model_version=1)
    >>> print(batch)
    2 predictions by version 1
    """

    request_ids: np.ndarray
    features: np.ndarray
    predictions: np.ndarray
    probabilities: np.ndarray | None
    latency_ms: np.ndarray
    timestamp: float
    model_version: int

    def __post_init__(self) -> None:
        check_moment(self.timestamp, "timestamp")
        check_integer(self.model_version, "model_version", minimum=0)
        arrays = {
            "request_ids": as_request_ids(self.request_ids),
            "features": as_features(self.features, "features", allow_missing=True),
            "latency_ms": as_values_within(self.latency_ms, "latency_ms", 0.0, np.inf),
        }
        n_classes = None
        if self.probabilities is not None:
            arrays["probabilities"] = as_probabilities(self.probabilities)
            n_classes = arrays["probabilities"].shape[1]
        arrays["predictions"] = as_labels(self.predictions, "predictions", n_classes)
        check_same_length(arrays)
        store_arrays(self, arrays)

    def __len__(self) -> int:
        """Return the number of requests."""
        return len(self.request_ids)

    @property
    def n_classes(self) -> int | None:
        """How many classes the model knows, or None without probabilities."""
        return None if self.probabilities is None else int(self.probabilities.shape[1])

    def __str__(self) -> str:
        return f"{len(self)} predictions by version {self.model_version}"


@dataclass(frozen=True, eq=False)
class LabelBatch(Record):
    """The true classes of earlier requests; they come late, and in any order.

    Examples
    --------
    >>> print(LabelBatch([1, 2], [3, 4], timestamp=60.0))
    2 labels
    """

    request_ids: np.ndarray
    labels: np.ndarray
    timestamp: float

    def __post_init__(self) -> None:
        check_moment(self.timestamp, "timestamp")
        arrays = {"request_ids": as_request_ids(self.request_ids), "labels": as_labels(self.labels, "labels")}
        check_same_length(arrays)
        store_arrays(self, arrays)

    def __len__(self) -> int:
        """Return the number of labels."""
        return len(self.request_ids)

    def __str__(self) -> str:
        return f"{len(self)} labels"


@dataclass(frozen=True, eq=False)
class LabelledBatch(Record):
    """Answers whose labels have arrived: what accuracy is measured on, and what a challenger is trained on.

    Attributes
    ----------
    request_ids, predictions, labels, model_versions : ndarray of shape (n,)
    features : ndarray of shape (n, n_features)
    served_at : ndarray of shape (n,)
        When each request was answered, in seconds since the epoch.
    timestamp : float
        When the labels arrived, in seconds since the epoch.
    n_unmatched : int
        Labels that belong to no prediction that is still waiting for one.

    Examples
    --------
    >>> batch = LabelledBatch([1, 2], [[0.0], [1.0]], [3, 4], [3, 5], [1, 1], [0.0, 0.0], timestamp=60.0)
    >>> batch.correct, batch.accuracy
    (array([ True, False]), 0.5)
    """

    request_ids: np.ndarray
    features: np.ndarray
    predictions: np.ndarray
    labels: np.ndarray
    model_versions: np.ndarray
    served_at: np.ndarray
    timestamp: float
    n_unmatched: int = 0

    def __post_init__(self) -> None:
        check_moment(self.timestamp, "timestamp")
        check_integer(self.n_unmatched, "n_unmatched", minimum=0)
        arrays = {
            "request_ids": as_request_ids(self.request_ids),
            "features": as_features(self.features, "features", allow_missing=True),
            "predictions": as_labels(self.predictions, "predictions"),
            "labels": as_labels(self.labels, "labels"),
            "model_versions": as_labels(self.model_versions, "model_versions"),
            "served_at": as_values(self.served_at, "served_at"),
        }
        check_same_length(arrays)
        store_arrays(self, arrays)

    def __len__(self) -> int:
        """Return the number of labelled answers."""
        return len(self.request_ids)

    @property
    def correct(self) -> np.ndarray:
        """Which answers were right, as booleans of shape (n,)."""
        right: np.ndarray = self.predictions == self.labels
        return right

    @property
    def accuracy(self) -> float:
        """The share of right answers; NaN when there are none."""
        return float(self.correct.mean()) if len(self) else float("nan")

    def __str__(self) -> str:
        return f"{len(self)} labelled answers, {self.correct.sum()} right"


@dataclass(frozen=True)
class Alert(Record):
    """One change of an alert's state: it begins to fire, or it is resolved.

    Examples
    --------
    >>> print(Alert("accuracy_low", "firing", "critical", 0.81, 0.9, 0.0, 1, "accuracy fell"))
    accuracy_low firing (critical): accuracy fell
    """

    rule: str
    state: Literal["firing", "resolved"]
    severity: Literal["info", "warning", "critical"]
    value: float
    threshold: float
    timestamp: float
    model_version: int
    message: str

    def __post_init__(self) -> None:
        check_moment(self.timestamp, "timestamp")
        check_choice(self.state, "state", ("firing", "resolved"))
        check_choice(self.severity, "severity", ("info", "warning", "critical"))
        check_in_range(self.value, "value", -np.inf, np.inf)
        check_in_range(self.threshold, "threshold", -np.inf, np.inf)
        check_integer(self.model_version, "model_version", minimum=0)

    def __str__(self) -> str:
        return f"{self.rule} {self.state} ({self.severity}): {self.message}"


@dataclass(frozen=True, eq=False)
class DriftReport(Record):
    """What a detector found in one window of traffic, one value per feature: from drift to retraining.

    A feature has drifted if chance does not explain its shift (`adjusted_pvalue <= alpha`) *and* the shift is large
    enough to matter (`abs(effect_size) >= minimum_effect`): with a million rows chance explains almost nothing.

    Attributes
    ----------
    feature_names : tuple of str, length n_features
    method : str
        The test and the correction, for people to read.
    statistic, pvalue, adjusted_pvalue, effect_size, missing_rate : ndarray of shape (n_features,)
        `adjusted_pvalue` is corrected for the number of features. `missing_rate` is a share from 0 to 1.
    alpha, minimum_effect : float
    n_reference, n_current : int
        Rows compared.
    timestamp : float
        Seconds since the epoch.

    Examples
    --------
    >>> report = DriftReport(("a", "b"), "KS, Holm", [0.1, 0.9], [0.4, 0.001], [0.4, 0.002], [0.1, 0.9], [0.0, 0.0],
    ...                      alpha=0.01, minimum_effect=0.1, n_reference=600, n_current=200, timestamp=0.0)
    >>> report.drifted_features
    ('b',)
    >>> print(report)
    drift (high) in 1 of 2 features: b
    """

    feature_names: tuple[str, ...]
    method: str
    statistic: np.ndarray
    pvalue: np.ndarray
    adjusted_pvalue: np.ndarray
    effect_size: np.ndarray
    missing_rate: np.ndarray
    alpha: float
    minimum_effect: float
    n_reference: int
    n_current: int
    timestamp: float

    def __post_init__(self) -> None:
        check_moment(self.timestamp, "timestamp")
        check_in_range(self.alpha, "alpha", 0, 1, open_ends=True)
        check_in_range(self.minimum_effect, "minimum_effect", 0.0, np.inf)
        check_integer(self.n_reference, "n_reference", minimum=0)
        check_integer(self.n_current, "n_current", minimum=0)
        arrays = {name: as_values(getattr(self, name), name) for name in ("statistic", "effect_size")}
        for name in ("pvalue", "adjusted_pvalue", "missing_rate"):
            arrays[name] = as_values_within(getattr(self, name), name, 0.0, 1.0)
        feature_names = tuple(str(name) for name in self.feature_names)
        check_distinct(feature_names, "feature_names")
        check_same_length({"feature_names": np.asarray(feature_names), **arrays})
        object.__setattr__(self, "feature_names", feature_names)
        store_arrays(self, arrays)

    @property
    def is_drifted(self) -> np.ndarray:
        """Which features have drifted, as booleans of shape (n_features,)."""
        drifted: np.ndarray = (self.adjusted_pvalue <= self.alpha) & (np.abs(self.effect_size) >= self.minimum_effect)
        return drifted

    @property
    def drifted_features(self) -> tuple[str, ...]:
        """The names of the features that have drifted, the largest effect first."""
        order = np.argsort(-np.abs(self.effect_size), kind="stable")
        return tuple(self.feature_names[column] for column in order if self.is_drifted[column])

    @property
    def drifted(self) -> bool:
        """Whether any feature has drifted."""
        return bool(self.is_drifted.any())

    @property
    def severity(self) -> Literal["none", "low", "medium", "high"]:
        """How large the largest drifted effect is, in Cohen's words (small effects read as low)."""
        if not self.drifted:
            return "none"
        largest = float(np.abs(self.effect_size[self.is_drifted]).max())
        if largest >= LARGE_EFFECT:
            return "high"
        return "medium" if largest >= MEDIUM_EFFECT else "low"

    @property
    def recommendations(self) -> tuple[str, ...]:
        """What to do next, each sentence following from the figures in this report."""
        if not self.drifted:
            return ("No feature moved more than chance explains: keep watching.",)
        share = float(self.is_drifted.mean())
        advice = [f"Look at {', '.join(self.drifted_features[:3])} first: {share:.0%} of the features moved."]
        if (self.missing_rate[self.is_drifted] > 0).any():
            advice.append("Some drifted features have missing values: check the source before the model.")
        advice.append("Wait for labels or label a sample: drift is not yet damage.")
        return tuple(advice)

    def __str__(self) -> str:
        if not self.drifted:
            return f"no drift in {len(self.feature_names)} features"
        names = self.drifted_features
        shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        return f"drift ({self.severity}) in {len(names)} of {len(self.feature_names)} features: {shown}"


@dataclass(frozen=True)
class RetrainDecision(Record):
    """Whether to retrain now, and every reason that led there.

    Examples
    --------
    >>> print(RetrainDecision(True, ("accuracy_low is firing",)))
    retrain: accuracy_low is firing
    """

    should_retrain: bool
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return f"{'retrain' if self.should_retrain else 'keep the champion'}: {'; '.join(self.reasons)}"


@dataclass(frozen=True)
class ModelComparison(Record):
    """Champion and challenger, judged on the same held-out rows.

    `pvalue` is the probability of a lead of the challenger at least as large if both were equally good.

    Examples
    --------
    >>> print(ModelComparison(champion_score=0.6, challenger_score=0.9, pvalue=0.001, n_rows=100))
    challenger 0.900 against champion 0.600 on 100 rows (p = 0.001)
    """

    champion_score: float
    challenger_score: float
    pvalue: float
    n_rows: int

    def __post_init__(self) -> None:
        for name in ("champion_score", "challenger_score", "pvalue"):
            check_in_range(getattr(self, name), name, 0.0, 1.0)
        check_integer(self.n_rows, "n_rows", minimum=0)

    def __str__(self) -> str:
        return (
            f"challenger {self.challenger_score:.3f} against champion {self.champion_score:.3f} "
            f"on {self.n_rows} rows (p = {self.pvalue:.2g})"
        )


@dataclass(frozen=True, eq=False)
class RetrainResult(Record):
    """How a retraining ended. A failed one has no challenger, NaN scores and a sentence in `failure`.

    Examples
    --------
    >>> result = RetrainResult(None, float("nan"), float("nan"), 1.0, False, "the loss became nan", 0.5)
    >>> print(result)
    retraining failed: the loss became nan
    """

    challenger: Model | None
    champion_score: float
    challenger_score: float
    pvalue: float
    accepted: bool
    failure: str | None
    duration_s: float

    def __post_init__(self) -> None:
        check_in_range(self.duration_s, "duration_s", 0.0, np.inf)
        if self.accepted and self.challenger is None:
            raise ValueError("challenger must be a model when it is accepted, got None.")

    def __str__(self) -> str:
        if self.failure is not None:
            return f"retraining failed: {self.failure}"
        verdict = "accepted" if self.accepted else "rejected"
        return (
            f"challenger {verdict}: {self.challenger_score:.3f} against {self.champion_score:.3f} "
            f"(p = {self.pvalue:.2g})"
        )


@dataclass(frozen=True)
class ModelVersion(Record):
    """One entry of the registry: which weights, from which data, better than what.

    A draft has `version=0`; `Registry.register` returns it with its number.

    Examples
    --------
    >>> draft = ModelVersion("digits", content_hash="ab12cd34ef", data_hash="9f", created_at=0.0)
    >>> print(draft)
    digits, not registered (ab12cd34)
    """

    model_name: str
    version: int = 0
    content_hash: str = ""
    data_hash: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    parent: int | None = None
    created_at: float = 0.0
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_integer(self.version, "version", minimum=0)
        check_text(self.model_name, "model_name")
        check_moment(self.created_at, "created_at")
        if self.parent is not None:
            check_integer(self.parent, "parent", minimum=1)
        # Copies: an entry of the registry must not change when the caller's dictionary does.
        object.__setattr__(self, "metrics", dict(self.metrics))
        object.__setattr__(self, "tags", dict(self.tags))

    def __str__(self) -> str:
        number = f"version {self.version}" if self.version else "not registered"
        return f"{self.model_name}, {number} ({self.content_hash[:8]})"


@dataclass(frozen=True)
class RolloutDecision(Record):
    """What a rollout does next, how much traffic the challenger gets from now on, and why.

    Examples
    --------
    >>> print(RolloutDecision("advance", 1.0, ("challenger has 2 errors in 60, champion 9 in 60",)))
    advance to 100% of traffic: challenger has 2 errors in 60, champion 9 in 60
    """

    action: Literal["advance", "hold", "roll_back"]
    challenger_weight: float
    evidence: tuple[str, ...]

    def __post_init__(self) -> None:
        check_choice(self.action, "action", ("advance", "hold", "roll_back"))
        check_in_range(self.challenger_weight, "challenger_weight", 0.0, 1.0)

    def __str__(self) -> str:
        verb = {"advance": "advance to", "hold": "hold at", "roll_back": "roll back to"}[self.action]
        return f"{verb} {self.challenger_weight:.0%} of traffic: {'; '.join(self.evidence)}"


@runtime_checkable
class Model(Protocol):
    """Anything that turns features into class probabilities: a wrapped network, an ONNX session, a function."""

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Return probabilities of shape (n, n_classes) for features of shape (n, n_features)."""


class Monitor(Protocol):
    """Watches one model's answers, and its accuracy once labels arrive. Returns alerts whose state changed."""

    def observe(self, batch: PredictionBatch) -> tuple[Alert, ...]:
        """Take in a batch of answers."""

    def record_labels(self, label_batch: LabelBatch) -> tuple[Alert, ...]:
        """Take in labels of batches observed before; labels of unknown requests are counted and left out."""

    def reset_baseline(self, baseline_accuracy: float, n_baseline: int) -> None:
        """Begin again for a newly deployed model, measured at `baseline_accuracy` on `n_baseline` rows."""


class Detector(Protocol):
    """Compares windows of traffic with a reference."""

    def fit(self, reference: np.ndarray) -> Detector:
        """Learn the reference of shape (n, n_features) and return self."""

    def detect_drift(self, current: np.ndarray, now: float) -> DriftReport:
        """Compare a window of shape (n, n_features) with the reference."""


class StreamDetector(Protocol):
    """Watches values one by one, or in batches; the cut into batches never changes the result."""

    def update(self, values: np.ndarray) -> Any:
        """Take in a value, a batch (n,), or a batch of parallel streams (n, n_streams)."""

    @property
    def drift_detected(self) -> bool | np.ndarray:
        """Whether the last update raised an alarm, for each stream."""


class Trigger(Protocol):
    """Decides when to retrain."""

    def check_trigger_conditions(
        self, alerts: tuple[Alert, ...], report: DriftReport | None, now: float
    ) -> RetrainDecision:
        """Judge the alerts that are firing and the newest report. Changes nothing."""

    def record_retraining(self, now: float) -> None:
        """Remember that a retraining was begun, so that a cooldown can hold the next one back."""


class ChallengerTrainer(Protocol):
    """Trains a new model from scratch or from the champion, and never touches the champion."""

    def train(self, features: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> Model:
        """Return a model trained on (n, n_features) and (n,); raise ValueError if training diverges."""


class Comparison(Protocol):
    """Judges two models on the same held-out rows."""

    def __call__(self, champion: Model, challenger: Model, features: np.ndarray, labels: np.ndarray) -> ModelComparison:
        """Return both accuracies and the p-value of the challenger's lead."""


class Registry(Protocol):
    """Keeps versions, and one movable pointer a name: the champion."""

    def register(self, model: Model, metadata: ModelVersion) -> ModelVersion:
        """Store a model under the draft's name and return the draft with its number."""

    def get(self, name: str, version_or_alias: int | str) -> ModelVersion:
        """Return the entry of a number, of "champion", or of "latest"."""
        ...

    def load(self, name: str, version_or_alias: int | str) -> Model:
        """Return the model itself."""

    def revision(self, name: str) -> int:
        """Return how often the champion pointer has moved."""

    def promote(self, name: str, version: int, expected_revision: int) -> ModelVersion:
        """Point "champion" at `version`, unless somebody moved it since `expected_revision`."""
        ...

    def rollback(self, name: str, expected_revision: int) -> ModelVersion:
        """Point "champion" back at the version before."""
        ...


class Rollout(Protocol):
    """Brings a challenger into traffic step by step, and can say no."""

    def step(self, champion_batch: PredictionBatch, challenger_batch: PredictionBatch, now: float) -> RolloutDecision:
        """Look at what both versions answered since the last step and decide the next one."""

    def record_labels(self, label_batch: LabelBatch) -> None:
        """Take in labels of batches given to `step` before."""


class Summary(Protocol):
    """A summary of data that can be built in parts: merge of parts equals summary of the whole."""

    @classmethod
    def from_batch(cls, *batch: Any, **arguments: Any) -> Any:
        """Summarise one batch; some summaries want arguments by name, such as `edges` or `rng`."""

    def merge(self, other: Any) -> Summary:
        """Return the summary of both parts together."""
