"""What the docstrings say about rates that are not the level, word for word."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from calibration.laws import TIED, Setting

from tinytorch import stats

LEVEL = 0.05
ANY = 1.0
"""Words that give no figure for how far above the level a rate may lie."""


@dataclass(frozen=True)
class Remark:
    """Words of a docstring, and the range of true rates that they allow at 0.05."""

    test: str
    words: str
    where: Callable[[Setting], bool]
    low: float = LEVEL
    high: float = LEVEL
    source: str = ""
    """Whose docstring has the words, where it is not the test's own."""

    @property
    def is_said(self) -> bool:
        return said_in_docstring(self.source or self.test, self.words)

    def range_at(self, level: float) -> tuple[float, float]:
        """At another level the words tell the side only."""
        if level == LEVEL:
            return self.low, self.high
        return 0.0 if self.low < LEVEL else level, 1.0 if self.high > LEVEL else level


def everywhere(setting: Setting) -> bool:
    return True


def tied(setting: Setting) -> bool:
    return setting.law in TIED


def continuous(setting: Setting) -> bool:
    return setting.law not in TIED


def of_size(n: int, m: int, *laws: str) -> Callable[[Setting], bool]:
    return lambda setting: (setting.n, setting.m) == (n, m) and (not laws or setting.law in laws)


def continuous_of_size(n: int, m: int) -> Callable[[Setting], bool]:
    return lambda setting: (setting.n, setting.m) == (n, m) and continuous(setting)


def fewer_than(rows: int) -> Callable[[Setting], bool]:
    return lambda setting: min(setting.n, setting.m) < rows


def series(law: str, n: int) -> Callable[[Setting], bool]:
    return lambda setting: setting.law == law and setting.n == n


KS_TIES = (
    "a p-value of a discrete column is, here as there, too large rather than too small "
    "(on two values the test fires 1% of the time at a nominal 5%)"
)
KS_STEPS = (
    "D moves in steps, so that with few rows of equal number the test fires less often than its level: at 0.05 in "
    "0.012 of cases with 10 rows each, in 0.036 with 100"
)
SKETCHED_TIES = "On discrete columns the p-value is too large rather than too small, as that of `ks_2samp`."
CVM_TIES = (
    "on few values or few rows it rejects less often than its level: at 0.05 on two values in 0.012 of cases with 10 "
    "rows each and in 0.035 with 50 against 20, on Poisson counts of mean 1 in 0.035 with 10 rows each; on rare values "
    "less still."
)
MWU_STEPS = "With few rows it rejects slightly less often than its level: about 0.04 at 0.05 with 10 rows each."
WELCH_LAW = (
    "The law is that of normal values; with few rows it is rough on others: 0.037 at 0.05 with 10 rows each on two "
    "values, 0.04 on Student's t with three degrees of freedom, and 0.016 at 0.01 with 50 against 20 on two values."
)
Z_FEW = "Below about 100 rows a sample it rejects too often (with 10 against 10 rows at 0.05: about 0.066"
Z_TWO_VALUES = "about 0.066, on two values 0.08)"
SPREAD_FEW = "it rejects less often than its level: 0.036 of equal spreads at 0.05 with 10 rows each"
SPREAD_TWO_VALUES = "On two values and few rows it rejects too often: 0.10 with 10 rows each."
SHUFFLED_TIES = "On few distinct values many shuffles tie with the data, and it rejects less often than its level."
PSI_FEW = (
    "With fewer than about ten rows a bin the index does not reach the threshold that often: smoothing holds it down "
    "(over 10 bins at 0.05 no column of 10 against 10 rows exceeds it, and 0.0002 of those of 50 against 20)."
)
PSI_TWO_VALUES = "On two values and 10 rows each it is exceeded too often, 0.06 at 0.05 and 0.04 at 0.01."
ROUGH = "Where a category is expected fewer than about five times, the p-value is rough"
CHI2_FEW = (
    "Where a category is expected fewer than about five times, it rejects less often than its level: 0.033 at 0.05."
)
G_FEW = (
    "On few rows it rejects too often, where `chi2_test` does not: at 0.05 in 0.10 of cases with 10 rows each in five "
    "categories, in 0.07 with 50 against 20."
)
EXACT_SHARES = "It never exceeds its level; on discrete counts it stays below it."
EXACT_COUNTS = "It never exceeds its level, and on few rows stays well below it."
PROPORTION_FEW = "trust it from about five successes and five failures expected on each side"
MCNEMAR_EXACT = '"exact" never exceeds its level, and so stays well below it on few rows'
ANY_LOOK = "validly after any number of earlier looks"
ANY_TIME = "may stop at any time"
TREND_TIES = "On few tied values that law is rough and rejects less often than its level."
COVARIANCE_FEW = "the size is approximate: close to nominal once each sample has some ten rows a column"
COVARIANCE_TAILS = "0.07 on 50 rows of Student's t with three degrees of freedom"
BLOCKS_500 = "with 500 rows in each sample 0.06 at a correlation of 0.8, 0.08 at 0.9"
BLOCKS_100 = "with 100 rows 0.07 at 0.5, 0.12 at 0.8"
YEKUTIELI = "whatever the dependence between the tests"
REPORT_STEPS = "Benjamini-Hochberg"
WILSON = "covers about `confidence` on average"
CLOPPER = "covers at least `confidence`, always, so it is wider"
BCA_FEW = "On few rows it covers somewhat less: the mean of 30 normal values in 0.935 of cases at 0.95."
FEW_COVER = "on 30 rows or fewer it covers a few points less"

REMARKS = (
    Remark("ks_2samp", KS_TIES, tied, low=0.0),
    Remark("cramervonmises_2samp", CVM_TIES, of_size(10, 10, "two-valued"), low=0.012),
    Remark("cramervonmises_2samp", CVM_TIES, tied, low=0.035),
    Remark("z_test", Z_FEW, of_size(10, 10, "normal", "few-valued", "heavy-tailed"), high=0.066),
    Remark("z_test", Z_FEW, of_size(50, 20), high=0.066),
    Remark("z_test_from_moments", "as `z_test` does on the rows", of_size(10, 10, "two-valued"), high=0.08),
    Remark("z_test_from_moments", "as `z_test` does on the rows", fewer_than(100), high=0.066),
    Remark("brown_forsythe_test", SPREAD_FEW, of_size(10, 10, "normal", "few-valued", "heavy-tailed"), low=0.036),
    Remark("brown_forsythe_test", SPREAD_FEW, of_size(50, 20), low=0.036),
    Remark("chi2_from_counts", ROUGH, everywhere, low=0.0, high=ANY),
    Remark("fisher_exact", EXACT_SHARES, everywhere, low=0.0),
    Remark("missing_rate_from_counts", "as `missing_rate_test` does on the rows", everywhere, low=0.0),
    Remark("two_proportion_test", PROPORTION_FEW, of_size(10, 10), low=0.0, high=ANY),
    Remark("two_proportion_test", PROPORTION_FEW, of_size(50, 20, "rare"), low=0.0, high=ANY),
    Remark("mcnemar_test", MCNEMAR_EXACT, everywhere, low=0.0),
    Remark("sequential_two_proportion", ANY_LOOK, everywhere, low=0.0),
    Remark("SequentialTwoProportion", ANY_TIME, everywhere, low=0.0),
    Remark("covariance_shift_test", COVARIANCE_FEW, fewer_than(50), high=ANY),
    Remark("covariance_shift_test", COVARIANCE_TAILS, of_size(200, 200, "heavy-tailed"), high=0.07),
    *(
        remark
        for test in ("block_permutation_mean_test", "block_permutation_ks_test")
        for remark in (
            Remark(test, BLOCKS_100, series("AR(1) 0.5", 100), high=0.07),
            Remark(test, BLOCKS_100, series("AR(1) 0.8", 100), high=0.12),
            Remark(test, BLOCKS_500, series("AR(1) 0.8", 500), high=0.06),
            Remark(test, BLOCKS_500, series("AR(1) 0.9", 500), high=0.08),
        )
    ),
    Remark("benjamini_yekutieli", YEKUTIELI, everywhere, low=0.0),
    Remark("wilson_interval", WILSON, everywhere, low=0.0, high=ANY),
    Remark("clopper_pearson_interval", CLOPPER, everywhere, low=0.0),
    Remark("bootstrap_interval", BCA_FEW, of_size(30, 0), high=0.065),
    Remark("paired_bootstrap", FEW_COVER, of_size(30, 30), high=0.08),
    Remark("ks_2samp", KS_STEPS, continuous_of_size(10, 10), low=0.0123, high=0.0123),
    Remark("ks_2samp", KS_STEPS, continuous_of_size(100, 100), low=0.0364, high=0.0364),
    Remark("ks_from_quantiles", SKETCHED_TIES, tied, low=0.0),
    Remark("mannwhitneyu", MWU_STEPS, of_size(10, 10), low=0.04),
    Remark("welch_t_test", WELCH_LAW, of_size(10, 10, "two-valued"), low=0.037),
    Remark("welch_t_test", WELCH_LAW, of_size(10, 10, "heavy-tailed"), low=0.04),
    Remark("welch_t_test", WELCH_LAW, of_size(50, 20, "heavy-tailed"), low=0.04),
    Remark("welch_t_test", WELCH_LAW, of_size(50, 20, "two-valued"), high=0.06),
    Remark("z_test", Z_TWO_VALUES, of_size(10, 10, "two-valued"), high=0.08),
    Remark("brown_forsythe_test", SPREAD_TWO_VALUES, of_size(10, 10, "two-valued"), high=0.10),
    Remark("permutation_test", SHUFFLED_TIES, tied, low=0.0),
    Remark("psi", PSI_TWO_VALUES, of_size(10, 10, "two-valued"), high=0.06, source="psi_threshold"),
    Remark("psi", PSI_FEW, fewer_than(100), low=0.0, source="psi_threshold"),
    Remark("chi2_test", CHI2_FEW, everywhere, low=0.033),
    Remark("g_test", G_FEW, of_size(10, 10), high=0.105),
    Remark("g_test", G_FEW, everywhere, high=0.07),
    Remark("fisher_exact_counts", EXACT_COUNTS, everywhere, low=0.0),
    Remark("missing_rate_test", EXACT_COUNTS, everywhere, low=0.0),
    Remark("trend_test", TREND_TIES, tied, low=0.0),
)
NOT_YET_SAID: frozenset[str] = frozenset()
"""Words that docstrings still lack: lines that need them are marked NOT SAID."""


def remark_on(test: str, setting: Setting) -> Remark | None:
    """The first remark that speaks of this line."""
    return next((remark for remark in REMARKS if remark.test == test and remark.where(setting)), None)


def said_in_docstring(name: str, words: str) -> bool:
    """Whether the words stand in the docstring of the public name, line breaks aside."""
    docstring = " ".join((inspect.getdoc(getattr(stats, name)) or "").split())
    return " ".join(words.split()) in docstring
