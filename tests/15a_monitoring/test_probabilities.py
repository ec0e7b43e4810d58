"""Figures of predicted probabilities against scikit-learn, and how often their intervals cover."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from sklearn import metrics as sklearn_metrics

from tinytorch.mlops.monitor import probability_metrics
from tinytorch.mlops.monitor.probabilities import CALIBRATION_BINS

N_REPETITIONS = 60


def drawn(rng: np.random.Generator, n: int, n_classes: int, sharpness: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that mean what they say, and labels drawn from them."""
    scores = np.exp(sharpness * rng.normal(size=(n, n_classes)))
    probabilities = scores / scores.sum(axis=1, keepdims=True)
    labels = (rng.random((n, 1)) > probabilities.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return labels, probabilities


def auc_of_scikit_learn(labels: np.ndarray, probabilities: np.ndarray) -> float:
    if probabilities.shape[1] == 2:
        return sklearn_metrics.roc_auc_score(labels, probabilities[:, 1])
    return sklearn_metrics.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro")


@settings(deadline=None, derandomize=True, max_examples=25)
@given(seed=st.integers(0, 10_000), n_classes=st.integers(2, 5), digits=st.sampled_from([1, 12]))
def test_log_loss_and_auc_are_those_of_scikit_learn(seed: int, n_classes: int, digits: int) -> None:
    labels, probabilities = drawn(np.random.default_rng(seed), 60, n_classes)
    probabilities = (probabilities + 10.0**-digits).round(digits)  # with one digit there are many ties
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    labels[:n_classes] = np.arange(n_classes)  # scikit-learn wants every class to occur
    loss, _, auc = probability_metrics(labels, probabilities, rng=np.random.default_rng(0))
    assert auc.value == pytest.approx(auc_of_scikit_learn(labels, probabilities), abs=1e-12)
    assert loss.value == pytest.approx(sklearn_metrics.log_loss(labels, probabilities), abs=1e-9)


def calibration_error_by_a_loop(labels: np.ndarray, probabilities: np.ndarray) -> float:
    confidences, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    error = 0.0
    for lower in np.arange(CALIBRATION_BINS) / CALIBRATION_BINS:
        rows = (confidences >= lower) & (confidences < lower + 1 / CALIBRATION_BINS)
        if rows.any():
            error += rows.mean() * abs(right[rows].mean() - confidences[rows].mean())
    return error


def test_the_calibration_error_is_what_a_loop_over_the_bins_finds() -> None:
    labels, probabilities = drawn(np.random.default_rng(1), 300, 3, sharpness=1.0)
    calibration = probability_metrics(labels, probabilities, rng=np.random.default_rng(0))[1]
    assert calibration.value == pytest.approx(calibration_error_by_a_loop(labels, probabilities), abs=1e-12)


def test_one_class_alone_has_no_auc() -> None:
    names = [m.name for m in probability_metrics([0, 0], [[0.9, 0.1], [0.8, 0.2]], rng=np.random.default_rng(0))]
    assert names == ["log loss", "calibration error"]


def test_a_certain_and_wrong_answer_has_a_finite_log_loss() -> None:
    loss, *_ = probability_metrics([1, 0], [[1.0, 0.0], [1.0, 0.0]], rng=np.random.default_rng(0))
    assert 17.0 < loss.value < 19.0


def test_a_perfect_ranking_of_few_rows_does_not_claim_to_be_perfect() -> None:
    probabilities = np.column_stack([np.linspace(0.9, 0.1, 10), np.linspace(0.1, 0.9, 10)])
    auc = probability_metrics(np.arange(10) // 5, probabilities, rng=np.random.default_rng(0))[-1]
    assert (auc.value, auc.high) == (1.0, 1.0)
    assert auc.low < 0.7


@pytest.mark.parametrize(("n", "n_classes"), [(120, 2), (250, 4)])
def test_intervals_cover_the_true_figures(n: int, n_classes: int) -> None:
    """Of 60 repetitions, as few as 1 in 10,000 would give at 93%: the bootstrap is known to cover a little less
    than it says on so few rows, and this bound says how much less we allow."""
    rng = np.random.default_rng(n)
    everyone = drawn(rng, 200_000, n_classes)
    true = {"log loss": sklearn_metrics.log_loss(*everyone), "AUC": auc_of_scikit_learn(*everyone)}
    covered = dict.fromkeys(true, 0)
    for _ in range(N_REPETITIONS):
        for metric in probability_metrics(*drawn(rng, n, n_classes), rng=rng)[::2]:
            covered[metric.name] += metric.low <= true[metric.name] <= metric.high
    assert min(covered.values()) >= binom.ppf(1e-4, N_REPETITIONS, 0.93), covered


@pytest.mark.parametrize("flattery", [1.0, 3.0])
def test_the_interval_of_the_calibration_error_covers_it(flattery: float) -> None:
    """With a model that means what it says (error 0) and one that flatters itself; of 60 repetitions as above."""
    rng = np.random.default_rng(5)

    def flattered(n: int) -> tuple[np.ndarray, np.ndarray]:
        labels, probabilities = drawn(rng, n, 3, sharpness=1.0)
        sharper = probabilities**flattery
        return labels, sharper / sharper.sum(axis=1, keepdims=True)

    true = calibration_error_by_a_loop(*flattered(200_000)) if flattery > 1 else 0.0
    covered = 0
    for _ in range(N_REPETITIONS):
        calibration = probability_metrics(*flattered(150), rng=rng)[1]
        covered += calibration.low <= true <= calibration.high
    assert covered >= binom.ppf(1e-4, N_REPETITIONS, 0.95)


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([0], [[0.5, 0.5]], r"labels must have at least 2 row\(s\), got 1."),
        ([0, 2], [[0.5, 0.5], [0.5, 0.5]], "labels must be class indices below 2, got 2."),
        ([0, 1], [[0.5, 0.5]], "labels, probabilities must have the same length, got 2, 1."),
    ],
)
def test_bad_input_is_named(labels: list, probabilities: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        probability_metrics(labels, probabilities, rng=np.random.default_rng(0))


def test_a_model_that_is_certain_and_always_wrong_has_figures() -> None:
    certain = np.eye(2)[[0, 1] * 25]
    _, calibration, auc = probability_metrics([1, 0] * 25, certain, rng=np.random.default_rng(0))
    assert (calibration.value, calibration.high, auc.value) == (1.0, 1.0, 0.0)
    assert auc.high > 0.0


@pytest.mark.parametrize(("n", "confidence"), [(50, 0.99), (30, 0.97)])
def test_rows_that_are_all_right_do_not_prove_a_calibration_error(n: int, confidence: float) -> None:
    table = np.tile([confidence, 1 - confidence], (n, 1))
    _, calibration, *_ = probability_metrics(np.zeros(n, dtype=int), table, rng=np.random.default_rng(0))
    assert calibration.value == pytest.approx(1 - confidence)
    assert calibration.low == 0.0
