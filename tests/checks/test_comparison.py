"""The comparison's check finds what is wrong with wrong comparisons, and names it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tinytorch.checks.calls import ContractError
from tinytorch.checks.comparison import check_comparison
from tinytorch.mlops.contracts import ModelComparison
from tinytorch.mlops.retrain import compare_by_mcnemar
from tinytorch.stats import two_proportion_test


def takes_any_lead(champion, challenger, features, labels):
    """No chance considered: whoever leads is better."""
    result = compare_by_mcnemar(champion, challenger, features, labels)
    return replace(result, pvalue=0.001 if result.challenger_score > result.champion_score else 1.0)


def never_sees_a_lead(champion, challenger, features, labels):
    return replace(compare_by_mcnemar(champion, challenger, features, labels), pvalue=1.0)


def asks_on_both_sides(champion, challenger, features, labels):
    """Small p-values for a challenger that is worse, too."""
    there = compare_by_mcnemar(champion, challenger, features, labels)
    back = compare_by_mcnemar(challenger, champion, features, labels)
    return replace(there, pvalue=min(1.0, 2 * min(there.pvalue, back.pvalue)))


def forgets_the_pairs(champion, challenger, features, labels):
    """Compares two accuracies as if they came from different rows."""
    result = compare_by_mcnemar(champion, challenger, features, labels)
    n_rows = result.n_rows
    right = [round(score * n_rows) for score in (result.champion_score, result.challenger_score)]
    test = two_proportion_test(right[0], n_rows, right[1], n_rows, "greater")
    return replace(result, pvalue=float(test.pvalue[0]))


def confuses_the_two(champion, challenger, features, labels):
    return compare_by_mcnemar(challenger, champion, features, labels)


def gives_zero_for_nothing(champion, challenger, features, labels):
    if len(features) == 0:
        return ModelComparison(0.0, 0.0, 1.0, 0)
    return compare_by_mcnemar(champion, challenger, features, labels)


def cuts_to_the_shorter(champion, challenger, features, labels):
    n_rows = min(len(features), len(labels))
    return compare_by_mcnemar(champion, challenger, features[:n_rows], labels[:n_rows])


def gives_the_pvalue_alone(champion, challenger, features, labels):
    return compare_by_mcnemar(champion, challenger, features, labels).pvalue


def scales_in_place(champion, challenger, features, labels):
    result = compare_by_mcnemar(champion, challenger, features, labels)
    np.asarray(features)[...] = 0.0
    return result


@pytest.mark.parametrize(
    ("compare", "sentence"),
    [
        (takes_any_lead, "200 contests of models of one quality: expected p <= 0.05 in about 5% of them at most"),
        (never_sees_a_lead, r"a challenger with 90% against 60%\): expected a p-value of at most 0.01, got 1.0"),
        (asks_on_both_sides, r"a challenger with 60% against 90%\): expected a p-value of at least 0.95"),
        (forgets_the_pairs, "differ on 15 rows.*: expected a p-value below 0.05: both answer the same rows.*, got 0.1"),
        (confuses_the_two, r"champion_score, challenger_score, n_rows of .*: expected \(0.6, 0.9, 200\)"),
        (gives_zero_for_nothing, "compare on no rows: expected a ValueError, got challenger 0.000"),
        (cuts_to_the_shorter, "compare on fewer labels than rows: expected a ValueError"),
        (gives_the_pvalue_alone, "expected a ModelComparison, got "),
        (scales_in_place, "compare changed the array it was given"),
    ],
)
def test_a_wrong_comparison_is_told_what_is_wrong(compare, sentence):
    with pytest.raises(ContractError, match=sentence):
        check_comparison(compare)
