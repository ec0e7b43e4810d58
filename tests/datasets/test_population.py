from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.datasets import class_mix_order

LABELS = np.repeat(np.arange(10), 100)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    labels=st.lists(st.integers(0, 4), min_size=1, max_size=80),
    severities=st.lists(st.floats(0, 1), max_size=12),
    step_size=st.integers(1, 12),
    seed=st.integers(0, 2**32 - 1),
)
def test_rows_are_served_in_whole_steps_and_none_twice(labels, severities, step_size, seed):
    order = class_mix_order(labels, severities, step_size, np.random.default_rng(seed))
    assert order.dtype == np.int64
    assert len(np.unique(order)) == len(order)
    assert len(order) % step_size == 0
    assert len(order) <= min(len(labels), step_size * len(severities))
    assert ((order >= 0) & (order < len(labels))).all()


def test_severity_zero_serves_everything():
    order = class_mix_order(LABELS, np.zeros(25), 40, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(order), np.arange(1000))


def test_rare_classes_have_the_share_that_the_severity_says():
    # (1 - s) parts of rare to 1 part of frequent, half of the classes each.
    for severity in (0.5, 0.8):
        shares = []
        for seed in range(20):
            order = class_mix_order(LABELS, np.full(12, severity), 40, np.random.default_rng(seed))
            counts = np.sort(np.bincount(LABELS[order], minlength=10))
            shares.append(counts[:5].sum() / counts.sum())
        expected = (1 - severity) / (2 - severity)
        # 480 rows a run, 20 runs: a standard error of at most 0.005, and drawing without replacement has less.
        assert np.mean(shares) == pytest.approx(expected, abs=4 * 0.005)


def test_at_severity_one_half_of_the_classes_vanish_until_the_others_run_out():
    order = class_mix_order(LABELS, np.ones(25), 40, np.random.default_rng(0))
    counts = np.bincount(LABELS[order], minlength=10)
    assert (counts == 0).sum() == 5
    # 500 frequent images are 12 steps; chance may empty one class a few steps before the others.
    assert 8 * 40 <= len(order) <= 12 * 40


def test_which_classes_are_rare_depends_on_the_seed_alone():
    def missing(seed):
        order = class_mix_order(LABELS, np.ones(5), 40, np.random.default_rng(seed))
        return tuple(np.flatnonzero(np.bincount(LABELS[order], minlength=10) == 0))

    assert missing(1) == missing(1)
    assert len({missing(seed) for seed in range(6)}) > 1


@pytest.mark.parametrize(
    ("labels", "severities", "step_size", "message"),
    [
        ([], [0.5], 1, "labels must be a list of integers >= 0"),
        ([0.5, 1.0], [0.5], 1, "labels must be a list of integers >= 0"),
        ([-1, 1], [0.5], 1, "labels must be a list of integers >= 0"),
        ([[0, 1]], [0.5], 1, "labels must be a list of integers >= 0"),
        ([0, 1], [1.5], 1, "severity_by_step must be"),
        ([0, 1], [float("nan")], 1, "severity_by_step must be"),
        ([0, 1], 0.5, 1, "severity_by_step must be"),
        ([0, 1], [0.5], 0, "step_size must be an integer >= 1, got 0."),
    ],
)
def test_bad_input_is_refused(labels, severities, step_size, message):
    with pytest.raises(ValueError, match=message):
        class_mix_order(labels, severities, step_size, np.random.default_rng(0))
