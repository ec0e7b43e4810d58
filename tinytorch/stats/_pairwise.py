"""Sums of a kernel over pairs of rows under many relabellings at once. Imports numpy only.

With z the 0/1 labels and K the kernel matrix, the reference's own pairs sum to z'Kz: all relabellings together are
one matrix product Z K. K is symmetric and is made a strip of rows at a time, so half of it is never computed and
memory grows with the number of rows, not with its square.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinytorch.stats._permutations import blocks, random_labels

Kernel = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Takes two arrays of row numbers of the pooled sample, gives the kernel between them, (n_rows, n_columns)."""

# No strip of K holds more rows than this: a strip should stay in cache, and its diagonal square is computed twice.
STRIP_ROWS = 256
# Below this many pairs of rows there are too few swaps (2 ** 19 at 20) to stand for all the relabellings.
SMALLEST_SWAPPED_SAMPLE = 20
# Up to this many columns a squared distance is summed column by column; beyond, one product is much faster.
DIRECT_COLUMNS = 8


@dataclass(frozen=True, eq=False)
class PairSums:
    """Sums of the kernel over pairs of different rows, one entry per labelling, the observed one first.

    Attributes
    ----------
    reference, current : ndarray of shape (1 + n_permutations,)
        Over unordered pairs within the reference and within the current sample.
    between : ndarray of shape (1 + n_permutations,)
        Over pairs of one reference and one current row.

    With samples of one size the relabellings are swaps of row i of one sample with row i of the other. Then only
    the total of `reference` and `current` is known (all that such a statistic needs), and each holds half of it.
    """

    reference: np.ndarray
    current: np.ndarray
    between: np.ndarray


def permuted_pair_sums(
    kernel: Kernel, n_reference: int, n_current: int, n_permutations: int, rng: np.random.Generator
) -> PairSums:
    """Sum the kernel over pairs for the observed labelling and `n_permutations` random ones.

    Samples of one size are relabelled by swapping row i of one with row i of the other: a subgroup of the
    permutations, so the test keeps its size, at a quarter of the product.
    """
    if n_reference == n_current and n_reference >= SMALLEST_SWAPPED_SAMPLE:
        return _swapped_sums(kernel, n_reference, n_permutations, rng)
    return _relabelled_sums(kernel, random_labels(n_reference, n_current, n_permutations, rng))


def centred_points(reference: np.ndarray, current: np.ndarray) -> tuple[np.ndarray, int]:
    """Pool two samples, centre them, and divide them by 2 to the returned power, so that no square overflows.

    Examples
    --------
    >>> centred_points(np.array([[1.0]]), np.array([[5.0], [6.0]]))
    (array([[-0.375],
           [ 0.125],
           [ 0.25 ]]), 3)
    """
    points = np.concatenate([reference, current])
    exponent = int(np.frexp(np.abs(points).max())[1])
    points = np.ldexp(points, -exponent)
    points -= points.mean(axis=0)
    return points, exponent


def squared_distances(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Squared distance of every row of `left` to every row of `right`.

    Up to 8 columns it is sum (u - v)^2 as it stands, exact for ties. Beyond, |u|^2 - 2 u'v + |v|^2: one product, wrong
    by a rounding of |u|^2, so centre the points first.

    Examples
    --------
    >>> squared_distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0], [1.0, 0.0]]))
    array([[25.,  1.]])
    """
    if left.shape[1] > DIRECT_COLUMNS:
        total = left @ right.T
        total *= -2
        total += np.einsum("ij,ij->i", left, left)[:, np.newaxis]
        total += np.einsum("ij,ij->i", right, right)
        return np.asarray(np.maximum(total, 0, out=total))
    total = np.zeros((len(left), len(right)), dtype=left.dtype)
    for left_column, right_column in zip(left.T, right.T, strict=True):
        difference = left_column[:, np.newaxis] - right_column
        difference *= difference
        total += difference
    return total


def _relabelled_sums(kernel: Kernel, labels: np.ndarray) -> PairSums:
    """Pair sums for 0/1 labels of shape (n_labellings, n_rows)."""
    n_rows = labels.shape[1]
    row_sums = np.zeros(n_rows)
    within = np.zeros(len(labels))
    for start, stop in blocks(n_rows, n_rows, STRIP_ROWS):
        strip = _half_strip(kernel(np.arange(start, stop), np.arange(start, n_rows)))
        row_sums[start:stop] += strip.sum(axis=1)
        row_sums[start:] += strip.sum(axis=0)
        within += _forms(labels, strip, start, stop)
    touching = _weighted_sums(labels, row_sums)
    return PairSums(within, row_sums.sum() / 2 - touching + within, touching - 2 * within)


def _swapped_sums(kernel: Kernel, n_pairs: int, n_permutations: int, rng: np.random.Generator) -> PairSums:
    """Pair sums under swaps of row i with row n_pairs + i, as signs s_i = +1 (stays) or -1 (swapped).

    For rows i < j let same = k(x_i, x_j) + k(y_i, y_j) and cross = k(x_i, y_j) + k(y_i, x_j). One swap exchanges the
    two, so the sums depend on the signs through sum s_i s_j (same - cross) alone. k(x_i, y_i) never changes.
    """
    signs = rng.integers(0, 2, size=(1 + n_permutations, n_pairs), dtype=np.int8)
    signs *= 2
    signs -= 1
    signs[0] = 1
    form, total, own = np.zeros(len(signs)), 0.0, 0.0
    for start, stop in blocks(n_pairs, 4 * n_pairs, STRIP_ROWS // 2):
        rows, columns = np.arange(start, stop), np.arange(start, n_pairs)
        tile = kernel(np.concatenate([rows, rows + n_pairs]), np.concatenate([columns, columns + n_pairs]))
        same = tile[: len(rows), : len(columns)] + tile[len(rows) :, len(columns) :]
        cross = tile[: len(rows), len(columns) :] + tile[len(rows) :, : len(columns)]
        own += float(np.trace(cross, dtype=np.float64)) / 2
        same, cross = _half_strip(same), _half_strip(cross)
        total += float(same.sum(dtype=np.float64)) + float(cross.sum(dtype=np.float64))
        form += _forms(signs, same - cross, start, stop)
    same_total, cross_total = (total + form) / 2, (total - form) / 2
    return PairSums(same_total / 2, same_total / 2, cross_total + own)


def _half_strip(strip: np.ndarray) -> np.ndarray:
    """Drop the diagonal and halve the square that holds each pair twice, so that a sum counts each pair once."""
    np.fill_diagonal(strip, 0.0)
    strip[:, : len(strip)] *= 0.5
    return strip


def _forms(labels: np.ndarray, strip: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Part of z'Kz that a strip (rows start to stop, columns from start on) holds, for every row z of `labels`."""
    products = labels[:, start:].astype(strip.dtype) @ strip.T
    return np.asarray(np.einsum("pi,pi->p", products.astype(np.float64), labels[:, start:stop].astype(np.float64)))


def _weighted_sums(labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Compute `labels @ weights` a few columns at a time, so that the labels are never copied whole."""
    return np.asarray(
        sum(labels[:, start:stop] @ weights[start:stop] for start, stop in blocks(len(weights), len(labels)))
    )
