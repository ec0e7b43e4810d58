"""P-values corrected for how many were looked at: 100 columns without drift flag about 5 at 0.05. Numpy only.

With m p-values sorted as p_(1) <= ... <= p_(m):
    bonferroni           m p_(i)
    holm                 max over j <= i of (m - j + 1) p_(j)
    benjamini-hochberg   min over j >= i of m p_(j) / j
    benjamini-yekutieli  the same times 1 + 1/2 + ... + 1/m
all cut at 1. The first two bound the chance of any false alarm (under any dependence); the last two bound the
expected share of false alarms among the alarms (Benjamini-Hochberg for independent or positively dependent tests,
Benjamini-Yekutieli for any).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from tinytorch._arguments import check_choice


def adjust_pvalues(pvalues: ArrayLike, method: str = "holm") -> np.ndarray:
    """Return the p-values corrected for being one family; compare them with the level as if there were only one.

    Parameters
    ----------
    pvalues : array_like
        Any shape; all of them are one family.
    method : {"holm", "bonferroni", "benjamini-hochberg", "benjamini-yekutieli"}

    Returns
    -------
    ndarray of the shape of `pvalues`
        Adjusted p-values in [0, 1], never below the raw ones.

    Raises
    ------
    ValueError
        If the method is unknown, there is no p-value, or one is not in [0, 1].

    Examples
    --------
    >>> adjust_pvalues([0.01, 0.02, 0.03, 0.5]).round(3)
    array([0.04, 0.06, 0.06, 0.5 ])
    >>> adjust_pvalues([0.01, 0.02, 0.03, 0.5], method="benjamini-hochberg").round(3)
    array([0.04, 0.04, 0.04, 0.5 ])
    """
    return _METHODS[check_choice(method, "method", tuple(_METHODS))](pvalues)


def bonferroni(pvalues: ArrayLike) -> np.ndarray:
    """Return the p-values times their number, cut at 1.

    Raises
    ------
    ValueError
        If there is no p-value or one is not in [0, 1].

    References
    ----------
    O. J. Dunn, Multiple Comparisons among Means, JASA 56 (1961).

    Examples
    --------
    >>> bonferroni([0.01, 0.4, 0.6]).round(3)
    array([0.03, 1.  , 1.  ])
    """
    raw = _as_pvalues(pvalues)
    return np.asarray(np.minimum(raw * raw.size, 1.0))


def holm(pvalues: ArrayLike) -> np.ndarray:
    """Return Holm's step-down p-values: the guarantee of Bonferroni, and never larger.

    Raises
    ------
    ValueError
        If there is no p-value or one is not in [0, 1].

    References
    ----------
    S. Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of Statistics 6 (1979).

    Examples
    --------
    >>> holm([0.01, 0.4, 0.6]).round(3)
    array([0.03, 0.8 , 0.8 ])
    """
    raw = _as_pvalues(pvalues)
    remaining = np.arange(raw.size, 0, -1)
    return _in_sorted_order(raw, lambda ordered: np.maximum.accumulate(ordered * remaining))


def benjamini_hochberg(pvalues: ArrayLike) -> np.ndarray:
    """Return p-values that bound the expected share of false alarms, for independent or positively dependent tests.

    Raises
    ------
    ValueError
        If there is no p-value or one is not in [0, 1].

    References
    ----------
    Y. Benjamini and Y. Hochberg, Controlling the False Discovery Rate, JRSS B 57 (1995).

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.4, 0.6]).round(3)
    array([0.03, 0.6 , 0.6 ])
    """
    raw = _as_pvalues(pvalues)
    return _step_up(raw, raw.size / np.arange(1, raw.size + 1))


def benjamini_yekutieli(pvalues: ArrayLike) -> np.ndarray:
    """Return p-values that bound the expected share of false alarms, whatever the dependence between the tests.

    Raises
    ------
    ValueError
        If there is no p-value or one is not in [0, 1].

    References
    ----------
    Y. Benjamini and D. Yekutieli, The Control of the False Discovery Rate in Multiple Testing under Dependency,
    Annals of Statistics 29 (2001).

    Examples
    --------
    >>> benjamini_yekutieli([0.01, 0.4, 0.6]).round(3)
    array([0.055, 1.   , 1.   ])
    """
    raw = _as_pvalues(pvalues)
    ranks = np.arange(1, raw.size + 1)
    return _step_up(raw, raw.size / ranks * (1.0 / ranks).sum())


_METHODS: dict[str, Callable[[ArrayLike], np.ndarray]] = {
    "holm": holm,
    "bonferroni": bonferroni,
    "benjamini-hochberg": benjamini_hochberg,
    "benjamini-yekutieli": benjamini_yekutieli,
}


def _step_up(raw: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Multiply the sorted p-values by `factors`, and let no p-value exceed that of a larger raw one."""
    return _in_sorted_order(raw, lambda ordered: np.minimum.accumulate((ordered * factors)[::-1])[::-1])


def _in_sorted_order(raw: np.ndarray, adjust: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Apply `adjust` to the sorted p-values, cut at 1, and put the results back in their places."""
    order = np.argsort(raw, axis=None, kind="stable")
    adjusted = np.empty(raw.size)
    adjusted[order] = np.minimum(adjust(raw.ravel()[order]), 1.0)
    return adjusted.reshape(raw.shape)


def _as_pvalues(pvalues: ArrayLike) -> np.ndarray:
    """Return a float array of values in [0, 1], or say which is not."""
    raw = np.asarray(pvalues, dtype=np.float64)
    if raw.size == 0:
        raise ValueError("pvalues must hold at least one value, got none.")
    wrong = ~((raw >= 0) & (raw <= 1))
    if wrong.any():
        raise ValueError(f"pvalues must be in [0, 1], got {float(raw[wrong].flat[0])!r}.")
    return raw
