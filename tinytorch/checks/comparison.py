"""Floor 3, the marking room: what every comparison of two models must do, tried on one. May import numpy, records."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from tinytorch.checks.calls import must_refuse, require, require_unchanged, watch
from tinytorch.mlops.contracts import Comparison, Model, ModelComparison

N_ROWS = 200
# Sixty rows of two hundred more are right: no coin does that.
CLEAR_CHAMPION, CLEAR_CHALLENGER = 0.6, 0.9
CLEAR_PVALUE = 0.01
# Of 15 rows on which the models differ the challenger has 12: a fair coin does that with probability 0.018. Whoever
# compares the two accuracies as if they came from different rows finds 0.18.
N_CHALLENGER_ONLY, N_CHAMPION_ONLY = 12, 3
PAIRED_PVALUE = 0.05
SWAPPED_PVALUE = 0.95
# Models of one quality win by chance in 5% of contests, at a p-value of 0.05. In 200 that is 10, with a standard
# deviation of 3.1: four of these above are 22.
N_CONTESTS = 200
MOST_WON_BY_CHANCE = 22
CONTEST_SEED = 6


def check_comparison(compare: Comparison) -> None:
    """Try a comparison: a clear lead has a small p-value, a lead by chance has not, and rows are judged in pairs.

    Parameters
    ----------
    compare : callable
        `compare(champion, challenger, features, labels)` returns a `ModelComparison`.

    Raises
    ------
    ContractError
        With the first behaviour that is missing.

    Examples
    --------
    >>> from tinytorch.mlops.retrain import compare_by_mcnemar
    >>> check_comparison(compare_by_mcnemar)
    """
    watched = watch(compare, "compare")
    _sees_a_clear_lead(watched)
    _sees_no_lead_in_equals(watched)
    _judges_in_pairs(watched)
    _is_rarely_fooled(watched)
    _refuses_bad_contests(watched)


class _Answers:
    """A model that is right on chosen rows; the first feature is the row's number, the truth is class 1."""

    def __init__(self, right: np.ndarray) -> None:
        self._right = right

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Return 1 for the class it takes."""
        answers: np.ndarray = np.eye(2)[self._right[features[:, 0].astype(int)].astype(int)]
        return answers


def _contest(
    compare: Comparison, champion_right: np.ndarray, challenger_right: np.ndarray, what: str
) -> ModelComparison:
    """Let two models compete, and look at everything but the p-value."""
    features, labels = _rows()
    result = compare(_Answers(champion_right), _Answers(challenger_right), features, labels)
    require(isinstance(result, ModelComparison), f"compare({what})", "a ModelComparison", result)
    expected = (float(champion_right.mean()), float(challenger_right.mean()), N_ROWS)
    got = (result.champion_score, result.challenger_score, result.n_rows)
    same = bool(np.allclose(got, expected, rtol=0, atol=1 / (2 * N_ROWS)))
    require(same, f"champion_score, challenger_score, n_rows of {what}", f"{expected}", got)
    require(0 <= result.pvalue <= 1, f"compare({what})", "a p-value from 0 to 1", result.pvalue)
    require_unchanged(features, _rows()[0], "compare")
    return result


def _rows() -> tuple[np.ndarray, np.ndarray]:
    """Return features whose first column numbers the rows, and labels that are all 1."""
    return np.column_stack([np.arange(float(N_ROWS)), np.zeros(N_ROWS)]), np.ones(N_ROWS, dtype=np.int64)


def _right_on(first: int, last: int) -> np.ndarray:
    """Return which rows are right if those from `first` to before `last` are."""
    rows = np.arange(N_ROWS)
    return (rows >= first) & (rows < last)


def _sees_a_clear_lead(compare: Comparison) -> None:
    weak, strong = _right_on(0, int(CLEAR_CHAMPION * N_ROWS)), _right_on(0, int(CLEAR_CHALLENGER * N_ROWS))
    result = _contest(compare, weak, strong, "a challenger with 90% against a champion with 60%")
    small = f"a p-value of at most {CLEAR_PVALUE}"
    require(result.pvalue <= CLEAR_PVALUE, "compare(a challenger with 90% against 60%)", small, result.pvalue)
    again = _contest(compare, weak, strong, "the same models again")
    require(again == result, "compare(the same models again)", f"the same result, {result}", again)
    swapped = _contest(compare, strong, weak, "a challenger with 60% against a champion with 90%")
    large = f"a p-value of at least {SWAPPED_PVALUE}: it asks whether the challenger leads"
    require(swapped.pvalue >= SWAPPED_PVALUE, "compare(a challenger with 60% against 90%)", large, swapped.pvalue)


def _sees_no_lead_in_equals(compare: Comparison) -> None:
    same = _right_on(0, N_ROWS // 2)
    result = _contest(compare, same, same, "a model with itself")
    require(result.pvalue >= 1 / 2, "compare(a model with itself)", "a p-value of at least 0.5", result.pvalue)
    result = _contest(compare, _right_on(0, 100), _right_on(20, 120), "two models that are equally good on other rows")
    call = "compare(two models that are equally good on other rows)"
    require(result.pvalue >= 1 / 4, call, "a p-value that is not small", result.pvalue)


def _judges_in_pairs(compare: Comparison) -> None:
    both = 120
    champion = _right_on(0, both + N_CHAMPION_ONLY)
    challenger = _right_on(0, both) | _right_on(both + N_CHAMPION_ONLY, both + N_CHAMPION_ONLY + N_CHALLENGER_ONLY)
    what = f"models that differ on 15 rows, of which the challenger has {N_CHALLENGER_ONLY}"
    result = _contest(compare, champion, challenger, what)
    small = f"a p-value below {PAIRED_PVALUE}: both answer the same rows, so only rows on which they differ count"
    require(result.pvalue <= PAIRED_PVALUE, f"compare({what})", small, result.pvalue)


def _is_rarely_fooled(compare: Comparison) -> None:
    rng = np.random.default_rng(CONTEST_SEED)
    n_won = 0
    for _ in range(N_CONTESTS):
        champion, challenger = rng.random((2, N_ROWS)) < CLEAR_CHALLENGER
        n_won += _contest(compare, champion, challenger, "two models of one quality").pvalue <= PAIRED_PVALUE
    situation = f"{N_CONTESTS} contests of models of one quality"
    few = f"p <= {PAIRED_PVALUE} in about 5% of them at most"
    require(n_won <= MOST_WON_BY_CHANCE, situation, few, f"{n_won}")


def _refuses_bad_contests(compare: Comparison) -> None:
    features, labels = _rows()
    missing = features.copy()
    missing[0, 1] = np.nan
    bad: dict[str, tuple[Any, Any]] = {
        "no rows": (features[:0], labels[:0]),
        "a missing value (NaN)": (missing, labels),
        "ragged rows": ([[0.0, 1.0], [2.0]], labels[:2]),
        "fewer labels than rows": (features, labels[1:]),
        "a label below 0": (features, labels - 2),
    }
    model: Model = _Answers(_right_on(0, N_ROWS))
    for what, (table, truth) in bad.items():
        must_refuse(partial(compare, model, model, table, truth), f"compare on {what}")
