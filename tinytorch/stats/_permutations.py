"""How the permutation tests of this floor draw relabellings and count them. Imports numpy only.

Entry 0 of every array of relabelled statistics is the observed one, computed by the same arithmetic as the rest,
so that a tie is a tie.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

# One block of a large matrix may hold this many numbers (16 MB of float32): big enough for fast products.
BLOCK_NUMBERS = 4_000_000
# The smallest p-value is then 1 / 201, ten times below the usual alpha of 0.05.
DEFAULT_PERMUTATIONS = 200


def random_labels(n_reference: int, n_current: int, n_permutations: int, rng: np.random.Generator) -> np.ndarray:
    """Draw who counts as reference: int8 of shape (1 + n_permutations, n_reference + n_current), 1 for reference.

    Row 0 is the labelling that was observed, the reference first.

    Examples
    --------
    >>> random_labels(2, 3, 4, np.random.default_rng(0)).sum(axis=1)
    array([2, 2, 2, 2, 2])
    """
    labels = np.zeros((1 + n_permutations, n_reference + n_current), dtype=np.int8)
    labels[0, :n_reference] = 1
    for start, stop in blocks(n_permutations, labels.shape[1]):
        keys = rng.random((stop - start, labels.shape[1]))  # the n_reference smallest keys are a random subset
        smallest_left_out = np.partition(keys, n_reference, axis=1)[:, n_reference, np.newaxis]
        labels[1 + start : 1 + stop] = keys < smallest_left_out
    return labels


def blocks(n_rows: int, width: int, most_rows: int | None = None) -> Iterator[tuple[int, int]]:
    """Cut rows 0 to n_rows into blocks of at most BLOCK_NUMBERS numbers and at most `most_rows` rows.

    Examples
    --------
    >>> list(blocks(5, width=10, most_rows=2))
    [(0, 2), (2, 4), (4, 5)]
    """
    height = max(1, min(most_rows or n_rows, BLOCK_NUMBERS // width))
    for start in range(0, n_rows, height):
        yield start, min(start + height, n_rows)


def permutation_pvalue(statistics: np.ndarray, rounding: np.ndarray | float = 0.0) -> np.ndarray:
    """Share of labellings at least as extreme as the observed one, itself included: (1 + k) / (1 + P), never 0.

    Parameters
    ----------
    statistics : ndarray of shape (1 + n_permutations, n_features)
        The observed statistic in row 0; large values speak against the null hypothesis.
    rounding : float or ndarray of shape (n_features,)
        Two statistics closer than this are tied: the size of the error their arithmetic can make.

    Examples
    --------
    >>> permutation_pvalue(np.array([[3.0], [1.0], [2.0], [3.0]]))
    array([0.5])
    """
    n_extreme = np.count_nonzero(statistics[1:] >= statistics[0] - rounding, axis=0)
    return np.asarray((1.0 + n_extreme) / len(statistics))
