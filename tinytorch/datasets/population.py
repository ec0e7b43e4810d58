"""Floor 0, the pantry: a drift of the population, other digits being written more often. Imports numpy only.

The images stay as they are; what changes is which of them are served. As each image is served once, a mix lasts
only as long as the images of its frequent classes do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinytorch._arguments import check_integer

# Share of the classes that become rare. With fewer, 200 rows do not always show that pixels moved; with more, the
# images of the frequent classes run out sooner.
RARE_SHARE = 0.5


def class_mix_order(
    labels: ArrayLike, severity_by_step: ArrayLike, step_size: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Choose the rows to serve, step by step, so that some classes become rare.

    At severity s a rare class has (1 - s) of its usual share in the traffic, and the other classes share the rest
    in their usual proportions; at severity 1 the rare classes vanish, at 0 the rows come in a random order.

    Parameters
    ----------
    labels : (n,) integers
        The class of each row.
    severity_by_step : (n_steps,), in [0, 1]
    step_size : int
        Rows a step.
    rng : numpy.random.Generator
        Draws the rare classes, once, and the rows.

    Returns
    -------
    (n_chosen,) int64
        Row numbers in the order of serving, none twice, whole steps only. It ends early when a class has fewer rows
        left than the next step is expected to need.

    Raises
    ------
    ValueError
        If the labels are not a list of integers, a severity is not in [0, 1], or the step size is not at least 1.

    Examples
    --------
    >>> labels = np.repeat([0, 1], 50)
    >>> order = class_mix_order(labels, [0.0, 1.0, 1.0], 10, np.random.default_rng(0))
    >>> labels[order].reshape(3, 10).std(axis=1).tolist()[1:]
    [0.0, 0.0]
    """
    codes, severities = _check_labels(labels, severity_by_step)
    size = check_integer(step_size, "step_size", minimum=1)
    usual = np.bincount(codes) / codes.size
    rare = _draw_rare(usual, rng)
    left = np.arange(codes.size, dtype=np.int64)
    steps = [np.empty(0, dtype=np.int64)]
    for severity in severities:
        share = np.where(rare, (1 - severity) * usual, usual)
        available = np.bincount(codes[left], minlength=usual.size)
        if left.size < size or (severity and np.any(size * share / share.sum() > available)):
            break
        weight = share[codes[left]] / available[codes[left]] if severity else np.ones(left.size)
        chosen = rng.choice(left, size, replace=False, p=weight / weight.sum())
        steps.append(chosen)
        left = np.setdiff1d(left, chosen, assume_unique=True)
    return np.concatenate(steps)


def _draw_rare(usual: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return which classes become rare, (n_classes,): `RARE_SHARE` of those present, and never all."""
    present = np.flatnonzero(usual)
    rare = np.zeros(usual.size, dtype=bool)
    rare[rng.permutation(present)[: int(RARE_SHARE * present.size)]] = True
    return rare


def _check_labels(labels: ArrayLike, severity_by_step: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return both as arrays, or raise ValueError."""
    codes = np.asarray(labels)
    if codes.ndim != 1 or codes.dtype.kind not in "iu" or not codes.size or codes.min() < 0:
        raise ValueError(f"labels must be a list of integers >= 0, got {codes.dtype} of shape {codes.shape}.")
    severities = np.asarray(severity_by_step, dtype=np.float64)
    if severities.ndim != 1 or not np.all((severities >= 0) & (severities <= 1)):
        raise ValueError(f"severity_by_step must be a list of numbers in [0, 1], got {severity_by_step!r}.")
    return codes.astype(np.int64), severities
