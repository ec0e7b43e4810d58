"""The quantile sketch against the full sort: its error stays below what it states, and is small."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.stats.summaries import Quantiles


def largest_error(sketch, values):
    """Largest distance between the sketch's distribution function and the true one, at every value, both sides."""
    ordered = np.sort(values)
    kept, upto = sketch.distribution(0)
    at = np.append(0, upto)[np.searchsorted(kept, ordered, side="right")]
    below = np.append(0, upto)[np.searchsorted(kept, ordered, side="left")]
    true_at, true_below = (np.searchsorted(ordered, ordered, side=side) for side in ("right", "left"))
    return max(np.abs(at - true_at).max(), np.abs(below - true_below).max()) / len(values)


def merged_in_turn(parts):
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.merge(part)
    return whole


def test_few_values_are_kept_exactly(rng):
    values = rng.normal(size=1000)
    sketch = Quantiles.from_batch(values[:400], rng=rng).merge(Quantiles.from_batch(values[400:], rng=rng))
    assert sketch.rank_error[0] == 0.0
    np.testing.assert_array_equal(sketch.distribution(0)[0], np.sort(values))
    assert sketch.quantile(0.5)[0] == np.sort(values)[499]


@pytest.mark.parametrize("shape", [(1, 20_000), (20, 1000), (60, 100)])
def test_the_error_stays_below_what_is_stated(shape, rng):
    """50 sketches of each shape; the stated bound fails with probability below 0.001 each, so none should."""
    for _ in range(50):
        data = rng.normal(size=shape)
        sketch = merged_in_turn([Quantiles.from_batch(part, rng=rng, capacity=64) for part in data])
        assert largest_error(sketch, data.ravel()) <= sketch.rank_error[0] < 0.15


def test_many_parts_have_a_small_error_in_little_memory(rng):
    data = rng.normal(size=(20, 10_000))
    sketch = merged_in_turn([Quantiles.from_batch(part, rng=rng) for part in data])
    assert sketch.rank_error[0] < 0.008
    assert largest_error(sketch, data.ravel()) < 0.004
    assert len(sketch.values[0]) <= 3.2 * sketch.capacity


def test_halving_leans_to_neither_side(rng):
    """The count below the median over 300 sketches: its mean error is 0 within four standard errors."""
    values = rng.normal(size=5000)
    errors = []
    for _ in range(300):
        kept, upto = Quantiles.from_batch(values, rng=rng, capacity=16).distribution(0)
        errors.append(np.append(0, upto)[np.searchsorted(kept, np.median(values), side="right")] - 2500)
    assert np.std(errors) > 0
    assert abs(np.mean(errors)) < 4 * np.std(errors) / np.sqrt(300)


def test_a_merge_gives_one_result_in_both_directions_and_for_one_seed():
    def make():
        rng = np.random.default_rng(4)
        return [Quantiles.from_batch(rng.normal(size=(3000, 2)), rng=rng) for _ in range(2)]

    one, other = make()
    again, other_again = make()
    for first, second in ((one.merge(other), other.merge(one)), (one.merge(other), again.merge(other_again))):
        for left, right in zip(first.values, second.values, strict=True):
            np.testing.assert_array_equal(left, right)
        assert first.seed == second.seed


def test_weights_add_up_to_the_count_of_each_column(rng):
    table = rng.normal(size=(5001, 3))
    table[:1700, 1] = np.nan
    table[:, 2] = np.nan
    sketch = Quantiles.from_batch(table, rng=rng, capacity=32)
    np.testing.assert_array_equal(sketch.count, [5001, 3301, 0])
    assert sketch.distribution(0)[1][-1] == 5001 and sketch.distribution(1)[1][-1] == 3301
    assert np.isnan(sketch.quantile(0.5)[2]) and sketch.rank_error[2] == 0


def test_trap_ties_are_counted_together(rng):
    sketch = Quantiles.from_batch(np.repeat([1.0, 2.0], [30_000, 10_000]), rng=rng)
    values, upto = sketch.distribution(0)
    np.testing.assert_array_equal(values, [1.0, 2.0])
    assert upto[0] / 40_000 == pytest.approx(0.75, abs=sketch.rank_error[0])


def test_quantiles_are_within_their_rank_error(rng):
    values = rng.lognormal(size=30_000)
    sketch = Quantiles.from_batch(values, rng=rng)
    for share in (0.0, 0.01, 0.5, 0.99, 1.0):
        rank = np.mean(values <= sketch.quantile(share)[0])
        assert share - sketch.rank_error[0] <= rank <= share + sketch.rank_error[0] + 2**6 / 30_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"capacity": 4}, "capacity must be an integer >= 8, got 4"),
        ({"rng": 0}, "rng must be a numpy.random.Generator, got 0"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Quantiles.from_batch([1.0], **({"rng": np.random.default_rng(0)} | arguments))
    sketch = Quantiles.from_batch([1.0], rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"share must be in \[0.0, 1.0\], got 2"):
        sketch.quantile(2)
    with pytest.raises(ValueError, match="other must have capacity 1024, got 8"):
        sketch.merge(Quantiles.from_batch([1.0], rng=np.random.default_rng(0), capacity=8))
