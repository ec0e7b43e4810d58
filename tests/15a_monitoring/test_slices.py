"""Slices: the one that is worse is found and named; where chance explains it, nothing is said."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, fisher_exact

from tinytorch.mlops.monitor import accuracy_by_slice, worst_slice

N_REPETITIONS = 200
ALPHA = 0.05


def alike(rng: np.random.Generator, n: int = 400) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """A model that is right nine times in ten whatever the slice."""
    return rng.random(n) < 0.9, {"class": rng.integers(0, 10, n), "camera": rng.choice(["a", "b", "c"], n)}


def test_a_model_that_treats_all_alike_is_rarely_accused() -> None:
    """Of 200 repetitions, at most as many as 1 in 10,000 would exceed at the stated rate."""
    rng = np.random.default_rng(0)
    named = sum(worst_slice(*alike(rng), alpha=ALPHA) is not None for _ in range(N_REPETITIONS))
    assert named <= binom.isf(1e-4, N_REPETITIONS, ALPHA)


def test_a_slice_that_is_worse_is_named() -> None:
    rng = np.random.default_rng(1)
    found = []
    for _ in range(50):
        correct, segments = alike(rng, 800)
        correct[(segments["camera"] == "b") & (rng.random(800) < 0.3)] = False
        part = worst_slice(correct, segments)
        found.append(None if part is None else (part.segment, part.value))
    assert found.count(("camera", "b")) >= 48


def test_few_rows_are_listed_but_never_named() -> None:
    correct = np.ones(200, dtype=bool)
    correct[:10] = False
    segments = {"camera": np.where(np.arange(200) < 10, "new", "old")}
    assert worst_slice(correct, segments) is None
    parts = accuracy_by_slice(correct, segments)
    assert [(part.value, part.n) for part in parts] == [("new", 10), ("old", 190)]
    assert [part.adjusted_pvalue for part in parts] == pytest.approx([1.0, 1.0])


def test_the_pvalue_is_fishers_times_the_number_of_slices() -> None:
    correct = np.concatenate([np.arange(100) % 4 > 0, np.arange(100) % 20 > 0])
    parts = accuracy_by_slice(correct, {"half": np.arange(200) // 100})
    expected = fisher_exact([[75, 25], [95, 5]], alternative="less").pvalue
    assert parts[0].adjusted_pvalue == pytest.approx(2 * expected)


def test_a_segment_of_one_value_has_nothing_to_be_compared_with() -> None:
    (part,) = accuracy_by_slice(np.arange(100) % 2 == 0, {"country": ["ch"] * 100})
    assert np.isnan(part.accuracy_elsewhere) and part.adjusted_pvalue == 1.0
    assert str(part) == "country = ch: accuracy 0.500 [0.404, 0.596] over 100 rows"


@pytest.mark.parametrize(
    ("correct", "segments", "message"),
    [
        ([True], {}, "segments must hold at least one segment, got none."),
        ([], {"a": []}, r"correct must have at least 1 row\(s\), got 0."),
        ([True], {"a": [1, 2]}, r"correct, segments\['a'\] must have the same length, got 1, 2."),
    ],
)
def test_bad_input_is_named(correct: list, segments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        accuracy_by_slice(correct, segments)


def test_rows_without_a_segment_are_a_slice_of_their_own() -> None:
    cameras = np.array(["a", None] * 100, dtype=object)
    worst = worst_slice([True, False] * 100, {"camera": cameras})
    assert worst is not None
    assert (worst.value, worst.n) == ("None", 100)


def test_a_segment_of_two_dimensions_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must have shape \(n,\), got \(2, 2\)"):
        worst_slice([True, False], {"camera": [[1, 2], [3, 4]]})
