"""Floor 2, retrain: champion and challenger on the same held-out rows, by an exact test. May import `stats`."""

from __future__ import annotations

import numpy as np

from tinytorch.mlops.contracts import Model, ModelComparison
from tinytorch.mlops.validate import as_features, as_labels, as_probabilities, check_rows, check_same_length
from tinytorch.stats import mcnemar_test


def compare_by_mcnemar(champion: Model, challenger: Model, features: np.ndarray, labels: np.ndarray) -> ModelComparison:
    """Compare two models on rows that neither was trained on, by McNemar's exact test.

    Rows that both models get right, or both wrong, say nothing about which is better and drop out. If the models
    were equally good, each of the others would be a fair coin; the p-value is the chance of at least as many heads
    for the challenger. What the lesson's `compare_models` counts by tossing coins is counted exactly here.

    Parameters
    ----------
    champion, challenger : Model
    features : ndarray of shape (n, n_features)
    labels : ndarray of shape (n,)

    Raises
    ------
    ValueError
        If there are no rows, a model answers with anything but one row of probabilities for each, or a label is no
        class that either model knows.

    Examples
    --------
    >>> class Always:
    ...     def __init__(self, answer):
    ...         self.answer = answer
    ...     def predict_proba(self, features):
    ...         return np.eye(2)[np.full(len(features), self.answer)]
    >>> labels = np.array([1] * 8 + [0] * 2)
    >>> print(compare_by_mcnemar(Always(0), Always(1), np.zeros((10, 3)), labels))
    challenger 0.800 against champion 0.200 on 10 rows (p = 0.055)

    References
    ----------
    Q. McNemar, Note on the Sampling Error of the Difference Between Correlated Proportions or Percentages,
    Psychometrika 12 (1947).
    """
    table, truth = as_features(features), as_labels(labels)
    check_rows(table, "features")
    check_same_length({"features": table, "labels": truth})
    answers = [_probabilities(model, table, truth) for model in (champion, challenger)]
    # One of the two may know a class that the other has yet to learn; a class that neither knows is a mistake.
    as_labels(truth, "labels", n_classes=max(probabilities.shape[1] for probabilities in answers))
    champion_correct, challenger_correct = (probabilities.argmax(axis=1) == truth for probabilities in answers)
    result = mcnemar_test(champion_correct, challenger_correct, alternative="greater")
    return ModelComparison(
        champion_score=float(champion_correct.mean()),
        challenger_score=float(challenger_correct.mean()),
        pvalue=float(result.pvalue[0]),
        n_rows=len(table),
    )


def _probabilities(model: Model, features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the model's answers, one row of probabilities for each label."""
    probabilities = as_probabilities(model.predict_proba(features))
    check_same_length({"probabilities": probabilities, "labels": labels})
    return probabilities
