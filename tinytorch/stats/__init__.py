"""Statistics of drift and of model comparison, one short file per idea, one value per column. Imports numpy only.

Tests take `(reference, current)` and return a `TwoSampleResult`; distances return one number per column.
"""

from tinytorch.stats._results import TwoSampleResult
from tinytorch.stats.anderson_darling import anderson_2samp
from tinytorch.stats.autocorrelation import effective_sample_size, lag1_autocorrelation
from tinytorch.stats.block_permutation import (
    block_permutation_ks_test,
    block_permutation_mean_test,
    suggest_block_length,
)
from tinytorch.stats.bootstrap import bootstrap_interval, percentile_interval
from tinytorch.stats.categories import FittedCategories, chi2_test, g_test
from tinytorch.stats.column_report import ColumnReport, column_report
from tinytorch.stats.comparisons import PairedDifference, mcnemar_test, paired_bootstrap, two_proportion_test
from tinytorch.stats.corrections import (
    adjust_pvalues,
    benjamini_hochberg,
    benjamini_yekutieli,
    bonferroni,
    holm,
)
from tinytorch.stats.covariance import covariance_shift_test
from tinytorch.stats.cramer_von_mises import cramervonmises_2samp
from tinytorch.stats.divergences import (
    hellinger_distance,
    jensen_shannon_distance,
    kl_divergence,
    l_infinity_distance,
    total_variation_distance,
)
from tinytorch.stats.energy import energy_distance
from tinytorch.stats.energy_test import energy_test
from tinytorch.stats.fisher import fisher_exact, fisher_exact_counts
from tinytorch.stats.intervals import Interval, clopper_pearson_interval, wilson_interval
from tinytorch.stats.ks import ks_2samp
from tinytorch.stats.mann_whitney import mannwhitneyu
from tinytorch.stats.means import welch_t_test, z_test
from tinytorch.stats.missing import missing_rate_test
from tinytorch.stats.mmd import mmd_test
from tinytorch.stats.pca import PrincipalComponents, fit_principal_components, pca_reconstruction_test
from tinytorch.stats.permutation import permutation_test
from tinytorch.stats.psi import psi, psi_of_counts, psi_threshold
from tinytorch.stats.reference import FittedReference
from tinytorch.stats.sequential import (
    SequentialDesign,
    SequentialResult,
    SequentialTwoProportion,
    sequential_two_proportion,
)
from tinytorch.stats.spread import brown_forsythe_test
from tinytorch.stats.streams import (
    ADWIN,
    CUSUM,
    DDM,
    EDDM,
    EWMA,
    HDDM_A,
    HDDM_W,
    KSWIN,
    PageHinkley,
    Shewhart,
)
from tinytorch.stats.summaries import (
    CategoryCounts,
    Histogram,
    Missing,
    Moments,
    Quantiles,
    TableSummary,
    chi2_from_counts,
    fixed_edges,
    ks_from_quantiles,
    missing_rate_from_counts,
    psi_from_histograms,
    quantile_edges,
    z_test_from_moments,
)
from tinytorch.stats.trend import TrendResult, trend_test
from tinytorch.stats.wasserstein import wasserstein_distance

__all__ = [
    "ADWIN",
    "CUSUM",
    "CategoryCounts",
    "ColumnReport",
    "DDM",
    "EDDM",
    "EWMA",
    "FittedCategories",
    "FittedReference",
    "HDDM_A",
    "HDDM_W",
    "Histogram",
    "Interval",
    "KSWIN",
    "Missing",
    "Moments",
    "PageHinkley",
    "PairedDifference",
    "PrincipalComponents",
    "Quantiles",
    "SequentialDesign",
    "SequentialResult",
    "SequentialTwoProportion",
    "Shewhart",
    "TableSummary",
    "TrendResult",
    "TwoSampleResult",
    "adjust_pvalues",
    "anderson_2samp",
    "benjamini_hochberg",
    "benjamini_yekutieli",
    "block_permutation_ks_test",
    "block_permutation_mean_test",
    "bonferroni",
    "bootstrap_interval",
    "brown_forsythe_test",
    "chi2_from_counts",
    "chi2_test",
    "clopper_pearson_interval",
    "column_report",
    "covariance_shift_test",
    "cramervonmises_2samp",
    "effective_sample_size",
    "energy_distance",
    "energy_test",
    "fisher_exact",
    "fisher_exact_counts",
    "fit_principal_components",
    "fixed_edges",
    "g_test",
    "hellinger_distance",
    "holm",
    "jensen_shannon_distance",
    "kl_divergence",
    "ks_2samp",
    "ks_from_quantiles",
    "l_infinity_distance",
    "lag1_autocorrelation",
    "mannwhitneyu",
    "mcnemar_test",
    "missing_rate_from_counts",
    "missing_rate_test",
    "mmd_test",
    "paired_bootstrap",
    "pca_reconstruction_test",
    "percentile_interval",
    "permutation_test",
    "psi",
    "psi_from_histograms",
    "psi_of_counts",
    "psi_threshold",
    "quantile_edges",
    "sequential_two_proportion",
    "suggest_block_length",
    "total_variation_distance",
    "trend_test",
    "two_proportion_test",
    "wasserstein_distance",
    "welch_t_test",
    "wilson_interval",
    "z_test",
    "z_test_from_moments",
]
