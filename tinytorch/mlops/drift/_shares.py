"""Floor 2, drift: do categories come in other shares than before, also when some of them are rare? Uses `stats`.

frequent categories: chi-square or G;  rare ones, counted together: Fisher's exact test;  rare ones that came new:
Bernstein's inequality;  p = (number of these questions) x min(p, p, p)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinytorch.stats import chi2_test, fisher_exact_counts, g_test

# Cochran's rule (1954): below 5 expected rows the chi-square law is no longer that of the statistic.
FEWEST_EXPECTED = 5.0
SHARE_TESTS = {"chi2": chi2_test, "g": g_test}


@dataclass(frozen=True, eq=False)
class ShareChange:
    """What `compare_shares` found, one value per column.

    Attributes
    ----------
    statistic, pvalue, distance : ndarray of shape (n_features,)
        `statistic` is chi-square or G with the rare categories counted together; `distance` is the total variation
        distance, the share of rows that would have to change category.

    Examples
    --------
    >>> ShareChange(np.array([50.0]), np.array([1e-9]), np.array([0.5])).distance
    array([0.5])
    """

    statistic: np.ndarray
    pvalue: np.ndarray
    distance: np.ndarray


def compare_shares(reference_counts: np.ndarray, current_counts: np.ndarray, test: str) -> ShareChange:
    """Compare counts of shape (n_features, n_categories), column by column.

    A category is rare if fewer than 5 rows of it are expected in the smaller sample. Which ones are is read from both
    samples together, so chance cannot choose them to look different. Without rare categories the p-value is that of
    the test alone; with them, twice the smaller of two: the test on the rows of frequent categories, and Fisher's
    exact test on the number of rows that are rare. Of several rare ones a third is asked (and the factor is 3): whether
    more current rows are of categories that the reference lacks than shuffled rows would be; a hundred new names in
    place of a hundred old ones look alike once counted together. A column that leaves nothing to compare has p = 1.

    References
    ----------
    W. G. Cochran, Some methods for strengthening the common chi-square tests, Biometrics 10 (1954).
    K. Joag-Dev and F. Proschan, Negative Association of Random Variables, Annals of Statistics 11 (1983).

    Examples
    --------
    >>> change = compare_shares(np.array([[300, 300, 0]]), np.array([[95, 95, 10]]), "chi2")
    >>> f"{change.pvalue[0]:.1e}", change.distance.round(2)
    ('1.6e-06', array([0.05]))
    """
    columns = [
        _compare_column(reference, current, test)
        for reference, current in zip(reference_counts, current_counts, strict=True)
    ]
    return ShareChange(*map(np.array, zip(*columns, strict=True)))


def _compare_column(reference: np.ndarray, current: np.ndarray, test: str) -> tuple[float, float, float]:
    """Return statistic, p-value and distance of one column's counts."""
    n, m = int(reference.sum()), int(current.sum())
    pooled = reference + current
    expected = pooled * (min(n, m) / (n + m))
    rare, frequent = (pooled > 0) & (expected < FEWEST_EXPECTED), expected >= FEWEST_EXPECTED
    cells = np.array([[*counts[frequent], counts[rare].sum()] for counts in (reference, current)])
    statistic, _ = _test_cells(cells, test)
    pvalues = []  # of the questions that can be asked
    if frequent.sum() >= 2 and cells[:, :-1].any(axis=1).all():
        pvalues.append(_test_cells(cells[:, :-1], test)[1])
    if rare.any():
        pvalues.append(float(fisher_exact_counts(cells[0, -1], n, cells[1, -1], m).pvalue[0]))
    distance = 0.5 * float(np.abs(cells[0] / n - cells[1] / m).sum())
    if rare.sum() > 1:
        surplus, pvalue = _new_rows(reference[rare], current[rare], n, m)
        distance = max(distance, surplus / m)
        pvalues.append(pvalue)
    pvalue = min(1.0, len(pvalues) * min(pvalues)) if pvalues else 1.0
    return statistic, pvalue, distance


def _new_rows(reference: np.ndarray, current: np.ndarray, n: int, m: int) -> tuple[float, float]:
    """Return how many more current rows than in shuffled tables are of categories new to them, and a bound on p.

    A category of t rows is new in a shuffle with probability m/N (m-1)/(N-1) ... (t factors). Rows are dealt without
    replacement, so categories that come new make others less likely to (negative association), and Bernstein's
    inequality for independent ones holds: it supposes no law and is rather too large.
    """
    sizes = reference + current
    steps = np.arange(int(sizes.max()))
    all_new = np.append(1.0, np.cumprod(np.maximum(m - steps, 0) / np.maximum(n + m - steps, 1)))[sizes]
    surplus = float(current[reference == 0].sum() - sizes @ all_new)
    if surplus <= 0:
        return 0.0, 1.0
    variance = float(sizes**2 @ (all_new * (1 - all_new)))
    return surplus, float(np.exp(-0.5 * surplus**2 / (variance + sizes.max() * surplus / 3)))


def _test_cells(cells: np.ndarray, test: str) -> tuple[float, float]:
    """Return statistic and p-value of two rows of counts."""
    codes = np.arange(cells.shape[1])
    result = SHARE_TESTS[test](np.repeat(codes, cells[0]), np.repeat(codes, cells[1]))
    return float(result.statistic[0]), float(result.pvalue[0])
