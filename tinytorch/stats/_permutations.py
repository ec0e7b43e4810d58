"""How the permutation tests of this floor draw relabellings and count them. Imports numpy only.

Entry 0 of every array of relabelled statistics is the observed one, computed by the same arithmetic as the rest,
so that a tie is a tie.
"""

from __future__ import annotations

import numpy as np


def check_generator(rng: np.random.Generator) -> np.random.Generator:
    """Return `rng` if it is a numpy Generator; a seed or None would hide where randomness comes from.

    Examples
    --------
    >>> check_generator(7)
    Traceback (most recent call last):
    ...
    ValueError: rng must be a numpy.random.Generator, got 7.
    """
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng must be a numpy.random.Generator, got {rng!r}.")
    return rng


def random_labels(n_reference: int, n_current: int, n_permutations: int, rng: np.random.Generator) -> np.ndarray:
    """Draw who counts as reference: int8 of shape (1 + n_permutations, n_reference + n_current), 1 for reference.

    Row 0 is the labelling that was observed, the reference first.

    Examples
    --------
    >>> random_labels(2, 3, 4, np.random.default_rng(0)).sum(axis=1)
    array([2, 2, 2, 2, 2])
    """
    labels = np.zeros((1 + n_permutations, n_reference + n_current), dtype=np.int8)
    labels[:, :n_reference] = 1
    rng.permuted(labels[1:], axis=1, out=labels[1:])
    return labels


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
