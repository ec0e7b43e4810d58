"""Who goes to the challenger: a fair share, the same requests every time, on every machine."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytorch.mlops.deploy import split, split_traffic

IDS = np.arange(4000)
WEIGHTS = st.floats(0.0, 1.0)


@given(WEIGHTS, WEIGHTS, st.text(max_size=5))
def test_whoever_goes_at_a_small_share_still_goes_at_a_larger_one(one: float, other: float, salt: str):
    narrow, wide = (split_traffic(IDS[:200], weight, salt) for weight in sorted((one, other)))
    assert (wide | ~narrow).all()


@given(st.permutations(range(50)), WEIGHTS)
def test_neither_order_nor_company_changes_a_requests_way(order: list[int], weight: float):
    alone = dict(enumerate(split_traffic(np.arange(50), weight).tolist()))
    assert split_traffic(np.array(order), weight).tolist() == [alone[key] for key in order]
    assert split_traffic(np.array(order[:7]), weight).tolist() == [alone[key] for key in order[:7]]


@pytest.mark.parametrize("weight", [0.01, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("salt", ["", "digits-2"])
def test_the_share_is_the_weight(weight: float, salt: str):
    # The count is binomial (4000, weight): beyond 4 standard deviations chance goes 6 times in 100,000.
    share = split_traffic(IDS, weight, salt).mean()
    assert abs(share - weight) < 4 * np.sqrt(weight * (1 - weight) / len(IDS))


def test_nobody_goes_at_zero_and_everybody_at_one():
    assert not split_traffic(IDS, 0.0).any()
    assert split_traffic(IDS, 1.0).all()
    assert split._to_share(b"\xff" * 8) < 1.0  # the largest hash there is
    assert split._to_share(b"\x00" * 8) == 0.0


def test_not_even_the_smallest_share_goes_at_zero(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(split, "_share", lambda key: 0.0)
    assert not split_traffic(IDS, 0.0).any()


def test_another_salt_is_another_split():
    one, other = split_traffic(IDS, 0.5, "digits-2"), split_traffic(IDS, 0.5, "digits-3")
    # Independent halves agree on half: binomial (4000, 0.5), 4 standard deviations are 126.
    assert abs((one == other).sum() - 2000) < 127


def test_texts_are_split_too():
    ids = np.array([f"request-{number}" for number in range(1000)])
    assert abs(split_traffic(ids, 0.5).sum() - 500) < 64


@pytest.mark.parametrize("seed", ["0", "12345"])
def test_another_process_with_another_hash_seed_splits_the_same(seed: str):
    code = (
        "import numpy; from tinytorch.mlops.deploy import split_traffic; "
        "print(split_traffic(numpy.arange(100), 0.3, 'digits-2').nonzero()[0].tolist())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    other = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert other.stdout.strip() == str(split_traffic(np.arange(100), 0.3, "digits-2").nonzero()[0].tolist())


def test_the_split_stays_the_same_from_version_to_version():
    # Written down once: a release that sends other users to the challenger must say so.
    assert split_traffic(np.arange(20), 0.3, "digits-2").nonzero()[0].tolist() == [1, 5, 9, 12]


@pytest.mark.parametrize(
    ("ids", "weight", "message"),
    [
        ([1, 2], -0.1, r"challenger_weight must be in \[0.0, 1.0\], got -0.1"),
        ([1, 2], 1.1, "challenger_weight must be in"),
        ([1, 2], float("nan"), "challenger_weight must be in"),
        ([1, 1], 0.5, "request_ids must be distinct, got 1 twice"),
        ([1.5], 0.5, "request_ids must be integers or strings"),
    ],
)
def test_what_cannot_be_split_is_refused(ids: Any, weight: float, message: str):
    with pytest.raises(ValueError, match=message):
        split_traffic(ids, weight)


def test_no_requests_are_split_into_none():
    assert split_traffic([], 0.5).shape == (0,)


@pytest.mark.parametrize("salt", [None, 1])
def test_the_salt_is_a_text(salt: Any):
    with pytest.raises(ValueError, match=f"salt must be a text, got {salt}"):
        split_traffic(np.arange(3), 0.5, salt=salt)
