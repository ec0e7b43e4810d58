"""PredictionDriftDetector: other classes or other probabilities, seen through the model that answers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp

from tinytorch.checks.detector import check_detector
from tinytorch.core.activations import Softmax
from tinytorch.core.dataloader import DataLoader, TensorDataset
from tinytorch.core.layers import Linear, Sequential
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.optimizers import AdamW
from tinytorch.core.tensor import Tensor
from tinytorch.core.training import Trainer
from tinytorch.datasets import N_CLASSES, N_PIXELS, corrupt, load_digits
from tinytorch.mlops.drift import PredictionDriftDetector, UnivariateDetector
from tinytorch.mlops.validate import NotFittedError


class Grader:
    """A model of two classes that looks at the third column alone; `check_detector` draws it around 5."""

    def __init__(self, middle: float = 5.0, steepness: float = 0.5) -> None:
        self.middle, self.steepness = middle, steepness

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        high = 1.0 / (1.0 + np.exp(-np.clip(self.steepness * (features[:, 2] - self.middle), -30.0, 30.0)))
        return np.column_stack([1.0 - high, high])


class DigitReader:
    """A linear TinyTorch network."""

    def __init__(self, network: Sequential) -> None:
        self.network = network

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        return Softmax()(self.network(Tensor(features))).numpy().astype(np.float64)


@pytest.fixture(scope="module")
def digit_reader() -> DigitReader:
    """A network trained on the first half of the training digits; the other half is fresh to it, as traffic is."""
    digits, rng = load_digits().training, np.random.default_rng(0)
    network = Sequential(Linear(N_PIXELS, N_CLASSES, rng=rng))
    rows = TensorDataset(Tensor(digits.features[:300]), Tensor(digits.labels[:300]))
    trainer = Trainer(network, AdamW(network.parameters(), lr=0.01), CrossEntropyLoss())
    trainer.fit(DataLoader(rows, batch_size=32, shuffle=True, rng=rng), epochs=20)
    return DigitReader(network)


def normal(n_rows: int, rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(n_rows, 3))


def test_it_keeps_the_contract_of_detectors():
    check_detector(lambda: PredictionDriftDetector(Grader()))


@pytest.mark.parametrize("test", ["chi2", "g"])
def test_false_alarms_stay_below_alpha(test, most_false_alarms):
    rng = np.random.default_rng(1)
    n_windows = 200
    detector = PredictionDriftDetector(Grader(middle=0.5), alpha=0.05, minimum_effect=0.0, test=test)
    n_flagged = 0
    for _ in range(n_windows):
        detector.fit(normal(200, rng))
        n_flagged += detector.detect_drift(normal(100, rng), 0.0).drifted
    assert 0 < n_flagged <= most_false_alarms(0.05, n_windows)


def test_what_does_not_move_the_model_is_passed_over():
    rng = np.random.default_rng(2)
    reference, current = normal(400, rng), normal(200, rng) + np.array([2.0, -2.0, 0.0])
    assert UnivariateDetector().fit(reference).detect_drift(current, 0.0).drifted
    assert not PredictionDriftDetector(Grader(0.0)).fit(reference).detect_drift(current, 0.0).drifted


def test_a_model_that_grows_unsure_is_seen_before_its_answers_change():
    rng = np.random.default_rng(3)
    reference, current = normal(600, rng), normal(300, rng)
    current[:, 2] *= 0.3
    report = PredictionDriftDetector(Grader(0.0, steepness=2.0)).fit(reference).detect_drift(current, 0.0)
    assert set(report.drifted_features) == {"probability of class 0", "probability of class 1"}


def test_probabilities_are_compared_by_kolmogorov_smirnov():
    rng = np.random.default_rng(4)
    reference, current, model = normal(300, rng), normal(100, rng) + 0.2, Grader(0.0)
    report = PredictionDriftDetector(model).fit(reference).detect_drift(current, 0.0)
    expected = ks_2samp(model.predict_proba(reference)[:, 1], model.predict_proba(current)[:, 1])
    assert report.feature_names == ("predicted class", "probability of class 0", "probability of class 1")
    assert report.statistic[2] == pytest.approx(expected.statistic)
    assert report.pvalue[2] == pytest.approx(expected.pvalue)


def test_another_mix_of_digits_is_caught_and_the_usual_mix_is_not(digit_reader):
    digits = load_digits()
    validation = digits.validation
    detector = PredictionDriftDetector(digit_reader).fit(digits.training.features[300:])
    assert not detector.detect_drift(validation.features, 0.0).drifted
    few_low = (validation.labels >= 5) | (np.arange(len(validation.labels)) % 4 == 0)
    report = detector.detect_drift(validation.features[few_low], 0.0)
    assert "predicted class" in report.drifted_features


def test_a_corruption_is_caught_by_the_answers(digit_reader):
    digits = load_digits()
    detector = PredictionDriftDetector(digit_reader).fit(digits.training.features[300:])
    blurred = corrupt(digits.validation.features, "blur", 0.8, np.random.default_rng(5))
    assert detector.detect_drift(blurred, 0.0).drifted


def test_a_class_that_was_never_predicted_before_is_flagged():
    rng = np.random.default_rng(6)
    reference, current = normal(500, rng), normal(200, rng)
    current[:15, 2] = 9.0
    report = PredictionDriftDetector(Grader(6.0), minimum_effect=0.1).fit(reference).detect_drift(current, 0.0)
    assert "predicted class" in report.drifted_features


def test_rows_with_a_missing_value_are_counted_and_not_shown_to_the_model():
    rng = np.random.default_rng(7)
    reference, current = normal(400, rng), normal(200, rng)
    reference[:20, 0] = np.nan
    detector = PredictionDriftDetector(Grader(0.0)).fit(reference)
    current[:10, 0] = np.nan
    report = detector.detect_drift(current, 0.0)
    assert not report.drifted and report.missing_rate.tolist() == [0.05] * 3
    current[:80, 1] = np.nan
    assert detector.detect_drift(current, 0.0).drifted_features == ("predicted class",)
    report = detector.detect_drift(np.full((50, 3), np.nan), 0.0)
    assert report.drifted_features == ("predicted class",) and report.pvalue[1] == 1.0


def test_a_reference_needs_two_rows_that_the_model_can_answer():
    holed = np.where(np.eye(3) == 1, np.nan, 0.0)
    with pytest.raises(ValueError, match="reference rows without a missing value must have at least 2"):
        PredictionDriftDetector(Grader()).fit(holed)


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        (lambda rows: np.full((len(rows), 2), np.nan), "answers must be finite"),
        (lambda rows: np.full((len(rows), 2), 0.7), "answers must add up to 1"),
        (lambda rows: np.full((len(rows) + 1, 2), 0.5), "answers must have the same length"),
        (lambda rows: np.full((len(rows), 4), 0.25), "answers must have 2 columns, got 4"),
    ],
)
def test_a_model_that_answers_nonsense_is_refused_and_leaves_no_trace(answer, rule):
    rng = np.random.default_rng(8)
    reference, window, model = normal(100, rng), normal(50, rng) + 1.0, Grader(0.0)
    detector = PredictionDriftDetector(model).fit(reference)
    before = detector.detect_drift(window, 0.0).to_dict()
    model.predict_proba = answer
    with pytest.raises(ValueError, match=rule):
        detector.detect_drift(window, 0.0)
    del model.predict_proba
    assert detector.detect_drift(window, 0.0).to_dict() == before


def test_bad_tables_are_refused_and_leave_no_trace(refuses_without_a_trace):
    rng = np.random.default_rng(9)
    reference, window = normal(60, rng), normal(40, rng) + 0.5
    infinite = np.where(np.arange(60)[:, np.newaxis] == 3, np.inf, reference)
    bad = [infinite, reference[:1], [["a"] * 3] * 4, np.zeros((2, 2, 2))]
    empty_column = np.where(np.arange(3) == 1, np.nan, reference)
    detector = PredictionDriftDetector(Grader(0.0)).fit(reference)
    refuses_without_a_trace(detector, window, [*bad, empty_column], [*bad, reference[:, 1:]])


def test_an_unfitted_detector_says_so():
    with pytest.raises(NotFittedError, match="before detect_drift"):
        PredictionDriftDetector(Grader()).detect_drift(np.zeros((5, 3)), 0.0)


@pytest.mark.parametrize(
    ("model", "arguments", "rule"),
    [
        (len, {}, "model must have a method predict_proba, got builtin_function_or_method"),
        (Grader(), {"alpha": 2.0}, "alpha must be in"),
        (Grader(), {"minimum_effect": -0.1}, "minimum_effect must be in"),
        (Grader(), {"test": "ks"}, "test must be one of"),
    ],
)
def test_the_constructor_refuses_what_breaks_a_rule(model, arguments, rule):
    with pytest.raises(ValueError, match=rule):
        PredictionDriftDetector(model, **arguments)
