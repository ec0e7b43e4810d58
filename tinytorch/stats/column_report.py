"""The everyday report on a batch, one pass over its sorted columns.

    per column: Kolmogorov-Smirnov D with p-value, PSI, Wasserstein-1;  over all columns: Benjamini-Hochberg
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tinytorch.stats._bins import sorted_bin_counts
from tinytorch.stats._columns import sorted_blocks
from tinytorch.stats.corrections import benjamini_hochberg
from tinytorch.stats.ks import ks_result
from tinytorch.stats.ks_grid import lattice_excess
from tinytorch.stats.psi import psi_of_counts
from tinytorch.stats.reference import FittedReference, current_table
from tinytorch.stats.wasserstein import sorted_wasserstein


@dataclass(frozen=True, eq=False)
class ColumnReport:
    """How each column of a batch stands to the reference; every attribute has shape (n_features,).

    Attributes
    ----------
    statistic, pvalue : ndarray
        Of `ks_2samp`.
    adjusted_pvalue : ndarray
        Corrected for the number of columns by Benjamini-Hochberg.
    psi : ndarray
        Of `psi`, over the bins of the fitted reference.
    wasserstein : ndarray
        Of `wasserstein_distance`, in the column's units.
    """

    statistic: np.ndarray
    pvalue: np.ndarray
    adjusted_pvalue: np.ndarray
    psi: np.ndarray
    wasserstein: np.ndarray


def column_report(reference: ArrayLike | FittedReference, current: ArrayLike) -> ColumnReport:
    """Return everything about every column from one sort: equal to `ks_2samp`, `psi` and `wasserstein_distance`.

    Parameters
    ----------
    reference : array_like of shape (n, n_features) or (n,), or FittedReference
        Anything else than a fitted reference is fitted first, which costs more than the report itself.
    current : array_like of shape (m, n_features) or (m,)

    Raises
    ------
    ValueError
        If a sample is not a table of finite numbers or the columns differ.

    Examples
    --------
    >>> report = column_report(FittedReference(bins=2).fit([1.0, 2.0, 3.0, 4.0]), [1.0, 2.0, 3.0, 4.0])
    >>> report.statistic, report.psi, report.wasserstein
    (array([0.]), array([0.]), array([0.]))
    """
    fitted = reference if isinstance(reference, FittedReference) else FittedReference().fit(reference)
    table = current_table(current, fitted)
    parts = [_look_at(fitted, chosen, columns) for chosen, columns in sorted_blocks(table)]
    excess, distance, index = (np.concatenate(values) for values in zip(*parts, strict=True))
    ks = ks_result(excess, fitted.n_samples_, table.shape[0], "two-sided", "auto")
    return ColumnReport(ks.statistic, ks.pvalue, benjamini_hochberg(ks.pvalue), index, distance)


def _look_at(
    reference: FittedReference, chosen: slice, columns: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return KS excess, Wasserstein distance and PSI of some sorted columns."""
    fitted = reference.sorted_[chosen]
    excess = lattice_excess(fitted, reference.rank_grid_[chosen], columns, "two-sided")
    distance = sorted_wasserstein(fitted, reference.runs(columns.shape[1])[chosen], columns)
    counts = sorted_bin_counts(columns, reference.edges_[chosen])
    return excess, distance, psi_of_counts(reference.bin_counts_[chosen], counts)
