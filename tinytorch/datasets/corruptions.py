"""Floor 0, the pantry: what a camera, or another way of writing, does to images of digits. Imports numpy only.

Every corruption is a function `f(features, severity, rng)` that returns new features of the same shape. Severity
runs from 0 (unchanged, exactly) to 1 (a person can still read it) and may differ from row to row. What belongs to
the camera (which pixels are dead, which way it is tilted) is drawn from `rng` once a call and holds for all rows;
what belongs to the single picture (noise) is drawn for each row. So one call over a whole stream, with one
severity a row, is one camera that breaks at some moment; that is how `tinytorch.datasets.traffic` calls it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinytorch._arguments import check_choice
from tinytorch.datasets.digits import IMAGE_SIDE, N_PIXELS

Corruption = Callable[[ArrayLike, ArrayLike, np.random.Generator], NDArray[np.float32]]

# What each corruption does at severity 1; severity scales it linearly. Each figure was chosen by eye, on sheets of
# some twenty images drawn at several severities, as about the strongest at which nearly all can still be read.
MAX_BRIGHTNESS = 0.5  # grey level added to every pixel
MAX_CONTRAST_LOSS = 0.8  # share of every pixel's distance to the image's mean that is lost
MAX_NOISE = 0.25  # standard deviation of the noise of a pixel
MAX_SHIFT_PIXELS = 1.25  # more would push strokes out of the 8x8 frame
MAX_ROTATION_DEGREES = 35.0  # more, and a 7 begins to look like a 2 on so few pixels
MAX_DEAD_SHARE = 0.2  # share of the pixels that are dead
MAX_OCCLUSION_SIDE = 3.0  # side of the covered square, in pixels
MAX_STRETCH = 0.6  # added width, as a share of the width
MAX_BLUR = 0.75  # share of the out-of-focus image in the result
# The middle of the covered square stays this many pixels from the frame: in the corners there is no ink to hide.
OCCLUSION_MARGIN = 2.0
# Passes of a 3x3 binomial filter that make the out-of-focus image: two smear a stroke over about three pixels.
BLUR_PASSES = 2

_CENTRE = (IMAGE_SIDE - 1) / 2
_DIRECTIONS = np.array([(-1, 0), (1, 0), (0, -1), (0, 1)])


def brightness(features: ArrayLike, severity: ArrayLike, rng: np.random.Generator) -> NDArray[np.float32]:
    """Add the same light to every pixel, as an overexposed camera does; what would exceed 1 stays at 1.

    Parameters
    ----------
    features : (n, 64), in [0, 1]
    severity : float, or (n,), in [0, 1]
    rng : numpy.random.Generator
        Not used: the light is the same for all.

    Returns
    -------
    (n, 64) float32, in [0, 1]

    Raises
    ------
    ValueError
        If the features are not (n, 64) in [0, 1], or the severity is not in [0, 1].

    Examples
    --------
    >>> image = np.zeros((1, 64))
    >>> float(brightness(image, 0.5, np.random.default_rng(0)).mean())
    0.25
    """
    images, level = _check_images(features, severity)
    return _finish(images, level, images + MAX_BRIGHTNESS * level)


def contrast(features: ArrayLike, severity: ArrayLike, rng: np.random.Generator) -> NDArray[np.float32]:
    """Pull every pixel towards its image's mean, as fog or a dim lamp does.

    Parameters and errors as for `brightness`.

    Examples
    --------
    >>> image = np.tile([0.0, 1.0], (1, 32))
    >>> contrast(image, 1.0, np.random.default_rng(0))[0, :2].round(2).tolist()
    [0.4000000059604645, 0.6000000238418579]
    """
    images, level = _check_images(features, severity)
    mean = images.mean(axis=1, keepdims=True)
    return _finish(images, level, images + MAX_CONTRAST_LOSS * level * (mean - images))


def noise(features: ArrayLike, severity: ArrayLike, rng: np.random.Generator) -> NDArray[np.float32]:
    """Add independent normal noise to every pixel of every image, as a sensor in the dark does.

    Parameters and errors as for `brightness`; `rng` draws the noise.

    Examples
    --------
    >>> image = np.full((2, 64), 0.5)
    >>> noisy = noise(image, 1.0, np.random.default_rng(0))
    >>> bool((noisy[0] != noisy[1]).any())
    True
    """
    images, level = _check_images(features, severity)
    return _finish(images, level, images + MAX_NOISE * level * rng.standard_normal(images.shape))


def blur(features: ArrayLike, severity: ArrayLike, rng: np.random.Generator) -> NDArray[np.float32]:
    """Mix every image with its out-of-focus version.

    Parameters and errors as for `brightness`.

    Examples
    --------
    >>> image = np.zeros((1, 64))
    >>> image[0, 27] = 1.0
    >>> blurred = blur(image, 1.0, np.random.default_rng(0))
    >>> float(blurred.sum()), float(blurred.max())
    (1.0, 0.35546875)
    """
    images, level = _check_images(features, severity)
    soft = images.reshape(-1, IMAGE_SIDE, IMAGE_SIDE)
    for _ in range(BLUR_PASSES):
        padded = np.pad(soft, ((0, 0), (1, 1), (1, 1)))
        across = (padded[:, :, :-2] + 2 * padded[:, :, 1:-1] + padded[:, :, 2:]) / 4
        soft = (across[:, :-2] + 2 * across[:, 1:-1] + across[:, 2:]) / 4
    return _finish(images, level, images + MAX_BLUR * level * (soft.reshape(images.shape) - images))


def shift(features: ArrayLike, severity: ArrayLike, rng: np.random.Generator) -> NDArray[np.float32]:
    """Move every image the same way (up, down, left or right), as a camera that was knocked does.

    Parameters and errors as for `brightness`; `rng` draws the direction, once for all rows.

    Examples
    --------
    >>> image = np.zeros((1, 64))
    >>> image[0, 27] = 1.0
    >>> moved = shift(image, 0.8, np.random.default_rng(0))
    >>> int(moved.argmax()) in (19, 26, 28, 35)
    True
    """
    images, level = _check_images(features, severity)
    direction = _DIRECTIONS[rng.integers(len(_DIRECTIONS))]
    identity = np.broadcast_to(np.eye(2), (len(images), 2, 2))
    return _finish(images, level, _warp(images, identity, MAX_SHIFT_PIXELS * level * direction))


def rotation(features: ArrayLike, severity: ArrayLike, rng: np.random.Generator) -> NDArray[np.float32]:
    """Turn every image about its centre by the same angle, as a tilted camera does.

    Parameters and errors as for `brightness`; `rng` draws clockwise or not, once for all rows.

    Examples
    --------
    >>> image = np.zeros((1, 64))
    >>> rotation(image, 1.0, np.random.default_rng(0)).shape
    (1, 64)
    """
    images, level = _check_images(features, severity)
    angle = np.radians(MAX_ROTATION_DEGREES) * level[:, 0] * rng.choice([-1, 1])
    cosine, sine = np.cos(angle), np.sin(angle)
    turn = np.stack([np.stack([cosine, -sine], axis=1), np.stack([sine, cosine], axis=1)], axis=1)
    return _finish(images, level, _warp(images, turn, np.zeros((len(images), 2))))


def dead_pixels(features: ArrayLike, severity: ArrayLike, rng: np.random.Generator) -> NDArray[np.float32]:
    """Let some pixels always answer the same, half of them 0 and half of them 1, as a broken sensor does.

    Parameters and errors as for `brightness`; `rng` draws the order in which pixels die, once for all rows, so that
    a higher severity kills the same pixels and more.

    Examples
    --------
    >>> image = np.full((2, 64), 0.5)
    >>> broken = dead_pixels(image, 1.0, np.random.default_rng(0))
    >>> int((broken[0] != 0.5).sum()), bool((broken[0] == broken[1]).all())
    (13, True)
    """
    images, level = _check_images(features, severity)
    turn_to_die = rng.permutation(N_PIXELS)
    stuck_at = (turn_to_die % 2).astype(float)
    dead = turn_to_die < np.rint(MAX_DEAD_SHARE * level * N_PIXELS)
    return _finish(images, level, np.where(dead, stuck_at, images))


def occlusion(features: ArrayLike, severity: ArrayLike, rng: np.random.Generator) -> NDArray[np.float32]:
    """Cover a square of every image with ink at the same place, as dirt on the lens does.

    Parameters and errors as for `brightness`; `rng` draws the middle of the square, once for all rows. Pixels that
    are partly covered turn partly dark.

    Examples
    --------
    >>> image = np.zeros((1, 64))
    >>> covered = occlusion(image, 1.0, np.random.default_rng(0))
    >>> float(covered.sum().round(2))
    9.0
    """
    images, level = _check_images(features, severity)
    half = MAX_OCCLUSION_SIDE / 2
    middle = rng.uniform(OCCLUSION_MARGIN, IMAGE_SIDE - OCCLUSION_MARGIN, size=2)
    rows, columns = (_overlap(centre, half * level) for centre in middle)
    covered = (rows[:, :, None] * columns[:, None, :]).reshape(images.shape)
    return _finish(images, level, images + covered * (1 - images))


def stretch(features: ArrayLike, severity: ArrayLike, rng: np.random.Generator) -> NDArray[np.float32]:
    """Widen every digit about its centre: people who write broadly.

    Parameters and errors as for `brightness`.

    Examples
    --------
    >>> image = np.zeros((1, 64))
    >>> image[0, [27, 28]] = 1.0
    >>> wide = stretch(image, 1.0, np.random.default_rng(0))
    >>> int((wide > 0).sum())
    4
    """
    images, level = _check_images(features, severity)
    scale = np.zeros((len(images), 2, 2))
    scale[:, 0, 0] = 1.0
    scale[:, 1, 1] = 1.0 / (1.0 + MAX_STRETCH * level[:, 0])
    return _finish(images, level, _warp(images, scale, np.zeros((len(images), 2))))


CORRUPTIONS: dict[str, Corruption] = {
    "brightness": brightness,
    "contrast": contrast,
    "noise": noise,
    "blur": blur,
    "shift": shift,
    "rotation": rotation,
    "dead_pixels": dead_pixels,
    "occlusion": occlusion,
    "stretch": stretch,
}


def corrupt(features: ArrayLike, kind: str, severity: ArrayLike, rng: np.random.Generator) -> NDArray[np.float32]:
    """Apply the corruption called `kind`.

    Parameters
    ----------
    features : (n, 64), in [0, 1]
    kind : str
        A name in `CORRUPTIONS`.
    severity : float, or (n,), in [0, 1]
    rng : numpy.random.Generator

    Returns
    -------
    (n, 64) float32, in [0, 1]

    Raises
    ------
    ValueError
        If the kind is unknown, the features are not (n, 64) in [0, 1], or the severity is not in [0, 1].

    Examples
    --------
    >>> image = np.full((1, 64), 0.25)
    >>> float(corrupt(image, "brightness", 0.5, np.random.default_rng(0)).max())
    0.5
    """
    return CORRUPTIONS[check_choice(kind, "kind", CORRUPTIONS)](features, severity, rng)


def _check_images(features: ArrayLike, severity: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the features (n, 64) and the severity as a column (n, 1), both float64, or raise ValueError."""
    images = _as_numbers(features, "features")
    if images.ndim != 2 or images.shape[1] != N_PIXELS:
        raise ValueError(f"features must have shape (n, {N_PIXELS}), got {images.shape}.")
    if not np.all((images >= 0) & (images <= 1)):
        raise ValueError("features must be in [0, 1], got values outside or missing.")
    return images, _check_severity(severity, len(images))


def _as_numbers(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Return a new float64 array, or raise ValueError for ragged lists and text."""
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be numbers, got {type(values).__name__}: {error}.") from None


def _check_severity(severity: ArrayLike, n_rows: int) -> NDArray[np.float64]:
    """Return the severity as a column (n_rows, 1)."""
    level = _as_numbers(severity, "severity")
    if level.shape not in ((), (n_rows,)):
        raise ValueError(f"severity must be one number or one per row ({n_rows},), got shape {level.shape}.")
    if not np.all((level >= 0) & (level <= 1)):
        raise ValueError(f"severity must be in [0, 1], got {severity!r}.")
    return np.broadcast_to(level, (n_rows,))[:, None]


def _finish(
    images: NDArray[np.float64], level: NDArray[np.float64], changed: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Clip to [0, 1], and keep rows of severity 0 exactly as they were, whatever rounding did to them."""
    result: NDArray[np.float32] = np.where(level == 0, images, np.clip(changed, 0.0, 1.0)).astype(np.float32)
    return result


def _overlap(centre: float, half: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of each of the pixels along one side covered by [centre - half, centre + half], (n, 8)."""
    left = np.arange(IMAGE_SIDE)
    covered: NDArray[np.float64] = np.minimum(left + 1, centre + half) - np.maximum(left, centre - half)
    return covered.clip(0.0, 1.0)


def _warp(images: NDArray[np.float64], matrix: NDArray[np.float64], offset: NDArray[np.float64]) -> NDArray[np.float64]:
    """Resample: each target pixel p takes the value at `centre + matrix @ (p - centre) - offset` in the source.

    The matrix (n, 2, 2) and the offset (n, 2) act on (row, column); values between pixels are bilinear, and outside
    the image there is no ink.
    """
    grid = np.indices((IMAGE_SIDE, IMAGE_SIDE)).reshape(2, N_PIXELS) - _CENTRE
    # One pixel of empty border, so that a stroke fades out at the edge instead of being cut.
    source = np.clip(matrix @ grid - offset[:, :, None] + _CENTRE, -1.0, IMAGE_SIDE) + 1
    padded = np.pad(images.reshape(-1, IMAGE_SIDE, IMAGE_SIDE), ((0, 0), (1, 1), (1, 1)))
    low = np.minimum(source.astype(int), IMAGE_SIDE)
    (down, right), (row, column) = (source - low).swapaxes(0, 1), low.swapaxes(0, 1)
    image = np.arange(len(images))[:, None]
    above = (1 - right) * padded[image, row, column] + right * padded[image, row, column + 1]
    below = (1 - right) * padded[image, row + 1, column] + right * padded[image, row + 1, column + 1]
    warped: NDArray[np.float64] = (1 - down) * above + down * below
    return warped
