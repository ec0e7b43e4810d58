"""The records: they refuse what would break later, cannot be changed, and can be written down."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import numpy as np
import pytest
from batches import Always

from tinytorch.mlops import contracts
from tinytorch.mlops.contracts import (
    Alert,
    DriftReport,
    LabelBatch,
    LabelledBatch,
    ModelVersion,
    PredictionBatch,
    RetrainResult,
    RolloutDecision,
)

NAN = float("nan")
BATCH: dict[str, Any] = {
    "request_ids": [1, 2],
    "features": [[0.0, 1.0], [2.0, 3.0]],
    "predictions": [0, 1],
    "probabilities": [[0.9, 0.1], [0.2, 0.8]],
    "latency_ms": [1.0, 2.0],
    "timestamp": 0.0,
    "model_version": 1,
}
LABELLED: dict[str, Any] = {
    "request_ids": [1, 2],
    "features": [[0.0], [1.0]],
    "predictions": [3, 4],
    "labels": [3, 5],
    "model_versions": [1, 1],
    "served_at": [0.0, 0.0],
    "timestamp": 60.0,
}
REPORT: dict[str, Any] = {
    "feature_names": ("a", "b", "c", "d"),
    "method": "KS, Holm",
    "statistic": [0.1, 0.9, 0.5, 0.3],
    "pvalue": [0.4, 0.001, 0.002, 0.01],
    "adjusted_pvalue": [0.4, 0.004, 0.006, 0.01],
    "effect_size": [0.1, 0.6, -0.9, 0.3],
    "missing_rate": [0.0, 0.0, 0.5, 0.0],
    "alpha": 0.01,
    "minimum_effect": 0.2,
    "n_reference": 600,
    "n_current": 200,
    "timestamp": 0.0,
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"request_ids": [1, 1]}, "request_ids must be distinct, got 1 twice."),
        ({"request_ids": [1]}, "must have the same length"),
        ({"features": [[0.0], [1.0, 2.0]]}, "features must be a rectangular array"),
        ({"features": [[0.0, np.inf], [0.0, 0.0]]}, "features must be finite"),
        ({"predictions": [0, -1]}, "predictions must be class indices"),
        ({"predictions": [0, 2]}, "predictions must be class indices below 2, got 2."),
        ({"probabilities": [[0.9, 0.1]]}, "must have the same length"),
        ({"probabilities": [[NAN, 0.1], [0.2, 0.8]]}, "probabilities must be finite"),
        ({"latency_ms": [1.0, -2.0]}, "latency_ms must be in [0, inf], got -2."),
        ({"latency_ms": [1.0, NAN]}, "latency_ms must be finite"),
        ({"timestamp": NAN}, "timestamp must be in [-inf, inf], got nan."),
        ({"model_version": -1}, "model_version must be an integer >= 0, got -1."),
        ({"model_version": 1.5}, "model_version must be an integer >= 0, got 1.5."),
    ],
)
def test_a_prediction_batch_refuses(change: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=re.escape(message)):
        PredictionBatch(**(BATCH | change))


def test_a_batch_may_hold_missing_features_no_probabilities_and_no_rows():
    batch = PredictionBatch(**(BATCH | {"features": [[NAN, 1.0], [2.0, 3.0]], "probabilities": None}))
    assert batch.n_classes is None
    assert PredictionBatch(**BATCH).n_classes == 2
    empty = PredictionBatch([], np.zeros((0, 2)), [], None, [], 0.0, 1)
    assert len(empty) == 0
    assert str(empty) == "0 predictions by version 1"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 1], [0, 0], 0.0), "request_ids must be distinct"),
        (([1, 2], [0], 0.0), "must have the same length"),
        (([1, 2], [0, 0.5], 0.0), "labels must be class indices"),
        (([1, 2], [0, 1], NAN), "timestamp must be in"),
    ],
)
def test_a_label_batch_refuses(arguments: tuple[Any, ...], message: str):
    with pytest.raises(ValueError, match=message):
        LabelBatch(*arguments)


@pytest.mark.parametrize(
    "change",
    [
        {"labels": [3]},
        {"served_at": [0.0, NAN]},
        {"model_versions": [1, -1]},
        {"timestamp": NAN},
        {"n_unmatched": -1},
        {"request_ids": [1, 1]},
    ],
)
def test_a_labelled_batch_refuses(change: dict[str, Any]):
    with pytest.raises(ValueError, match="must"):
        LabelledBatch(**(LABELLED | change))


def test_accuracy_is_the_share_of_right_answers_and_nan_without_any():
    assert LabelledBatch(**LABELLED).accuracy == 0.5
    empty = LabelledBatch([], np.zeros((0, 1)), [], [], [], [], timestamp=0.0, n_unmatched=3)
    assert np.isnan(empty.accuracy)
    assert str(empty) == "0 labelled answers, 0 right"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pvalue": [0.4, 0.001, 0.002, 1.1]}, "pvalue must be in [0, 1], got 1.1."),
        ({"adjusted_pvalue": [-0.1, 0.0, 0.0, 0.0]}, "adjusted_pvalue must be in [0, 1], got -0.1."),
        ({"missing_rate": [0.0, 0.0, 0.0, 2.0]}, "missing_rate must be in [0, 1], got 2."),
        ({"effect_size": [0.0, 0.0, 0.0, np.inf]}, "effect_size must be finite"),
        ({"statistic": [0.0, 0.0, 0.0]}, "must have the same length"),
        ({"feature_names": ("a",)}, "must have the same length"),
        ({"alpha": 0.0}, "alpha must be in (0, 1), got 0.0."),
        ({"minimum_effect": -0.1}, "minimum_effect must be in [0.0, inf], got -0.1."),
        ({"timestamp": NAN}, "timestamp must be in"),
        ({"n_reference": -1}, "n_reference must be an integer >= 0, got -1."),
        ({"n_current": 2.5}, "n_current must be an integer >= 0, got 2.5."),
        ({"feature_names": ("a", "b", "c", "b")}, "feature_names must be distinct, got 'b' twice."),
    ],
)
def test_a_drift_report_refuses(change: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=re.escape(message)):
        DriftReport(**(REPORT | change))


def test_a_feature_drifts_when_chance_does_not_explain_it_and_it_is_large_enough():
    report = DriftReport(**REPORT)
    assert report.is_drifted.tolist() == [False, True, True, True]
    assert report.drifted_features == ("c", "b", "d")  # the largest effect first, whatever its sign
    assert DriftReport(**(REPORT | {"minimum_effect": 0.6})).drifted_features == ("c", "b")
    assert DriftReport(**(REPORT | {"alpha": 0.005})).drifted_features == ("b",)


@pytest.mark.parametrize(
    ("largest", "severity"), [(0.19, "none"), (0.2, "low"), (0.49, "low"), (0.5, "medium"), (0.8, "high"), (-3, "high")]
)
def test_severity_reads_the_largest_drifted_effect_in_cohens_words(largest: float, severity: str):
    effects = {"effect_size": [9.0, largest, 0.0, 0.0]}  # the first has drifted by chance only
    assert DriftReport(**(REPORT | effects)).severity == severity


def test_recommendations_follow_from_the_figures():
    advice = DriftReport(**REPORT).recommendations
    assert advice[0] == "Look at c, b, d first: 75% of the features moved."
    assert "missing values" in advice[1]
    whole = DriftReport(**(REPORT | {"missing_rate": [0.5, 0.0, 0.0, 0.0]}))
    assert not any("missing" in sentence for sentence in whole.recommendations)
    calm = DriftReport(**(REPORT | {"alpha": 1e-6}))
    assert (calm.drifted, calm.severity, str(calm)) == (False, "none", "no drift in 4 features")
    assert calm.recommendations == ("No feature moved more than chance explains: keep watching.",)


def test_arrays_in_records_are_copies_that_cannot_be_written():
    mine, ids = np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([1, 2])
    batch = PredictionBatch(**(BATCH | {"features": mine, "request_ids": ids}))
    mine[0, 0] = ids[0] = 99
    assert batch.features[0, 0] == 0.0
    assert batch.request_ids[0] == 1
    for name in ("request_ids", "features", "predictions", "probabilities", "latency_ms"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(batch, name)[0] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        batch.timestamp = 1.0  # type: ignore[misc]


def test_a_registered_version_does_not_change_with_the_dictionary_it_was_made_from():
    metrics, tags = {"accuracy": 0.9}, {"team": "digits"}
    version = ModelVersion("digits", metrics=metrics, tags=tags)
    metrics["accuracy"], tags["team"] = 0.1, "other"
    assert (version.metrics, version.tags) == ({"accuracy": 0.9}, {"team": "digits"})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ModelVersion(""), "model_name must not be empty"),
        (lambda: ModelVersion("digits", version=-1), "version must be an integer >= 0"),
        (lambda: Alert("r", "loud", "info", 0, 0, 0.0, 1, ""), "state must be one of 'firing', 'resolved', got 'loud'"),
        (lambda: Alert("r", "firing", "bad", 0, 0, 0.0, 1, ""), "severity must be one of"),
        (lambda: Alert("r", "firing", "info", 0, 0, NAN, 1, ""), "timestamp must be in"),
        (lambda: ModelVersion(7), "model_name must be a text, got 7."),
        (lambda: ModelVersion("digits", parent=0), "parent must be an integer >= 1, got 0."),
        (lambda: ModelVersion("digits", created_at=NAN), "created_at must be in"),
        (lambda: Alert("r", "firing", "info", NAN, 0, 0.0, 1, ""), "value must be in [-inf, inf], got nan."),
        (lambda: Alert("r", "firing", "info", "low", 0, 0.0, 1, ""), "value must be in [-inf, inf], got 'low'."),
        (lambda: Alert("r", "firing", "info", 0, NAN, 0.0, 1, ""), "threshold must be in"),
        (lambda: Alert("r", "firing", "info", 0, 0, 0.0, -1, ""), "model_version must be an integer >= 0, got -1."),
        (lambda: contracts.ModelComparison(1.5, 0.5, 0.5, 9), "champion_score must be in [0.0, 1.0], got 1.5."),
        (lambda: contracts.ModelComparison(0.5, NAN, 0.5, 9), "challenger_score must be in [0.0, 1.0], got nan."),
        (lambda: contracts.ModelComparison(0.5, 0.5, -0.1, 9), "pvalue must be in [0.0, 1.0], got -0.1."),
        (lambda: contracts.ModelComparison(0.5, 0.5, 0.5, -1), "n_rows must be an integer >= 0, got -1."),
        (lambda: contracts.ModelComparison(0.5, 0.5, 0.5, 1.5), "n_rows must be an integer >= 0, got 1.5."),
        (lambda: RetrainResult(None, 0.5, 0.9, 0.0, True, None, 1.0), "challenger must be a model when it is accepted"),
        (lambda: RetrainResult(None, NAN, NAN, 1.0, False, "no", -1.0), "duration_s must be in [0.0, inf], got -1.0."),
        (lambda: RolloutDecision("stop", 0.5, ()), "action must be one of"),
        (lambda: RolloutDecision("hold", 1.5, ()), "challenger_weight must be in"),
    ],
)
def test_other_records_refuse_what_no_reader_knows(make: Any, message: str):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


RECORDS = [
    PredictionBatch(**BATCH),
    LabelBatch(["a"], [1], 0.0),
    LabelledBatch(**LABELLED),
    DriftReport(**REPORT),
    Alert("accuracy_low", "firing", "critical", np.float64(0.8), 0.9, 0.0, 1, "<b>fell</b>"),
    RetrainResult(Always(1), 0.9, 0.95, 0.01, True, None, 1.0),
    ModelVersion("digits", 1, "ab", metrics={"accuracy": np.float64(0.9)}),
    RolloutDecision("hold", 0.5, ("why",)),
    contracts.RetrainDecision(True, ("because",)),
    contracts.ModelComparison(0.6, 0.9, 0.001, 100),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_every_record_can_be_stored_as_json_and_shown_in_a_notebook(record: Any):
    plain = record.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert list(plain) == [field.name for field in dataclasses.fields(record)]
    shown = record._repr_html_()
    assert shown.startswith("<table>")
    assert "<b>fell" not in shown
    assert "\n" not in str(record)


def test_a_model_is_written_as_the_name_of_its_class():
    assert RECORDS[5].to_dict()["challenger"] == "Always"


def test_results_say_how_they_ended():
    assert str(RECORDS[5]) == "challenger accepted: 0.950 against 0.900 (p = 0.01)"
    rejected = RetrainResult(Always(1), 0.9, 0.8, 1.0, False, None, 1.0)
    assert str(rejected) == "challenger rejected: 0.800 against 0.900 (p = 1)"
    assert str(contracts.RetrainDecision(False, ("calm",))) == "keep the champion: calm"
    assert str(RolloutDecision("roll_back", 0.0, ("worse",))) == "roll back to 0% of traffic: worse"
