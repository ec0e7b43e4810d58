"""Floor 0, the pantry: 1,797 real handwritten digits, bundled, each with one fixed role.

It reads `digits.npz` beside it and nothing else; imports numpy only. Credit and licence: LICENSE-DIGITS.txt.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

IMAGE_SIDE = 8
N_PIXELS = IMAGE_SIDE * IMAGE_SIDE
N_CLASSES = 10
# The scanner counted the inked points of each 4x4 block, so that a pixel is a count from 0 to 16.
MAX_COUNT = 16
FEATURE_NAMES = tuple(f"pixel_{row}_{column}" for row in range(IMAGE_SIDE) for column in range(IMAGE_SIDE))
# What the numbers in the file's `roles` array mean, in order.
ROLES = ("training", "validation", "traffic")
_FILE = Path(__file__).with_name("digits.npz")


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images with their digits and their ids.

    Attributes
    ----------
    features : (n, 64) float32
        Ink per pixel in [0, 1], row by row from the top left; the columns are named by `FEATURE_NAMES`.
    labels : (n,) int64
        The digit written, 0 to 9.
    ids : (n,) int64
        Unique over the whole data set, whatever the role; traffic uses them as request ids.

    Examples
    --------
    >>> images = load_digits().validation
    >>> len(images), images.features.shape, int(images.labels.max())
    (197, (197, 64), 9)
    """

    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    ids: NDArray[np.int64]

    def __len__(self) -> int:
        return self.labels.size


@dataclass(frozen=True, eq=False)
class DigitSplits:
    """The digits by role; every image has exactly one.

    Attributes
    ----------
    training : LabelledImages, 600 images
        To train the first model on, and the reference for drift and for the monitor's baseline.
    validation : LabelledImages, 197 images
        For early stopping and for the accuracy a model starts with.
    traffic : LabelledImages, 1,000 images
        What production sees: 25 steps of 40. See `tinytorch.datasets.stream`.

    Examples
    --------
    >>> splits = load_digits()
    >>> len(splits.training), len(splits.validation), len(splits.traffic)
    (600, 197, 1000)
    """

    training: LabelledImages
    validation: LabelledImages
    traffic: LabelledImages


def load_digits() -> DigitSplits:
    """Return the 1,797 bundled digits of 8x8 pixels, split by their fixed roles.

    The assignment is random and stratified by class. It never follows the order of the original file: that order
    follows the writers, so that its beginning and its end truly differ, and a drift test fires on clean data.
    Every call returns new arrays; changing them changes nothing else.

    Examples
    --------
    >>> splits = load_digits()
    >>> splits.training.features.shape, splits.training.features.dtype
    ((600, 64), dtype('float32'))
    >>> float(splits.traffic.features.max())
    1.0

    References
    ----------
    .. [1] Alpaydin, E. and Kaynak, C. (1998). Optical Recognition of Handwritten Digits. UCI Machine Learning
       Repository. https://doi.org/10.24432/C50P49 (CC BY 4.0)
    """
    with np.load(_FILE, allow_pickle=False) as stored:
        pixels, labels, roles = stored["pixels"], stored["labels"], stored["roles"]
    features = pixels.astype(np.float32) / np.float32(MAX_COUNT)
    by_role = [
        LabelledImages(features[rows], labels[rows].astype(np.int64), rows)
        for rows in (np.flatnonzero(roles == code).astype(np.int64) for code in range(len(ROLES)))
    ]
    return DigitSplits(*by_role)


def kept_for_comparison(request_ids: ArrayLike) -> NDArray[np.bool_]:
    """Tell which labelled rows are kept from retraining, for the paired test of champion and challenger only.

    Every second image, by the parity of its id: odd ids are kept. A rule on the id needs no memory, so that every
    part of the system gives the same answer for the same row, at any time. Among the 1,000 traffic images both
    halves hold 500, with the same share of every class.

    Parameters
    ----------
    request_ids : (n,) integers
        Ids as in `LabelledImages.ids`.

    Returns
    -------
    (n,) bool
        True where the row must not be trained on.

    Raises
    ------
    ValueError
        If the ids are not integers.

    Examples
    --------
    >>> kept_for_comparison([797, 798, 799])
    array([ True, False,  True])
    """
    ids = np.asarray(request_ids)
    if ids.dtype.kind not in "iu" and ids.size:
        raise ValueError(f"request_ids must be integers, got an array of {ids.dtype}.")
    kept: NDArray[np.bool_] = ids.astype(np.int64) % 2 == 1
    return kept
