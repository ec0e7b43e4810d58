"""The one promise of every summary: the merge of the parts is the summary of the whole, in any order and tree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.stats.summaries import (
    CategoryCounts,
    Histogram,
    Missing,
    Moments,
    Quantiles,
    TableSummary,
    fixed_edges,
)

EDGES = fixed_edges([-4.0] * 3, [4.0] * 3, n_bins=8)
# Small, so that a few hundred rows already fill levels and halve them.
CAPACITY = 32


def make_table(seed: int, n_rows: int) -> np.ndarray:
    """Three columns: normal with NaN, a huge offset, whole numbers with ties."""
    rng = np.random.default_rng(seed)
    table = np.column_stack([rng.normal(size=n_rows), 1e9 + rng.normal(size=n_rows), rng.integers(0, 5, n_rows)])
    table[rng.random(n_rows) < 0.3, 0] = np.nan
    return table


def assert_same_moments(whole: Moments, merged: Moments) -> None:
    np.testing.assert_array_equal(merged.count, whole.count)
    np.testing.assert_array_equal(merged.minimum, whole.minimum)
    np.testing.assert_array_equal(merged.maximum, whole.maximum)
    spread = np.sqrt(np.nan_to_num(whole.variance)) + np.abs(np.nan_to_num(whole.mean))
    np.testing.assert_array_less(np.abs(np.nan_to_num(merged.mean - whole.mean)), 1e-12 * spread + 1e-300)
    np.testing.assert_allclose(merged.squares, whole.squares, rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(merged.variance, whole.variance, rtol=1e-12)


def assert_same_counts(whole: Any, merged: Any) -> None:
    for field in fields(whole):
        left, right = getattr(whole, field.name), getattr(merged, field.name)
        pairs = zip(left, right, strict=True) if isinstance(left, tuple) else [(left, right)]
        for one, other in pairs:
            np.testing.assert_array_equal(one, other)


def true_rank_error(sketch: Quantiles, column: int, values: np.ndarray) -> float:
    """Largest distance between the sketch's distribution function and that of the values, on both sides of jumps."""
    ordered = np.sort(values)
    kept, upto = sketch.distribution(column)
    points = np.concatenate([kept, ordered])
    at = np.append(0, upto)[np.searchsorted(kept, points, side="right")]
    below = np.append(0, upto)[np.searchsorted(kept, points, side="left")]
    true_at, true_below = (np.searchsorted(ordered, points, side=side) for side in ("right", "left"))
    return max(np.abs(at - true_at).max(), np.abs(below - true_below).max()) / len(values)


def assert_within_rank_error(whole: Quantiles, merged: Quantiles, table: np.ndarray) -> None:
    np.testing.assert_array_equal(merged.count, whole.count)
    assert (merged.rank_error < 1).all()
    for column in range(table.shape[1]):
        values = table[~np.isnan(table[:, column]), column]
        if len(values):
            assert true_rank_error(merged, column, values) <= merged.rank_error[column]
            assert true_rank_error(whole, column, values) <= whole.rank_error[column]


def assert_same_tables(whole: TableSummary, merged: TableSummary, table: np.ndarray) -> None:
    assert_same_moments(whole.moments, merged.moments)
    for name in ("missing", "histogram", "categories"):
        assert_same_counts(getattr(whole, name), getattr(merged, name))
    assert_within_rank_error(whole.quantiles, merged.quantiles, table[:, :2])


@dataclass(frozen=True)
class Case:
    """How a kind of summary is made, and what "the same" means for it."""

    make: Callable[[np.ndarray, np.random.Generator], Any]
    assert_same: Callable[[Any, Any, np.ndarray], None]


CASES = {
    "moments": Case(lambda t, rng: Moments.from_batch(t), lambda w, m, t: assert_same_moments(w, m)),
    "histogram": Case(lambda t, rng: Histogram.from_batch(t, edges=EDGES), lambda w, m, t: assert_same_counts(w, m)),
    "categories": Case(lambda t, rng: CategoryCounts.from_batch(t), lambda w, m, t: assert_same_counts(w, m)),
    "missing": Case(lambda t, rng: Missing.from_batch(t), lambda w, m, t: assert_same_counts(w, m)),
    "quantiles": Case(lambda t, rng: Quantiles.from_batch(t, rng=rng, capacity=CAPACITY), assert_within_rank_error),
    "table": Case(
        lambda t, rng: TableSummary.from_batch(t, rng=rng, edges=EDGES[:2], categorical=[2]), assert_same_tables
    ),
}


def merge_in_some_tree(parts: list[Any], rng: np.random.Generator) -> Any:
    """Merge two parts drawn at random, in a random order, until one is left: every tree can come up."""
    parts = list(parts)
    while len(parts) > 1:
        one, other = (parts.pop(int(rng.integers(len(parts)))) for _ in range(2))
        parts.append(one.merge(other))
    return parts[0]


@pytest.mark.parametrize("kind", CASES)
@settings(deadline=None, derandomize=True, max_examples=25)
@given(seed=st.integers(0, 2**32), cuts=st.lists(st.integers(1, 299), min_size=1, max_size=12, unique=True))
def test_merge_of_parts_equals_whole_in_any_order_and_tree(kind, seed, cuts):
    case, rng, table = CASES[kind], np.random.default_rng(seed), make_table(seed, 300)
    parts = [case.make(part, rng) for part in np.split(table, sorted(cuts))]
    case.assert_same(case.make(table, rng), merge_in_some_tree(parts, rng), table)


@pytest.mark.parametrize("kind", CASES)
def test_merging_changes_neither_part(kind):
    case, rng = CASES[kind], np.random.default_rng(0)
    parts = [case.make(make_table(seed, 100), rng) for seed in (1, 2)]
    before = [flat_copy(part) for part in parts]
    parts[0].merge(parts[1])
    for part, old in zip(parts, before, strict=True):
        for name, value in flat_copy(part).items():
            np.testing.assert_array_equal(value, old[name])


def flat_copy(record: Any) -> dict[str, np.ndarray]:
    """Copy every array of a summary and of its parts."""
    copies = {}
    for field in fields(record):
        value = getattr(record, field.name)
        members = {f"{field.name}.{i}": v for i, v in enumerate(value)} if isinstance(value, tuple) else {"": value}
        for name, member in members.items():
            if is_dataclass(member):
                copies |= {f"{field.name}.{key}": array for key, array in flat_copy(member).items()}
            else:
                copies[name or field.name] = np.array(member)
    return copies


@pytest.mark.parametrize("kind", CASES)
def test_merging_what_does_not_fit_is_refused(kind):
    case, rng = CASES[kind], np.random.default_rng(0)
    summary = case.make(make_table(1, 50), rng)
    with pytest.raises(ValueError, match=r"other must be a \w+, got str"):
        summary.merge("something else")
    if kind != "table":
        wider = {"histogram": Histogram.from_batch(np.ones((5, 4)), edges=[0.0])}.get(kind)
        wider = wider or case.make(np.ones((50, 4)), rng)
        with pytest.raises(ValueError, match="other must have 3 columns, got 4"):
            summary.merge(wider)
