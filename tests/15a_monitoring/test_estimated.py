"""Quality without labels: the estimates cover what the labels say later, where their assumption holds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import binom

from tinytorch.datasets import DriftPlan, TrafficSchedule, load_digits, stream
from tinytorch.mlops.monitor import AccuracyEstimator, LossEstimator
from tinytorch.mlops.retrain import NetworkModel, NetworkTrainer
from tinytorch.mlops.validate import NotFittedError

N_REPETITIONS = 60


@pytest.mark.parametrize("seed", range(5))
def test_the_calibrating_curve_is_the_one_that_scipy_finds(seed: int) -> None:
    """Penalised logistic regression, written out again and minimised by a general method."""
    rng = np.random.default_rng(seed)
    probabilities, labels = overconfident(rng, 120, 0.8)
    right = (probabilities.argmax(axis=1) == labels).astype(float)
    confidence = np.clip(probabilities.max(axis=1), 1e-6, 1 - 1e-6)
    regressors = np.column_stack([np.ones(120), np.log(confidence), -np.log(1 - confidence)])

    def cost(curve: np.ndarray) -> float:
        chance = expit(regressors @ curve)
        return -float(np.log(np.where(right > 0, chance, 1 - chance)).sum() - 0.5 * ((curve - [0, 1, 1]) ** 2).sum())

    found = AccuracyEstimator().fit(probabilities, labels, rng).curves_[0]
    assert found == pytest.approx(minimize(cost, [0.0, 1.0, 1.0], tol=1e-10).x, abs=1e-3)


def overconfident(rng: np.random.Generator, n: int, certain: float) -> tuple[np.ndarray, np.ndarray]:
    """Two classes; the model claims more certainty than it has, in the same way whatever the inputs."""
    claimed = np.clip(rng.normal(certain, 0.1, n), 0.5, 1.0)
    labels = (rng.random(n) > 0.5 + 0.7 * (claimed - 0.5)).astype(int)
    return np.column_stack([claimed, 1 - claimed]), labels


@pytest.mark.parametrize("certain", [0.9, 0.65])
def test_the_estimated_accuracy_covers_the_one_that_labels_show_later(certain: float) -> None:
    """Fitted where the model is mostly certain, asked there and where it is unsure. Of 60 repetitions, as few as 1
    in 10,000 would give at 93%: a curve learnt from 400 rows falls a little short of 95% where rows were few."""
    rng = np.random.default_rng(int(100 * certain))
    covered = 0
    for _ in range(N_REPETITIONS):
        estimator = AccuracyEstimator().fit(*overconfident(rng, 400, 0.8), rng)
        probabilities, labels = overconfident(rng, 200, certain)
        estimate = estimator.estimate(probabilities)
        covered += estimate.low <= float(np.mean(probabilities.argmax(axis=1) == labels)) <= estimate.high
    assert covered >= binom.ppf(1e-4, N_REPETITIONS, 0.93), covered


@pytest.fixture(scope="module")
def digit_model() -> NetworkModel:
    digits = load_digits()
    trainer = NetworkTrainer(hidden_units=32, epochs=20)
    return trainer.train(digits.training.features, digits.training.labels, np.random.default_rng(0))


@pytest.fixture(scope="module")
def digit_estimator(digit_model: NetworkModel) -> AccuracyEstimator:
    validation = load_digits().validation
    probabilities = digit_model.predict_proba(validation.features)
    return AccuracyEstimator().fit(probabilities, validation.labels, np.random.default_rng(0))


def test_on_the_digits_stream_the_estimate_agrees_with_the_late_labels_while_nothing_is_wrong(
    digit_model: NetworkModel, digit_estimator: AccuracyEstimator
) -> None:
    """Ten batches of 100 healthy digits: as few covered as 1 in 10,000 would be at 93%."""
    covered = []
    for step in stream(DriftPlan("none"), np.random.default_rng(0), TrafficSchedule(step_size=100)):
        probabilities = digit_model.predict_proba(step.features)
        estimate = digit_estimator.estimate(probabilities)
        accuracy = float(np.mean(probabilities.argmax(axis=1) == step.labels))
        covered.append(estimate.low <= accuracy <= estimate.high)
    assert len(covered) == 10
    assert sum(covered) >= binom.ppf(1e-4, 10, 0.93)


@pytest.mark.parametrize("kind", ["brightness", "contrast", "rotation"])
def test_on_corrupted_digits_the_estimate_falls_before_any_label_has_come(
    kind: str, digit_model: NetworkModel, digit_estimator: AccuracyEstimator
) -> None:
    schedule = TrafficSchedule(step_size=500)
    (healthy, _), (corrupted, _) = (
        list(stream(plan, np.random.default_rng(0), schedule))
        for plan in (DriftPlan("none"), DriftPlan(kind, start_step=0))
    )
    before, after = (
        digit_estimator.estimate(digit_model.predict_proba(step.features)) for step in (healthy, corrupted)
    )
    assert after.high < before.value


def test_what_the_model_is_confidently_wrong_about_the_estimate_does_not_see(
    digit_model: NetworkModel, digit_estimator: AccuracyEstimator
) -> None:
    """The limit that the docstring states: dirt on the lens looks like ink, and the network believes it."""
    (step, _) = stream(DriftPlan("occlusion", start_step=0), np.random.default_rng(0), TrafficSchedule(step_size=500))
    probabilities = digit_model.predict_proba(step.features)
    assert digit_estimator.estimate(probabilities).low > float(np.mean(probabilities.argmax(axis=1) == step.labels))


def noisy_where_large(rng: np.random.Generator, n: int, mean: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, predictions and targets: the error grows with the first feature."""
    features = np.column_stack([np.clip(rng.normal(mean, 0.25, n), 0.0, 1.0), rng.normal(size=n)])
    predictions = 2.0 * features[:, 0] + features[:, 1]
    return features, predictions, predictions + (0.2 + features[:, 0]) * rng.normal(size=n)


@pytest.mark.parametrize("mean", [0.5, 0.75])
def test_the_estimated_error_covers_the_one_that_targets_show_later(mean: float) -> None:
    """As for the accuracy: of 60 repetitions, as few as 1 in 10,000 would give at 93%."""
    rng = np.random.default_rng(int(100 * mean))
    covered = 0
    for _ in range(N_REPETITIONS):
        estimator = LossEstimator().fit(*noisy_where_large(rng, 500, 0.5), rng)
        features, predictions, targets = noisy_where_large(rng, 200, mean)
        estimate = estimator.estimate(features, predictions)
        covered += estimate.low <= float(np.abs(predictions - targets).mean()) <= estimate.high
    assert covered >= binom.ppf(1e-4, N_REPETITIONS, 0.93), covered


def test_asking_before_fitting_says_what_to_call() -> None:
    with pytest.raises(NotFittedError, match="call fit"):
        AccuracyEstimator().estimate([[0.5, 0.5]])
    with pytest.raises(NotFittedError, match="call fit"):
        LossEstimator().estimate([[0.5]], [0.5])


def test_bad_input_is_named_and_leaves_the_fit_as_it_was() -> None:
    rng = np.random.default_rng(0)
    estimator = AccuracyEstimator().fit(*overconfident(rng, 400, 0.8), rng)
    before = estimator.estimate([[0.7, 0.3]])
    with pytest.raises(ValueError, match=r"labels must have at least 50 row\(s\), got 2."):
        estimator.fit([[0.7, 0.3], [0.4, 0.6]], [0, 1], rng)
    with pytest.raises(ValueError, match=r"probabilities must have 2 columns, got 3\."):
        estimator.estimate([[0.7, 0.2, 0.1]])
    with pytest.raises(ValueError, match=r"rng must be a numpy\.random\.Generator, got 3"):
        estimator.fit(*overconfident(rng, 400, 0.8), rng=3)
    with pytest.raises(ValueError, match=r"rng must be a numpy\.random\.Generator, got None"):
        LossEstimator().fit(np.zeros((200, 2)), np.zeros(200), np.zeros(200), rng=None)
    assert estimator.estimate([[0.7, 0.3]]) == before
    with pytest.raises(ValueError, match="ridge must be > 0, got 0"):
        LossEstimator(ridge=0.0)
