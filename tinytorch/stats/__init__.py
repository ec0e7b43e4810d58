"""Statistics of drift and of model comparison, one short file per idea, one value per column. Imports numpy only.

Tests take `(reference, current)` and return a `TwoSampleResult`; distances return one number per column.
"""

from tinytorch.stats._results import TwoSampleResult
from tinytorch.stats.comparisons import PairedDifference, mcnemar_test, paired_bootstrap, two_proportion_test
from tinytorch.stats.corrections import (
    adjust_pvalues,
    benjamini_hochberg,
    benjamini_yekutieli,
    bonferroni,
    holm,
)
from tinytorch.stats.intervals import Interval, clopper_pearson_interval, wilson_interval
from tinytorch.stats.permutation import permutation_test
from tinytorch.stats.trend import TrendResult, trend_test

__all__ = [
    "Interval",
    "PairedDifference",
    "TrendResult",
    "TwoSampleResult",
    "adjust_pvalues",
    "benjamini_hochberg",
    "benjamini_yekutieli",
    "bonferroni",
    "clopper_pearson_interval",
    "holm",
    "mcnemar_test",
    "paired_bootstrap",
    "permutation_test",
    "trend_test",
    "two_proportion_test",
    "wilson_interval",
]
