"""Floor 3, the marking room: what every traffic split must do, tried on one. May import numpy and the records."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tinytorch.checks.calls import must_refuse, require, watch

Split = Callable[[np.ndarray, float, str], np.ndarray]

N_REQUESTS = 4000
WEIGHTS = (0.1, 0.25, 0.5, 0.9)
SALT, OTHER_SALT = "first trial", "second trial"
# A share within four standard deviations of a binomial: a good split leaves it in 1 of 16,000 trials.
DEVIATIONS = 4.0
# Ids as systems hand them out, too regular for a split that reads their last digits.
ID_STEPS = (1, 2, 100)
ASKED_ALONE = 20


def check_split(split: Split) -> None:
    """Try a traffic split: the right share, the same requests every time, and none that is sent back and forth.

    Parameters
    ----------
    split : callable
        `split(request_ids, challenger_weight, salt)` returns which requests go to the challenger, shape (n,).

    Raises
    ------
    ContractError
        With the first behaviour that is missing.

    Examples
    --------
    >>> from tinytorch.mlops.deploy import split_traffic
    >>> check_split(split_traffic)
    """
    watched = watch(split, "split")
    for step in ID_STEPS:
        _gives_the_right_share(watched, step * np.arange(N_REQUESTS), f"ids 0, {step}, {2 * step}, ...")
    _gives_the_right_share(watched, np.array([f"user-{index}" for index in range(N_REQUESTS)]), "text ids")
    _sticks_to_its_answers(watched)
    _asks_each_id_alone(watched)
    _draws_anew_for_another_salt(watched)
    _refuses_bad_requests(watched)


def _sent(split: Split, ids: np.ndarray, weight: float, salt: str = SALT) -> np.ndarray:
    """Return the answers, which must be booleans of shape (n,)."""
    kept = ids.copy()
    mask = split(ids, weight, salt)
    call = f"split of {len(ids)} requests with weight {weight:g}"
    is_mask = isinstance(mask, np.ndarray) and mask.shape == ids.shape and mask.dtype.kind == "b"
    require(is_mask, call, f"booleans of shape ({len(ids)},)", mask)
    require(np.array_equal(ids, kept), call, "the request ids left as they were", "changed ones")
    return mask


def _require_share(mask: np.ndarray, weight: float, call: str) -> None:
    """Raise unless the share is the weight, as far as chance allows."""
    allowed = DEVIATIONS * float(np.sqrt(weight * (1 - weight) / len(mask)))
    share = float(mask.mean())
    require(abs(share - weight) <= allowed, call, f"a share of {weight:g}, give or take {allowed:.3f}", share)


def _gives_the_right_share(split: Split, ids: np.ndarray, what: str) -> None:
    for weight in (0.0, *WEIGHTS, 1.0):
        _require_share(_sent(split, ids, weight), weight, f"split of {N_REQUESTS} requests ({what}), weight {weight:g}")


def _sticks_to_its_answers(split: Split) -> None:
    ids = np.arange(N_REQUESTS)
    before = np.zeros(N_REQUESTS, dtype=bool)
    for weight in WEIGHTS:
        mask = _sent(split, ids, weight)
        again = _sent(split, ids, weight)
        changed = int((mask != again).sum())
        require(
            changed == 0,
            f"split of the same requests again, weight {weight:g}",
            "the same answers",
            f"{changed} others",
        )
        lost = int((before & ~mask).sum())
        call = f"split when the weight grows to {weight:g}"
        require(lost == 0, call, "every request that went to the challenger still goes there", f"{lost} taken back")
        before = mask


def _asks_each_id_alone(split: Split) -> None:
    ids = np.arange(N_REQUESTS)
    mask = _sent(split, ids, 1 / 2)
    backwards = _sent(split, ids[::-1].copy(), 1 / 2)
    same = np.array_equal(backwards[::-1], mask)
    require(same, "split of the requests in reverse order", "the same answer for each", "other ones")
    for index in range(ASKED_ALONE):
        alone = _sent(split, ids[index : index + 1], 1 / 2)
        require(
            alone[0] == mask[index], f"split of request {index} alone", f"its answer among others, {mask[index]}", alone
        )
    _sent(split, ids[:0], 1 / 2)


def _draws_anew_for_another_salt(split: Split) -> None:
    ids = np.arange(N_REQUESTS)
    first, second = _sent(split, ids, 1 / 4), _sent(split, ids, 1 / 4, OTHER_SALT)
    call = "split with another salt: of the requests that went to the challenger before"
    _require_share(second[first], 1 / 4, call)


def _refuses_bad_requests(split: Split) -> None:
    ids = np.arange(ASKED_ALONE)
    bad: dict[str, tuple[Any, float]] = {
        "a weight below 0": (ids, -0.1),
        "a weight above 1": (ids, 1.1),
        "a weight that is NaN": (ids, float("nan")),
        "an id that comes twice": (np.array([3, 3]), 0.5),
        "ids that are no whole numbers": (ids + 0.5, 0.5),
        "ids in two dimensions": (ids.reshape(2, -1), 0.5),
    }
    for what, (requests, weight) in bad.items():
        must_refuse(partial(split, requests, weight, SALT), f"split with {what}")
