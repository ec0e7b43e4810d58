"""Exact null law of the two-sample Kolmogorov-Smirnov distance, by counting lattice paths.

If both samples come from one continuous law, every way of interleaving n and m values is equally likely. An
interleaving is a path of n steps right and m steps up, and the distance reaches D where the path touches
|i/n - j/m| >= D. The share A(i, j) of paths to (i, j) that touched is 1 outside the band, and inside it

    A(i, j) = i/(i+j) A(i-1, j) + j/(i+j) A(i, j-1)
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

# Columns followed at once: enough to spread numpy's cost per call, few enough to stay in the cache.
COLUMNS_AT_ONCE = 64


def exact_pvalue(excess: np.ndarray, n: int, m: int, alternative: str) -> np.ndarray:
    """Return P(D >= excess / (n m)) under the null, exactly but for rounding.

    Parameters
    ----------
    excess : ndarray of int64
        Distances in units of 1 / (n m), the lattice on which they all lie.
    n, m : int
        Sample sizes.
    alternative : str
        "two-sided" for D; anything else for D+ or D-, whose laws agree.

    References
    ----------
    J. Hodges, The significance probability of the Smirnov two-sample test (1958).

    Examples
    --------
    >>> exact_pvalue(np.array([0, 6, 3]), 3, 2, "two-sided")
    array([1. , 0.2, 0.9])
    """
    distinct, place = np.unique(excess, return_inverse=True)
    pvalue = np.ones(distinct.shape)
    positive = distinct > 0
    if positive.any():
        law = _equal_sizes if n == m else _unequal_sizes
        pvalue[positive] = law(distinct[positive], n, m, alternative == "two-sided")
    return np.clip(pvalue, 0.0, 1.0)[place].reshape(excess.shape)


def _equal_sizes(excess: np.ndarray, n: int, m: int, two_sided: bool) -> np.ndarray:
    """Sum the reflected paths: 2 * sum over k of (-1)^(k-1) C(2n, n - k h) / C(2n, n); one side needs k = 1 only."""
    # Horner's form of scipy's, 2 A1 (1 - A2 (1 - ...)), never subtracts numbers larger than 1.
    return np.array([_reflections(height, n, two_sided) for height in (excess // m).tolist()])


def _reflections(height: int, n: int, two_sided: bool) -> float:
    """Return the share of paths of n + n steps that leave the band of half-width `height`."""
    rise = np.arange(height, dtype=np.float64)
    share = 0.0
    for reflection in range(n // height if two_sided else 1, 0, -1):
        start = (reflection - 1) * height
        step = float(np.prod((n - start - rise) / (n + start + rise + 1.0)))
        share = step * (1.0 - share)
    return 2.0 * share if two_sided else share


def _unequal_sizes(excess: np.ndarray, n: int, m: int, two_sided: bool) -> np.ndarray:
    """Follow blocks of distances, close ones together, so that their bands are equally wide."""
    blocks = [excess[start : start + COLUMNS_AT_ONCE] for start in range(0, excess.size, COLUMNS_AT_ONCE)]
    if not two_sided:
        return np.concatenate([_touching_share(block, min(n, m), max(n, m), False)[-1][:, -1] for block in blocks])
    return np.concatenate([_joined_halves(block, min(n, m), max(n, m)) for block in blocks])


def _joined_halves(excess: np.ndarray, few: int, many: int) -> np.ndarray:
    """Join paths from both ends at the middle diagonal: the band looks the same when turned by 180 degrees."""
    total = few + many
    before, after = _touching_share(excess, few, many, True)
    right = np.arange(few + 1)
    possible = (right <= total // 2) & (total // 2 - right <= many)
    weight = _hypergeometric(right[possible], total // 2, few, total)
    first, second = before[:, possible], after[:, ::-1][:, possible]
    return np.asarray(((first + second - first * second) * weight).sum(axis=1))


def _touching_share(excess: np.ndarray, few: int, many: int, two_sided: bool) -> list[np.ndarray]:
    """Return A on the diagonals asked for: the two around the middle if two-sided, else the last.

    A diagonal holds the points with one number of steps; entry i of its row is the share at i steps right.
    """
    total = few + many
    wanted = {total // 2, total - total // 2} if two_sided else {total}
    share = np.ones((excess.size, few + 2))  # the first entry stands for i = -1, which has weight 0
    share[:, 1] = 0.0
    right = np.arange(few + 1, dtype=np.float64)
    limit = excess[:, np.newaxis].astype(np.float64)
    kept: list[np.ndarray] = []
    previous_low = 0
    for steps, low, high in _band(int(excess.max()), few, many, two_sided):
        went_right = right[low : high + 1] / steps
        came_right = share[:, low : high + 1] * went_right
        here = share[:, low + 1 : high + 2]
        here *= 1.0 - went_right
        here += came_right
        lead = right[low : high + 1] * total - float(steps * few)
        np.copyto(here, 1.0, where=(np.abs(lead) if two_sided else lead) >= limit)
        if low > previous_low:
            share[:, previous_low + 1 : low + 1] = 1.0
        previous_low = low
        if steps in wanted:
            kept.append(share[:, 1:].copy())
    return kept if len(kept) == 2 or not two_sided else [kept[0], kept[0]]


def _band(widest: int, few: int, many: int, two_sided: bool) -> Iterator[tuple[int, int, int]]:
    """Yield (steps, lowest i, highest i) of the points of each diagonal that lie in the band of the widest excess."""
    total = few + many
    for steps in range(1, (total - total // 2 if two_sided else total) + 1):
        low = max(0, steps - many, (steps * few - widest) // total + 1 if two_sided else 0)
        high = min(few, steps, -((-steps * few - widest) // total) - 1)
        yield steps, low, max(high, low)


def _hypergeometric(hits: np.ndarray, drawn: int, marked: int, total: int) -> np.ndarray:
    """Return the probability that `drawn` of `total` steps hold `hits` of the `marked`."""
    log_factorial = np.frompyfunc(lambda value: math.lgamma(value + 1.0), 1, 1)
    log_share = -log_factorial(hits) - log_factorial(marked - hits)
    log_share -= log_factorial(drawn - hits) + log_factorial(total - drawn - marked + hits)
    log_share = log_share.astype(np.float64) + math.lgamma(marked + 1.0) + math.lgamma(total - marked + 1.0)
    log_share += math.lgamma(drawn + 1.0) + math.lgamma(total - drawn + 1.0) - math.lgamma(total + 1.0)
    with np.errstate(under="ignore"):
        weight = np.exp(log_share)
    return np.asarray(weight / weight.sum())  # the large logarithms cost 1e-12; the sum is known to be 1
