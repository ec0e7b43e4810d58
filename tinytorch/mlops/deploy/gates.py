"""Floor 2, deploy: gates, which say of two versions on trial: the new one fails, passes, or nobody can say yet.

A gate may be asked after every batch. The threshold gate is simple and blind to the sample's size; the sequential gate
keeps its promise however often it is asked. May import contracts and `stats`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from tinytorch._arguments import check_choice, check_in_range, check_integer
from tinytorch.mlops._record import Record
from tinytorch.mlops.deploy.evidence import VersionEvidence
from tinytorch.stats import SequentialDesign, sequential_two_proportion

OUTCOMES = ("pass", "fail", "inconclusive")
# How often, over all looks together, each comparison may blame a version that is as good. So chosen that all of them
# together blame at most 2% and a rise of one point is still caught in 95% (docs/rollout_gates.md).
DEFAULT_ALPHA = 0.015
# Tuned to a difference of one point in errors, chosen on seeds other than those of docs/rollout_gates.md: smaller ones
# catch no more, larger ones catch a point less often.
DEFAULT_MIXTURE_VARIANCE = 1e-4
# A comparison tuned to one point takes a hundred requests to believe in a crash. A second one, tuned to twenty points,
# believes in three to eight; it gets a small part of alpha, for it needs no more.
CATASTROPHE_VARIANCE = 0.04
CATASTROPHE_SHARE = 0.2
# With fewer bad answers the tests' normal law is too rough: looked at after each answer, with one error in 250 and an
# alpha of 2%, equal versions were blamed in 2.5% of runs, and with this minimum in 1.8%.
MINIMUM_BAD_ANSWERS = 3
# A challenger whose error rate is higher by less than this may pass: half of the rise that the gate is to catch.
DEFAULT_TOLERATED_RISE = 0.005
# A version three times as slow as the one in charge is noticed by users, whatever the machine does at the moment.
DEFAULT_SLOW_FACTOR = 3.0
# Nor does a smaller difference count: beside a network nobody notices it, and Python's threads wait so long for each
# other (`sys.getswitchinterval`).
DEFAULT_SLOW_BY_MS = 5.0
# Below it the 95th percentile rests on less than five answers.
MINIMUM_SLOW_ANSWERS = 100
# Half of so many answers beyond the factor is no accident: of an equal version less than one in twenty is.
MINIMUM_TYPICAL_ANSWERS = 20
# Two good versions disagree on few rows; a class that is answered this much more or less often is a broken version.
DEFAULT_CLASS_SHIFT = 0.25
# The setting of the comparison in docs/rollout_gates.md: twice the usual error, seen in five looks.
DEFAULT_MAXIMUM_ERROR_RATE = 0.04
DEFAULT_FAILURE_LIMIT = 5


@dataclass(frozen=True)
class GateVerdict(Record):
    """What a gate makes of the evidence, and why.

    Examples
    --------
    >>> print(GateVerdict("pass", "no sign that the challenger is worse"))
    pass: no sign that the challenger is worse
    """

    outcome: Literal["pass", "fail", "inconclusive"]
    reason: str

    def __post_init__(self) -> None:
        check_choice(self.outcome, "outcome", OUTCOMES)

    def __str__(self) -> str:
        return f"{self.outcome}: {self.reason}"


class Gate(Protocol):
    """Judges a challenger against the champion, as often as it is asked.

    Examples
    --------
    >>> callable(SequentialGate().judge)
    True
    """

    def judge(self, champion: VersionEvidence, challenger: VersionEvidence) -> GateVerdict:
        """Return "pass", "fail" or "inconclusive" from all evidence so far."""
        ...


@dataclass(frozen=True)
class SequentialGate:
    """Blames a challenger only if chance does not explain it, however often one looks.

    Three comparisons, each by sequential tests whose chance of ever blaming an equal version is `alpha` over all looks:
    failed requests, wrong answers (where labels exist), and how often each class is answered (a shift of less than
    `class_shift` is no blame: a better version answers differently too). Latency is compared by a factor, not by a
    test: the 95th percentiles, from 100 answers of each version, and already from 20 the median of the challenger's
    newest answers with the champion's 95th percentile. A challenger whose error rate is higher by more than
    `tolerated_rise`, which chance may explain, is inconclusive.

    Parameters
    ----------
    alpha : float
        In (0, 1).
    mixture_variance : float
        Square of the difference in error rates that the test is tuned to; catastrophes have a test of their own.
    tolerated_rise : float
        In [0, 1], in error rate.
    slow_factor : float
        At least 1: how many times the champion's latency is too slow...
    slow_by_ms : float
        ... if that is as many milliseconds more, too.
    class_shift : float
        In [0, 1].

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    References
    ----------
    R. Johari, P. Koomen, L. Pekelis and D. Walsh, Always Valid Inference, Operations Research 70 (2022).

    Examples
    --------
    >>> champion = VersionEvidence(900, 0, 900, n_errors=18, typical_ms=1.0, slow_ms=2.0, class_counts=(450, 450))
    >>> challenger = VersionEvidence(100, 0, 100, n_errors=20, typical_ms=1.0, slow_ms=2.0, class_counts=(50, 50))
    >>> print(SequentialGate().judge(champion, challenger))
    fail: wrong answers: champion 18 in 900, challenger 20 in 100 (p = 2.8e-16)
    """

    alpha: float = DEFAULT_ALPHA
    mixture_variance: float = DEFAULT_MIXTURE_VARIANCE
    tolerated_rise: float = DEFAULT_TOLERATED_RISE
    slow_factor: float = DEFAULT_SLOW_FACTOR
    slow_by_ms: float = DEFAULT_SLOW_BY_MS
    class_shift: float = DEFAULT_CLASS_SHIFT

    def __post_init__(self) -> None:
        SequentialDesign(self.alpha, self.mixture_variance)
        check_in_range(self.tolerated_rise, "tolerated_rise", 0.0, 1.0)
        check_in_range(self.slow_factor, "slow_factor", 1.0, np.inf)
        check_in_range(self.slow_by_ms, "slow_by_ms", 0.0, np.inf)
        check_in_range(self.class_shift, "class_shift", 0.0, 1.0)

    def judge(self, champion: VersionEvidence, challenger: VersionEvidence) -> GateVerdict:
        """Return "fail" with the first comparison that blames the challenger, "pass", or "inconclusive"."""
        for compare in (self._failures, self._slowness, self._classes):
            reason = compare(champion, challenger)
            if reason:
                return GateVerdict("fail", reason)
        if not champion.n_answered or not challenger.n_answered:
            return GateVerdict("inconclusive", "one of the versions has answered nothing")
        return self._answers(champion, challenger)

    def _failures(self, champion: VersionEvidence, challenger: VersionEvidence) -> str:
        """Say that the challenger fails to answer more often, or nothing."""
        counts = (champion.n_failed, champion.n_requests, challenger.n_failed, challenger.n_requests)
        pvalue = self._pvalue(counts)
        return "" if pvalue > self.alpha else _both_counts("failed requests", counts, pvalue)

    def _slowness(self, champion: VersionEvidence, challenger: VersionEvidence) -> str:
        """Say that the challenger is too slow, or nothing."""
        answered = min(champion.n_answered, challenger.n_answered)
        limit_ms = max(self.slow_factor * champion.slow_ms, champion.slow_ms + self.slow_by_ms)
        told = f"slow: 95% of the champion's answers within {champion.slow_ms:.3g} ms, "
        if answered >= MINIMUM_SLOW_ANSWERS and challenger.slow_ms > limit_ms:
            return f"{told}of the challenger's within {challenger.slow_ms:.3g} ms"
        if answered >= MINIMUM_TYPICAL_ANSWERS and challenger.typical_ms > limit_ms:
            return f"{told}half of the challenger's newest take {challenger.typical_ms:.3g} ms or more"
        return ""

    def _classes(self, champion: VersionEvidence, challenger: VersionEvidence) -> str:
        """Say which class is answered far more or less often than the champion does, or nothing."""
        width = max(len(champion.class_counts), len(challenger.class_counts))
        counts = np.zeros((2, width))
        for row, version in zip(counts, (champion, challenger), strict=True):
            row[: len(version.class_counts)] = version.class_counts
        answered = counts.sum(axis=1)
        if not answered.all():
            return ""
        design = SequentialDesign(self.alpha / width, CATASTROPHE_VARIANCE)
        look = sequential_two_proportion(counts[0], answered[0], counts[1], answered[1], design)
        beyond = np.maximum(look.low, -look.high) >= self.class_shift
        if not beyond.any():
            return ""
        worst = int(np.argmax(np.abs(look.difference) * beyond))
        shares = counts[:, worst] / answered
        return f"class {worst}: the champion answers it {shares[0]:.0%} of the time, the challenger {shares[1]:.0%}"

    def _answers(self, champion: VersionEvidence, challenger: VersionEvidence) -> GateVerdict:
        """Compare wrong answers, where both versions have labels."""
        if not champion.n_labelled or not challenger.n_labelled:
            return GateVerdict("pass", "no labels yet, and nothing else against the challenger")
        counts = (champion.n_errors, champion.n_labelled, challenger.n_errors, challenger.n_labelled)
        pvalue = self._pvalue(counts)
        told = _both_counts("wrong answers", counts, pvalue)
        if pvalue <= self.alpha:
            return GateVerdict("fail", told)
        risen = challenger.error_rate - champion.error_rate > self.tolerated_rise
        return GateVerdict("inconclusive" if risen else "pass", told)

    def _pvalue(self, counts: tuple[int, int, int, int]) -> float:
        """Return the always-valid p-value of the challenger's share of bad answers being no higher."""
        if not counts[1] or not counts[3] or counts[2] < MINIMUM_BAD_ANSWERS:
            return 1.0
        designs = ((self.mixture_variance, 1 - CATASTROPHE_SHARE), (CATASTROPHE_VARIANCE, CATASTROPHE_SHARE))
        looks = [
            (sequential_two_proportion(*counts, design=SequentialDesign(self.alpha, variance, "greater")), share)
            for variance, share in designs
        ]
        return min(1.0, *(float(look.pvalue[0]) / share for look, share in looks))


class ThresholdFailureGate:
    """Blames a challenger when fixed limits were passed in several looks, whatever the sample's size.

    A look counts against the challenger when its error rate since the last look is above `maximum_error_rate`; after
    `failure_limit` such looks it fails, for good. Simple, and taught first; docs/rollout_gates.md shows what it costs.

    Parameters
    ----------
    maximum_error_rate : float
        In [0, 1].
    failure_limit : int

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    Examples
    --------
    >>> gate, champion = ThresholdFailureGate(failure_limit=2), VersionEvidence(90, 0, 90, 0, 1.0, 1.0, (90,))
    >>> [gate.judge(champion, VersionEvidence(n, 0, n, n // 2, 1.0, 1.0, (n,))).outcome for n in (10, 20, 30)]
    ['inconclusive', 'fail', 'fail']
    """

    def __init__(
        self, maximum_error_rate: float = DEFAULT_MAXIMUM_ERROR_RATE, failure_limit: int = DEFAULT_FAILURE_LIMIT
    ) -> None:
        self.maximum_error_rate = check_in_range(maximum_error_rate, "maximum_error_rate", 0.0, 1.0)
        self.failure_limit = check_integer(failure_limit, "failure_limit", minimum=1)
        self._failures = 0
        self._seen = (0, 0)

    def judge(self, champion: VersionEvidence, challenger: VersionEvidence) -> GateVerdict:
        """Look at the challenger's answers since the last look; the champion's do not matter to this gate."""
        bad = challenger.n_errors + challenger.n_failed - self._seen[0]
        rows = challenger.n_labelled + challenger.n_failed - self._seen[1]
        self._seen = (challenger.n_errors + challenger.n_failed, challenger.n_labelled + challenger.n_failed)
        passed_limit = rows > 0 and bad / rows > self.maximum_error_rate
        self._failures += passed_limit
        told = f"{bad} errors in {rows} since the last look, {self._failures} bad looks of {self.failure_limit} allowed"
        if self._failures >= self.failure_limit:
            return GateVerdict("fail", told)
        return GateVerdict("inconclusive" if passed_limit or not rows else "pass", told)


def _both_counts(what: str, counts: tuple[int, int, int, int], pvalue: float) -> str:
    """Say how often both versions were bad."""
    return "{}: champion {} in {}, challenger {} in {} (p = {:.2g})".format(what, *counts, pvalue)
