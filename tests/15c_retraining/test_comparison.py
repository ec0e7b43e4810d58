"""Two models on the same rows: the exact law of coins, as scipy has it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from batches import Always
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from tinytorch.mlops.retrain import compare_by_mcnemar


class Answers:
    """A model that answers what it was told to, row by row."""

    def __init__(self, answers: Any) -> None:
        self.answers = np.asarray(answers, dtype=int)

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        return np.eye(3)[self.answers]


def from_right(champion_right: np.ndarray, challenger_right: np.ndarray) -> Any:
    labels = np.ones(len(champion_right), dtype=int)
    champion, challenger = Answers(champion_right.astype(int)), Answers(challenger_right.astype(int) * 1)
    return compare_by_mcnemar(champion, challenger, np.zeros((len(labels), 2)), labels)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 20), st.integers(0, 20))
def test_the_pvalue_is_that_of_the_coins_that_differ(won: int, lost: int, both: int, neither: int):
    if not won + lost + both + neither:
        return
    counts = [won, lost, both, neither]
    champion_right, challenger_right = np.repeat([0, 1, 1, 0], counts), np.repeat([1, 0, 1, 0], counts)
    comparison = from_right(champion_right, challenger_right)
    expected = binomtest(won, won + lost, alternative="greater").pvalue if won + lost else 1.0
    assert comparison.pvalue == pytest.approx(expected)
    assert comparison.champion_score == pytest.approx(champion_right.mean())
    assert comparison.challenger_score == pytest.approx(challenger_right.mean())
    assert comparison.n_rows == sum(counts)


def test_equal_models_are_told_apart_no_more_often_than_alpha():
    rng, n_runs, alpha = np.random.default_rng(1), 400, 0.05
    pvalues = np.array([from_right(rng.random(120) < 0.8, rng.random(120) < 0.8).pvalue for _ in range(n_runs)])
    # At most binomial (400, 0.05): beyond 33 chance goes twice in 1,000.
    assert binom(n_runs, alpha).sf(33) < 3e-3
    assert 1 <= (pvalues <= alpha).sum() <= 33


def test_a_lead_of_fifteen_points_on_120_rows_is_seen():
    rng, n_runs = np.random.default_rng(2), 100
    seen = sum(from_right(rng.random(120) < 0.80, rng.random(120) < 0.95).pvalue <= 0.05 for _ in range(n_runs))
    # At least nine of ten are asked for; below 80 of 100 chance goes once in a thousand.
    assert binom(n_runs, 0.9).cdf(79) < 2e-3
    assert seen >= 80


def test_a_label_that_neither_model_knows_is_refused_but_one_that_the_challenger_knows_counts():
    rows = np.zeros((4, 1))
    comparison = compare_by_mcnemar(Always(0, n_classes=2), Always(2, n_classes=3), rows, np.array([2, 2, 2, 0]))
    assert (comparison.champion_score, comparison.challenger_score) == (0.25, 0.75)
    with pytest.raises(ValueError, match="labels must be class indices below 3, got 3"):
        compare_by_mcnemar(Always(0, n_classes=2), Always(2, n_classes=3), rows, np.array([2, 2, 3, 0]))


class Broken:
    """A model whose answers do not fit the rows."""

    def __init__(self, probabilities: Any) -> None:
        self.probabilities = np.asarray(probabilities)

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        return self.probabilities


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        ([[0.5, 0.5]], "probabilities, labels must have the same length, got 1, 3"),
        (np.full((3, 2), np.nan), "probabilities must be finite"),
        (np.ones((3, 2)), "probabilities must add up to 1"),
    ],
)
def test_answers_that_are_not_one_row_of_probabilities_each_are_refused(probabilities: Any, message: str):
    good = Answers([1, 1, 1])
    for champion, challenger in ((good, Broken(probabilities)), (Broken(probabilities), good)):
        with pytest.raises(ValueError, match=message):
            compare_by_mcnemar(champion, challenger, np.zeros((3, 2)), np.ones(3))


@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        (np.zeros((0, 2)), [], r"features must have at least 1 row\(s\), got 0"),
        (np.zeros((2, 2)), [1], "features, labels must have the same length, got 2, 1"),
        (np.zeros((1, 2)), [-1], "labels must be class indices"),
        ([[np.nan, 0.0]], [1], "features must be finite"),
    ],
)
def test_rows_that_cannot_be_judged_on_are_refused(features: Any, labels: Any, message: str):
    with pytest.raises(ValueError, match=message):
        compare_by_mcnemar(Answers([1]), Answers([1]), features, labels)
