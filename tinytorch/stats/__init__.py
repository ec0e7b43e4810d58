"""Statistics of drift and of model comparison, one short file per idea, one value per column. Imports numpy only.

Tests take `(reference, current)` and return a `TwoSampleResult`; distances return one number per column.
"""

from tinytorch.stats._results import TwoSampleResult
from tinytorch.stats.autocorrelation import effective_sample_size, lag1_autocorrelation
from tinytorch.stats.block_permutation import (
    block_permutation_ks_test,
    block_permutation_mean_test,
    suggest_block_length,
)
from tinytorch.stats.categories import FittedCategories, chi2_test, g_test
from tinytorch.stats.comparisons import PairedDifference, mcnemar_test, paired_bootstrap, two_proportion_test
from tinytorch.stats.corrections import (
    adjust_pvalues,
    benjamini_hochberg,
    benjamini_yekutieli,
    bonferroni,
    holm,
)
from tinytorch.stats.covariance import covariance_shift_test
from tinytorch.stats.energy_test import energy_test
from tinytorch.stats.intervals import Interval, clopper_pearson_interval, wilson_interval
from tinytorch.stats.ks import ks_2samp
from tinytorch.stats.mmd import mmd_test
from tinytorch.stats.pca import PrincipalComponents, fit_principal_components, pca_reconstruction_test
from tinytorch.stats.permutation import permutation_test
from tinytorch.stats.psi import psi, psi_of_counts, psi_threshold
from tinytorch.stats.reference import FittedReference
from tinytorch.stats.trend import TrendResult, trend_test
from tinytorch.stats.wasserstein import wasserstein_distance

__all__ = [
    "FittedCategories",
    "FittedReference",
    "Interval",
    "PairedDifference",
    "PrincipalComponents",
    "TrendResult",
    "TwoSampleResult",
    "adjust_pvalues",
    "benjamini_hochberg",
    "benjamini_yekutieli",
    "block_permutation_ks_test",
    "block_permutation_mean_test",
    "bonferroni",
    "chi2_test",
    "clopper_pearson_interval",
    "covariance_shift_test",
    "effective_sample_size",
    "energy_test",
    "fit_principal_components",
    "g_test",
    "holm",
    "ks_2samp",
    "lag1_autocorrelation",
    "mcnemar_test",
    "mmd_test",
    "paired_bootstrap",
    "pca_reconstruction_test",
    "permutation_test",
    "psi",
    "psi_of_counts",
    "psi_threshold",
    "suggest_block_length",
    "trend_test",
    "two_proportion_test",
    "wasserstein_distance",
    "wilson_interval",
]
