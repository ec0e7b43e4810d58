"""The split's check finds what is wrong with wrong splits, and names it."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.checks.calls import ContractError
from tinytorch.checks.split import check_split
from tinytorch.mlops.deploy import split_traffic
from tinytorch.mlops.validate import as_request_ids

COINS = np.random.default_rng(0)


def tosses_coins(request_ids, challenger_weight, salt=""):
    """The right share, and another answer every time."""
    split_traffic(request_ids, challenger_weight, salt)
    return COINS.random(len(request_ids)) < challenger_weight


def reads_the_last_digits(request_ids, challenger_weight, salt=""):
    split_traffic(request_ids, challenger_weight, salt)
    return np.asarray(request_ids) % 100 < 100 * challenger_weight


def takes_the_first_ones(request_ids, challenger_weight, salt=""):
    """The first part of every batch, whoever is in it."""
    split_traffic(request_ids, challenger_weight, salt)
    return np.arange(len(request_ids)) < challenger_weight * len(request_ids)


def draws_anew_for_every_weight(request_ids, challenger_weight, salt=""):
    return split_traffic(request_ids, challenger_weight, f"{salt} {challenger_weight}")


def ignores_the_salt(request_ids, challenger_weight, salt=""):
    return split_traffic(request_ids, challenger_weight, "")


def sends_those_that_stay(request_ids, challenger_weight, salt=""):
    return ~split_traffic(request_ids, challenger_weight, salt)


def answers_in_numbers(request_ids, challenger_weight, salt=""):
    return split_traffic(request_ids, challenger_weight, salt).astype(float)


def takes_any_weight(request_ids, challenger_weight, salt=""):
    return split_traffic(request_ids, min(max(challenger_weight, 0.0), 1.0), salt)


def takes_any_id(request_ids, challenger_weight, salt=""):
    known = np.unique(request_ids)
    mask = split_traffic(known, challenger_weight, salt)
    return mask[np.searchsorted(known, request_ids)]


def depends_on_the_batch(request_ids, challenger_weight, salt=""):
    ids = as_request_ids(request_ids)
    return split_traffic(ids, challenger_weight, f"{salt} {ids[0] if len(ids) else ''}")


@pytest.mark.parametrize(
    ("split", "sentence"),
    [
        (tosses_coins, "split of the same requests again, weight 0.1: expected the same answers, got"),
        (
            reads_the_last_digits,
            r"ids 0, 100, 200, ...\), weight 0.1: expected a share of 0.1, give or take .*, got 1.0",
        ),
        (takes_the_first_ones, "split of the requests in reverse order: expected the same answer for each"),
        (draws_anew_for_every_weight, "when the weight grows to 0.25: expected every request .* still goes there"),
        (ignores_the_salt, "split with another salt: .* expected a share of 0.25"),
        (sends_those_that_stay, "weight 0: expected a share of 0, give or take 0.000, got 1.0"),
        (answers_in_numbers, r"expected booleans of shape \(4000,\)"),
        (takes_any_weight, "split with a weight below 0: expected a ValueError"),
        (takes_any_id, "split with an id that comes twice: expected a ValueError"),
        (depends_on_the_batch, "split of the requests in reverse order: expected the same answer for each"),
    ],
)
def test_a_wrong_split_is_told_what_is_wrong(split, sentence):
    with pytest.raises(ContractError, match=sentence):
        check_split(split)
