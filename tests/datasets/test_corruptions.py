from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tinytorch.datasets import CORRUPTIONS, corrupt

KINDS = sorted(CORRUPTIONS)
# Belongs to the camera or the writer: equal images come out equal.
SAME_FOR_ALL_ROWS = sorted(set(KINDS) - {"noise"})
every_kind = pytest.mark.parametrize("kind", KINDS)
images = st.integers(0, 6).flatmap(
    lambda n: arrays(np.float32, (n, 64), elements=st.floats(0, 1, width=32, allow_subnormal=False))
)
severities = st.floats(0, 1)
seeds = st.integers(0, 2**32 - 1)
few = settings(deadline=None, derandomize=True, max_examples=25)


@every_kind
@few
@given(features=images, severity=severities, seed=seeds)
def test_the_result_is_new_float32_in_range_and_the_input_is_untouched(kind, features, severity, seed):
    before = features.copy()
    result = corrupt(features, kind, severity, np.random.default_rng(seed))
    assert result.shape == features.shape
    assert result.dtype == np.float32
    assert ((result >= 0) & (result <= 1)).all()
    assert not np.shares_memory(result, features)
    np.testing.assert_array_equal(features, before)


@every_kind
@few
@given(features=images, severity=severities, seed=seeds)
def test_the_same_seed_gives_the_same_result(kind, features, severity, seed):
    first, second = (corrupt(features, kind, severity, np.random.default_rng(seed)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@every_kind
@few
@given(features=images, seed=seeds)
def test_severity_zero_changes_nothing(kind, features, seed):
    np.testing.assert_array_equal(corrupt(features, kind, 0.0, np.random.default_rng(seed)), features)


@every_kind
@pytest.mark.parametrize("seed", range(4))
def test_a_higher_severity_takes_the_images_further_away(kind, seed, splits):
    features = splits.validation.features
    distance = [
        np.abs(corrupt(features, kind, severity, np.random.default_rng(seed)) - features).mean()
        for severity in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    assert (np.diff(distance) > 0).all()


@every_kind
def test_one_severity_a_row_equals_a_call_for_each_severity(kind, splits):
    features = splits.validation.features[:60]
    severity = np.repeat([0.0, 0.3, 1.0], 20)
    result = corrupt(features, kind, severity, np.random.default_rng(7))
    for level in (0.0, 0.3, 1.0):
        alone = corrupt(features, kind, level, np.random.default_rng(7))
        np.testing.assert_allclose(result[severity == level], alone[severity == level], atol=1e-7)


@pytest.mark.parametrize("kind", SAME_FOR_ALL_ROWS)
def test_one_call_is_one_camera(kind, splits):
    repeated = np.repeat(splits.validation.features[:1], 50, axis=0)
    result = corrupt(repeated, kind, 0.8, np.random.default_rng(3))
    np.testing.assert_array_equal(result, np.repeat(result[:1], 50, axis=0))


def test_noise_differs_from_picture_to_picture_and_has_the_stated_size():
    result = corrupt(np.full((500, 64), 0.5), "noise", 0.4, np.random.default_rng(0))
    assert len(np.unique(result, axis=0)) == 500
    # The standard error of a standard deviation over 32,000 values is 0.0004; nothing is clipped at five sigma.
    assert result.std() == pytest.approx(0.25 * 0.4, abs=0.002)


@pytest.mark.parametrize("kind", ["shift", "rotation", "dead_pixels", "occlusion"])
def test_different_seeds_break_the_camera_differently(kind, splits):
    features = splits.validation.features
    results = {corrupt(features, kind, 1.0, np.random.default_rng(seed)).tobytes() for seed in range(12)}
    assert len(results) > 1


def test_dead_pixels_answer_the_same_whatever_is_before_the_camera_and_stay_dead(splits):
    features = splits.training.features
    mild, strong = (corrupt(features, "dead_pixels", s, np.random.default_rng(1)) for s in (0.5, 1.0))
    dead_mild, dead_strong = ((result != features).any(axis=0) for result in (mild, strong))
    assert set(np.flatnonzero(dead_mild)) < set(np.flatnonzero(dead_strong))
    assert (strong[:, dead_strong].std(axis=0) == 0).all()
    np.testing.assert_array_equal(strong[:, ~dead_strong], features[:, ~dead_strong])


def test_a_shift_by_a_whole_pixel_moves_the_ink_and_nothing_else():
    image = np.zeros((8, 8))
    image[3, 4] = 1.0
    wanted = {(2, 4), (4, 4), (3, 3), (3, 5)}
    seen = set()
    for seed in range(30):
        moved = corrupt(image.reshape(1, 64), "shift", 0.8, np.random.default_rng(seed)).reshape(8, 8)
        assert moved.sum() == 1.0
        seen.add(np.unravel_index(moved.argmax(), (8, 8)))
    assert seen == wanted


def test_a_rotation_keeps_what_is_symmetric_and_mirrors_with_its_direction():
    ring = np.zeros((8, 8))
    ring[2:6, 2:6] = 1.0
    turned = [corrupt(ring.reshape(1, 64), "rotation", 0.7, np.random.default_rng(s)).reshape(8, 8) for s in range(8)]
    for image in turned:
        np.testing.assert_allclose(image, np.rot90(image), atol=1e-6)
        assert any(np.allclose(image, other[::-1], atol=1e-6) for other in turned)


def test_blur_and_stretch_keep_a_symmetric_image_symmetric(splits):
    image = splits.training.features[:20].reshape(-1, 8, 8)
    symmetric = ((image + image[:, :, ::-1]) / 2).reshape(-1, 64)
    for kind in ("blur", "stretch"):
        result = corrupt(symmetric, kind, 0.9, np.random.default_rng(0)).reshape(-1, 8, 8)
        np.testing.assert_allclose(result, result[:, :, ::-1], atol=1e-6)


def test_the_covered_area_grows_with_the_square_of_the_severity():
    blank = np.zeros((1, 64))
    for severity in (0.3, 0.6, 1.0):
        covered = corrupt(blank, "occlusion", severity, np.random.default_rng(5)).sum()
        assert covered == pytest.approx((3.0 * severity) ** 2, rel=1e-5)


def test_brightness_and_contrast_follow_their_formulas():
    image = np.tile([0.2, 0.6], 32)[None, :]
    lighter = corrupt(image, "brightness", 0.5, np.random.default_rng(0))
    np.testing.assert_allclose(lighter[0, :2], [0.45, 0.85], rtol=1e-6)
    flatter = corrupt(image, "contrast", 0.5, np.random.default_rng(0))
    np.testing.assert_allclose(flatter[0, :2], [0.28, 0.52], rtol=1e-6)


def test_an_unknown_kind_is_refused_with_the_choices():
    with pytest.raises(ValueError, match=r"kind must be one of 'brightness', .*, got 'fog'\."):
        corrupt(np.zeros((1, 64)), "fog", 0.5, np.random.default_rng(0))


@every_kind
@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.zeros((2, 63)), r"features must have shape \(n, 64\), got \(2, 63\)"),
        (np.zeros(64), r"features must have shape \(n, 64\), got \(64,\)"),
        (np.full((1, 64), np.nan), r"features must be in \[0, 1\]"),
        (np.full((1, 64), 1.01), r"features must be in \[0, 1\]"),
        ([[0.0] * 64, [0.0] * 3], "features must be numbers, got list"),
        ([["a"] * 64], "features must be numbers, got list"),
    ],
)
def test_bad_features_are_refused(kind, features, message):
    with pytest.raises(ValueError, match=message):
        corrupt(features, kind, 0.5, np.random.default_rng(0))


@every_kind
@pytest.mark.parametrize("severity", [-0.1, 1.1, np.nan, np.inf, [0.1, 0.2, 0.3], [0.1, 1.2], "strong", None])
def test_a_bad_severity_is_refused(kind, severity):
    with pytest.raises(ValueError, match="severity must be"):
        corrupt(np.zeros((2, 64)), kind, severity, np.random.default_rng(0))
