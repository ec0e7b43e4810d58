from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tinytorch.stats.corrections import adjust_pvalues, benjamini_hochberg, benjamini_yekutieli, bonferroni, holm

METHODS = ("holm", "bonferroni", "benjamini-hochberg", "benjamini-yekutieli")
PVALUES = st.lists(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.01, 0.05, 1.0])), min_size=1, max_size=30)


def slow_holm(pvalues: list[float]) -> list[float]:
    """Closed testing by hand: the largest stepped value among the p-values that are not larger."""
    m, adjusted = len(pvalues), []
    ordered = sorted(pvalues)
    for p in pvalues:
        adjusted.append(min(1.0, max((m - j) * q for j, q in enumerate(ordered) if q <= p)))
    return adjusted


@settings(deadline=None, derandomize=True, max_examples=60)
@given(PVALUES)
def test_false_discovery_corrections_equal_scipy(pvalues):
    np.testing.assert_allclose(
        benjamini_hochberg(pvalues), stats.false_discovery_control(pvalues), rtol=1e-12, atol=1e-300
    )
    np.testing.assert_allclose(
        benjamini_yekutieli(pvalues), stats.false_discovery_control(pvalues, method="by"), rtol=1e-12, atol=1e-300
    )


@settings(deadline=None, derandomize=True, max_examples=60)
@given(PVALUES)
def test_family_wise_corrections_equal_the_slow_definitions(pvalues):
    np.testing.assert_allclose(holm(pvalues), slow_holm(pvalues), rtol=1e-13)
    np.testing.assert_allclose(bonferroni(pvalues), [min(1.0, p * len(pvalues)) for p in pvalues], rtol=1e-13)


@settings(deadline=None, derandomize=True, max_examples=30)
@given(PVALUES, st.randoms(use_true_random=False))
def test_every_correction_keeps_order_and_never_lowers_a_pvalue(pvalues, random):
    raw = np.array(pvalues)
    shuffled = random.sample(range(len(raw)), len(raw))
    for method in METHODS:
        adjusted = adjust_pvalues(raw, method)
        assert (adjusted >= raw - 1e-15).all() and (adjusted <= 1).all()
        assert (np.diff(adjusted[np.argsort(raw, kind="stable")]) >= 0).all()
        np.testing.assert_array_equal(adjust_pvalues(raw[shuffled], method), adjusted[shuffled])
    assert (holm(raw) <= bonferroni(raw)).all()
    assert (benjamini_hochberg(raw) <= holm(raw) + 1e-15).all()


def test_the_default_method_is_holm_and_a_table_keeps_its_shape():
    table = np.array([[0.01, 0.2], [0.03, 0.9]])
    np.testing.assert_array_equal(adjust_pvalues(table), holm(table.ravel()).reshape(2, 2))
    assert adjust_pvalues(0.3).shape == ()


def test_trap_hundred_null_features_flag_about_five_without_correction(binomial_limits):
    rng = np.random.default_rng(5)
    reference, current = rng.normal(size=(200, 40, 100)), rng.normal(size=(200, 40, 100))
    pvalues = stats.ttest_ind(reference, current, axis=1).pvalue  # 200 repetitions of 100 columns without drift
    assert 4 < (pvalues <= 0.05).sum(axis=1).mean() < 6
    for method in ("holm", "bonferroni", "benjamini-hochberg"):
        any_alarm = np.mean([(adjust_pvalues(row, method) <= 0.05).any() for row in pvalues])
        assert any_alarm <= binomial_limits(0.05, 200)[1]


def test_benjamini_hochberg_bounds_the_share_of_false_alarms_among_alarms():
    rng = np.random.default_rng(6)
    shift = np.repeat([0.0, 4.0], [80, 20])
    shares = []
    for _ in range(400):
        alarms = benjamini_hochberg(stats.norm.sf(rng.normal(shift))) <= 0.1
        shares.append(alarms[:80].sum() / max(1, alarms.sum()))
    # its exact value is 0.1 * 80 / 100; a share lies in [0, 1], so 400 of them have a standard error of at most 0.025
    assert abs(np.mean(shares) - 0.08) < 4 * np.std(shares) / 20


@pytest.mark.parametrize("wrong", [[], [0.5, -0.1], [1.1], [np.nan]])
def test_pvalues_outside_zero_to_one_are_refused(wrong):
    for method in METHODS:
        with pytest.raises(ValueError, match="pvalues must"):
            adjust_pvalues(wrong, method)


def test_an_unknown_method_is_named():
    with pytest.raises(ValueError, match=r"method must be one of 'holm'.*got 'none'"):
        adjust_pvalues([0.1], "none")
