"""Summaries that merge: small records that stand for many rows, and drift measured between them. Imports numpy only."""

from tinytorch.stats.summaries.categories import CategoryCounts
from tinytorch.stats.summaries.compare import (
    chi2_from_counts,
    ks_from_quantiles,
    missing_rate_from_counts,
    psi_from_histograms,
    z_test_from_moments,
)
from tinytorch.stats.summaries.histogram import Histogram, fixed_edges, quantile_edges
from tinytorch.stats.summaries.missing import Missing
from tinytorch.stats.summaries.moments import Moments
from tinytorch.stats.summaries.quantiles import Quantiles
from tinytorch.stats.summaries.table import TableSummary

__all__ = [
    "CategoryCounts",
    "Histogram",
    "Missing",
    "Moments",
    "Quantiles",
    "TableSummary",
    "chi2_from_counts",
    "fixed_edges",
    "ks_from_quantiles",
    "missing_rate_from_counts",
    "psi_from_histograms",
    "quantile_edges",
    "z_test_from_moments",
]
