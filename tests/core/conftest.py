"""Shared by the tests of the core: derivatives by differences, and small data that can be learnt."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from tinytorch.core.autograd import Function

STEP = 1e-5  # cube root of float64's precision: truncation and rounding errors of central differences balance
TOLERANCE = 1e-7  # errors of differences are about STEP squared times the third derivative, all of order one here


def _numerical_gradient(value: Callable[[], float], array: np.ndarray) -> np.ndarray:
    gradient = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + STEP
        above = value()
        array[index] = kept - STEP
        below = value()
        array[index] = kept
        gradient[index] = (above - below) / (2 * STEP)
    return gradient


def _check_derivative(function: Function, arrays: Sequence[np.ndarray], rng: np.random.Generator) -> None:
    output = function.forward(*arrays)
    upstream = rng.standard_normal(output.shape)
    kept = [array.copy() for array in (*arrays, upstream, output)]
    shares = [np.array(share) for share in function.backward(upstream)]
    again = [np.array(share) for share in function.backward(upstream)]
    for share, repeated in zip(shares, again, strict=True):
        np.testing.assert_array_equal(share, repeated, err_msg="backward must give the same when it runs twice")
    for array, before in zip((*arrays, upstream, output), kept, strict=True):
        np.testing.assert_array_equal(array, before, err_msg="nothing may be changed in place")

    def value() -> float:
        return float(np.sum(function.forward(*arrays) * upstream))

    assert len(shares) == len(arrays)
    for share, array in zip(shares, arrays, strict=True):
        assert share.shape == array.shape
        assert share.dtype == np.float64
        np.testing.assert_allclose(share, _numerical_gradient(value, array), rtol=TOLERANCE, atol=TOLERANCE)


@pytest.fixture(scope="session")
def check_derivative() -> Callable[[Function, Sequence[np.ndarray], np.random.Generator], None]:
    """Compare `backward` of a function with central differences of its `forward`, in float64."""
    return _check_derivative


@pytest.fixture
def blobs() -> tuple[np.ndarray, np.ndarray]:
    """Two hundred points in three clouds, and the number of each one's cloud."""
    rng = np.random.default_rng(7)
    labels = np.arange(200) % 3
    centres = np.array([[2.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0], [0.0, 0.0, 2.0, 0.0]])
    return centres[labels] + rng.standard_normal((200, 4)), labels
