"""Figures of class predictions against scikit-learn, and intervals that cover what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import binom
from sklearn import metrics as sklearn_metrics

from tinytorch.mlops.monitor import Metric, classification_metrics

N_REPETITIONS = 250


def by_name(metrics: tuple[Metric, ...]) -> dict[str, Metric]:
    return {metric.name: metric for metric in metrics}


@st.composite
def labels_and_predictions(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    n = draw(st.integers(1, 60))
    classes = st.integers(0, draw(st.integers(0, 6)))
    return draw(hnp.arrays(np.int64, n, elements=classes)), draw(hnp.arrays(np.int64, n, elements=classes))


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true", "ignore:A single label was found")
@settings(deadline=None, derandomize=True, max_examples=60)
@given(labels_and_predictions())
def test_the_figures_are_those_of_scikit_learn(pair: tuple[np.ndarray, np.ndarray]) -> None:
    labels, predictions = pair
    ours = by_name(classification_metrics(labels, predictions))
    options = {"average": "macro", "zero_division": 0}
    expected = {
        "accuracy": sklearn_metrics.accuracy_score(labels, predictions),
        "balanced accuracy": sklearn_metrics.balanced_accuracy_score(labels, predictions),
        "precision": sklearn_metrics.precision_score(labels, predictions, **options),
        "recall": sklearn_metrics.recall_score(labels, predictions, **options),
        "F1": sklearn_metrics.f1_score(labels, predictions, **options),
    }
    assert {name: metric.value for name, metric in ours.items()} == pytest.approx(expected, abs=1e-12)
    for metric in ours.values():
        assert 0.0 <= metric.low <= metric.value + 1e-12
        assert metric.value <= metric.high + 1e-12 <= 1.0 + 2e-12


def test_the_figures_of_one_class_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    labels, predictions = rng.integers(0, 2, 80), rng.integers(0, 2, 80)
    ours = by_name(classification_metrics(labels, predictions, positive_class=1))
    assert ours["precision"].value == pytest.approx(sklearn_metrics.precision_score(labels, predictions))
    assert ours["recall"].value == pytest.approx(sklearn_metrics.recall_score(labels, predictions))
    assert ours["F1"].value == pytest.approx(sklearn_metrics.f1_score(labels, predictions))


def test_a_perfect_answer_to_few_rows_does_not_claim_to_be_perfect() -> None:
    for metric in classification_metrics(np.arange(6) % 2, np.arange(6) % 2):
        assert metric.value == metric.high == 1.0
        assert metric.low < 0.8


@pytest.mark.parametrize("n", [60, 300])
def test_the_intervals_cover_the_true_figures_of_three_classes_of_unequal_size(n: int) -> None:
    """At least 95% less the binomial's reach: of 250 repetitions, as few as 1 in 10,000 would give by chance."""
    rng = np.random.default_rng(n)
    truth = rng.choice(3, p=[0.5, 0.3, 0.2], size=200_000)
    guess = np.where(rng.random(200_000) < 0.8, truth, rng.integers(0, 3, 200_000))
    true = by_name(classification_metrics(truth, guess))
    covered = dict.fromkeys(true, 0)
    for _ in range(N_REPETITIONS):
        rows = rng.integers(0, len(truth), n)
        for name, metric in by_name(classification_metrics(truth[rows], guess[rows])).items():
            covered[name] += metric.low <= true[name].value <= metric.high
    fewest = binom.ppf(1e-4, N_REPETITIONS, 0.95)
    assert min(covered.values()) >= fewest, covered


@pytest.mark.parametrize(
    ("labels", "predictions", "options", "message"),
    [
        ([0, 1], [0], {}, "labels, predictions must have the same length, got 2, 1."),
        ([], [], {}, r"labels must have at least 1 row\(s\), got 0."),
        ([0.5], [0], {}, "labels must be class indices 0, 1, 2, ..., got 0.5."),
        ([0, 1], [0, 1], {"positive_class": 7}, "positive_class must occur in the labels or predictions, got 7."),
        ([0, 1], [0, 1], {"confidence": 1.0}, r"confidence must be in \(0, 1\), got 1"),
    ],
)
def test_bad_input_is_named(labels: list, predictions: list, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        classification_metrics(labels, predictions, **options)
