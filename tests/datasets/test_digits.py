from __future__ import annotations

import runpy
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ks_2samp
from sklearn.datasets import load_digits as load_original

import tinytorch.datasets
from tinytorch.datasets import FEATURE_NAMES, N_CLASSES, kept_for_comparison, load_digits

STORED = Path(tinytorch.datasets.__file__).with_name("digits.npz")
ALPHA = 0.05
WINDOW = 200


def by_role(splits):
    return (splits.training, splits.validation, splits.traffic)


def share_of_windows_flagged(reference, windows):
    """Bonferroni over the pixels: does any pixel of the window differ from the reference?"""
    pvalues = np.array([ks_2samp(reference, window, axis=0, method="asymp").pvalue for window in windows])
    return np.mean((pvalues < ALPHA / reference.shape[1]).any(axis=1))


def test_every_stored_image_is_the_original_image_with_its_label():
    original = load_original()
    with np.load(STORED, allow_pickle=False) as stored:
        rows = stored["source_rows"]
        np.testing.assert_array_equal(np.sort(rows), np.arange(len(original.target)))
        np.testing.assert_array_equal(stored["pixels"], original.data[rows])
        np.testing.assert_array_equal(stored["labels"], original.target[rows])


def test_loaded_features_are_the_stored_pixels_divided_by_sixteen(splits):
    with np.load(STORED, allow_pickle=False) as stored:
        for images in by_role(splits):
            np.testing.assert_array_equal(images.features * 16, stored["pixels"][images.ids])
            np.testing.assert_array_equal(images.labels, stored["labels"][images.ids])


def test_the_committed_script_makes_the_committed_file():
    made = runpy.run_path(str(Path(__file__).with_name("make_digits.py")))["digit_arrays"]()
    with np.load(STORED, allow_pickle=False) as stored:
        assert set(stored.files) == set(made)
        for name, array in made.items():
            np.testing.assert_array_equal(stored[name], array)
            assert stored[name].dtype == array.dtype


def test_the_file_is_small():
    assert STORED.stat().st_size < 60_000


def test_roles_have_the_stated_sizes(splits):
    assert [len(images) for images in by_role(splits)] == [600, 197, 1000]


def test_every_image_has_exactly_one_role(splits):
    ids = np.concatenate([images.ids for images in by_role(splits)])
    np.testing.assert_array_equal(np.sort(ids), np.arange(1797))


def test_no_image_of_one_role_is_bitwise_repeated_in_another(splits):
    pixels = np.concatenate([images.features for images in by_role(splits)])
    assert len(np.unique(pixels, axis=0)) == len(pixels)


def test_every_role_has_the_classes_in_proportion(splits):
    everything = np.bincount(np.concatenate([images.labels for images in by_role(splits)]))
    for images in by_role(splits):
        expected = everything * len(images) / everything.sum()
        np.testing.assert_allclose(np.bincount(images.labels, minlength=N_CLASSES), expected, atol=1.01)


def test_roles_do_not_follow_the_original_order():
    with np.load(STORED, allow_pickle=False) as stored:
        rows, roles = stored["source_rows"].astype(float), stored["roles"]
    # Under a random assignment the mean row of a role is near the middle, with the standard error of a mean of n
    # draws without replacement; four of them have a chance of 6e-5.
    middle, spread, total = rows.mean(), rows.std(), rows.size
    for code in range(3):
        n = np.sum(roles == code)
        standard_error = spread / np.sqrt(n) * np.sqrt((total - n) / (total - 1))
        assert abs(rows[roles == code].mean() - middle) < 4 * standard_error


def test_features_are_float32_in_the_unit_interval(splits):
    for images in by_role(splits):
        assert images.features.dtype == np.float32
        assert images.labels.dtype == images.ids.dtype == np.int64
        assert images.features.min() == 0
        assert images.features.max() == 1


def test_feature_names_follow_the_rows_of_the_image():
    assert len(FEATURE_NAMES) == 64
    assert FEATURE_NAMES[:2] == ("pixel_0_0", "pixel_0_1")
    assert FEATURE_NAMES[8] == "pixel_1_0"
    assert FEATURE_NAMES[-1] == "pixel_7_7"


def test_changing_what_was_loaded_changes_nothing_else():
    first = load_digits()
    first.training.features[:] = 0.5
    assert load_digits().training.features.max() == 1
    with pytest.raises(FrozenInstanceError):
        first.training = first.traffic


def test_half_of_the_traffic_of_every_class_is_kept_for_the_comparison(splits):
    kept = kept_for_comparison(splits.traffic.ids)
    assert kept.sum() == 500
    halves = [np.bincount(splits.traffic.labels[rows], minlength=N_CLASSES) for rows in (kept, ~kept)]
    np.testing.assert_allclose(*halves, atol=2)


def test_what_is_kept_depends_on_the_id_alone(splits):
    ids = splits.traffic.ids
    order = np.random.default_rng(0).permutation(ids.size)
    np.testing.assert_array_equal(kept_for_comparison(ids)[order], kept_for_comparison(ids[order]))
    assert kept_for_comparison([]).shape == (0,)


@pytest.mark.parametrize("ids", [[1.5, 2.0], ["a", "b"], [None]])
def test_ids_that_are_not_integers_are_refused(ids):
    with pytest.raises(ValueError, match="request_ids must be integers, got"):
        kept_for_comparison(ids)


def test_clean_traffic_raises_no_more_false_alarms_than_the_level_says(splits):
    rng = np.random.default_rng(1)
    reference, traffic = splits.training.features, splits.traffic.features
    n_shuffles = 12
    windows = [
        window for _ in range(n_shuffles) for window in np.split(rng.permutation(traffic), len(traffic) // WINDOW)
    ]
    # Windows share the reference and each shuffle reuses the images, so count each shuffle as one draw of the
    # binomial: three standard deviations over the level.
    tolerance = 3 * np.sqrt(ALPHA * (1 - ALPHA) / n_shuffles)
    assert share_of_windows_flagged(reference, windows) <= ALPHA + tolerance


def test_single_pixels_are_flagged_at_no_more_than_the_level(splits):
    rng = np.random.default_rng(2)
    rows = np.split(rng.permutation(len(splits.traffic)), 5)
    pvalues = [ks_2samp(splits.training.features, splits.traffic.features[r], axis=0).pvalue for r in rows]
    varying = splits.training.features.std(axis=0) > 0
    share = np.mean(np.array(pvalues)[:, varying] < ALPHA)
    # Pixels are dependent: count each window as ten draws, about the dimension of the digits.
    assert share <= ALPHA + 3 * np.sqrt(ALPHA * (1 - ALPHA) / (10 * len(rows)))


def test_the_original_order_would_flag_most_clean_windows():
    features = load_original().data / 16
    windows = [features[start : start + WINDOW] for start in range(600, 1600 - WINDOW + 1, 50)]
    assert share_of_windows_flagged(features[:600], windows) > 0.75
