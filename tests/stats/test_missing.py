from __future__ import annotations

import numpy as np
import pytest

from tinytorch.stats.fisher import fisher_exact_counts
from tinytorch.stats.means import welch_t_test
from tinytorch.stats.missing import missing_rate_test


def with_holes(rng: np.random.Generator, shape: tuple[int, int], rate: float) -> np.ndarray:
    return np.where(rng.random(shape) < rate, np.nan, rng.normal(size=shape))


def test_it_is_fishers_test_on_the_missing_counts():
    rng = np.random.default_rng(0)
    reference, current = with_holes(rng, (300, 4), 0.1), with_holes(rng, (200, 4), 0.2)
    result = missing_rate_test(reference, current)
    expected = fisher_exact_counts(np.isnan(reference).sum(axis=0), 300, np.isnan(current).sum(axis=0), 200)
    np.testing.assert_array_equal(result.pvalue, expected.pvalue)
    np.testing.assert_allclose(result.effect_size, np.isnan(current).mean(axis=0) - np.isnan(reference).mean(axis=0))


def test_trap_missing_values_are_a_test_of_their_own_and_not_silently_dropped():
    rng = np.random.default_rng(1)
    reference, current = rng.normal(size=(500, 1)), with_holes(rng, (500, 1), 0.05)
    assert missing_rate_test(reference, current).pvalue < 1e-3
    with pytest.raises(ValueError, match="missing values have a test of their own"):
        welch_t_test(reference, current)


def test_trap_columns_complete_or_empty_in_both_give_p_one_never_nan():
    result = missing_rate_test(np.full((9, 2), [1.0, np.nan]), np.full((7, 2), [1.0, np.nan]))
    np.testing.assert_array_equal(result.pvalue, [1, 1])
    np.testing.assert_array_equal(result.effect_size, [0, 0])


@pytest.mark.parametrize("rate", [0.01, 0.3])
def test_false_alarm_rate_is_at_most_the_level(rate, binomial_limits):
    rng = np.random.default_rng(2)
    result = missing_rate_test(with_holes(rng, (400, 2000), rate), with_holes(rng, (200, 2000), rate))
    assert (result.pvalue <= 0.05).mean() <= binomial_limits(0.05, 2000)[1]


def test_infinities_are_no_missing_values():
    with pytest.raises(ValueError, match="finite"):
        missing_rate_test([1.0, np.inf], [1.0, np.nan])


def test_one_sided_looks_one_way():
    reference, current = np.ones(50), np.where(np.arange(50) < 9, np.nan, 1.0)
    assert missing_rate_test(reference, current, "greater").pvalue < 0.01
    assert missing_rate_test(reference, current, "less").pvalue > 0.99
