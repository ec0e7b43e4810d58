"""Floor 4: the verdict on each column and on all together, as records that a program, a table or a page can show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinytorch.adapters.drift_facts import ColumnFacts
from tinytorch.adapters.drift_joint import JointFacts
from tinytorch.adapters.drift_sentences import describe_column, describe_joint
from tinytorch.adapters.drift_settings import DriftSettings
from tinytorch.mlops._record import Record
from tinytorch.mlops.drift._common import QUESTIONS_WITH_MISSING, equivalent_shift
from tinytorch.stats import adjust_pvalues

# One row in twenty that newly has no value, or a category the model has never met, matters at any effect size.
LARGEST_IGNORED_SHARE = 0.05


@dataclass(frozen=True)
class ColumnFinding(Record):
    """One column judged.

    Attributes
    ----------
    facts : ColumnFacts
    role : str
        "feature", "prediction" or "label".
    pvalue, adjusted_pvalue : float
        Of the column, its missing rate included; adjusted for all tests of the report.
    effect_size : float
        Standard deviations by which a normal column would have to move to be as far away.
    drifted : bool
        Chance does not explain it, and it is large enough to matter: by its effect size, or because one value in
        twenty is newly missing or of a category never seen before.
    sentence : str

    Examples
    --------
    >>> facts = ColumnFacts("age", "number", "Kolmogorov-Smirnov", 100, 100, 0, 0, 1.0)
    >>> judge_columns([facts], [1.0], [1.0], DriftSettings())[0].drifted
    False
    """

    facts: ColumnFacts
    role: str
    pvalue: float
    adjusted_pvalue: float
    effect_size: float
    drifted: bool
    sentence: str

    @property
    def name(self) -> str:
        """The column's name."""
        return self.facts.name


@dataclass(frozen=True)
class JointFinding(Record):
    """All columns together, judged by one test.

    Examples
    --------
    >>> judge_jointly([JointFacts("MMD", 0.0, 0.4, 0.1)], 1, DriftSettings())[0].drifted
    False
    """

    facts: JointFacts
    adjusted_pvalue: float
    drifted: bool
    sentence: str


def column_pvalue(facts: ColumnFacts) -> float:
    """Return the p-value of a column: that of its values, or twice the smaller one where values are missing.

    Examples
    --------
    >>> column_pvalue(ColumnFacts("age", "number", "KS", 100, 100, 0, 50, 0.001, pvalue=0.5))
    0.002
    """
    if not facts.asks_missing:
        return facts.pvalue
    return min(1.0, QUESTIONS_WITH_MISSING * min(facts.pvalue, facts.missing_pvalue))


def correct_columns(pvalues: Sequence[float], n_families: int) -> np.ndarray:
    """Return p-values adjusted for the number of columns (Holm) and of other families of tests in the report.

    Examples
    --------
    >>> correct_columns([0.001, 0.5], 2)
    array([0.004, 1.   ])
    """
    corrected: np.ndarray = np.minimum(1.0, n_families * adjust_pvalues(np.asarray(pvalues), "holm"))
    return corrected


def column_effect(facts: ColumnFacts) -> float:
    """Return how far a column moved, values or missing rate, in standard deviations of a normal column.

    Examples
    --------
    >>> facts = ColumnFacts("age", "number", "KS", 400, 400, 0, 0, 1.0, distance=0.383)
    >>> round(column_effect(facts), 2)
    1.0
    """
    rates = facts.missing_rates
    distance = max(facts.distance, abs(rates[1] - rates[0]))
    return float(equivalent_shift(np.array([distance]), facts.n_reference + facts.n_current)[0])


def judge_columns(
    facts: Sequence[ColumnFacts], pvalues: Sequence[float], adjusted: Sequence[float], settings: DriftSettings
) -> tuple[ColumnFinding, ...]:
    """Return a finding for each column.

    Examples
    --------
    >>> facts = ColumnFacts("age", "number", "KS", 400, 400, 0, 0, 1.0, pvalue=1e-9, distance=0.5, means=(0, 1),
    ...                     spreads=(1, 1))
    >>> judge_columns([facts], [1e-9], [1e-9], DriftSettings())[0].sentence
    '`age` moved up by 1.00 standard deviations'
    """
    findings = []
    for one, pvalue, corrected in zip(facts, pvalues, adjusted, strict=True):
        effect = column_effect(one)
        is_real = bool(corrected <= settings.alpha)
        drifted = is_real and (effect >= settings.minimum_effect or _needs_a_look(one))
        sentence = describe_column(one, effect, is_real, drifted)
        role = settings.role(one.name)
        findings.append(ColumnFinding(one, role, float(pvalue), float(corrected), effect, drifted, sentence))
    return tuple(findings)


def _needs_a_look(facts: ColumnFacts) -> bool:
    """Tell whether so many values went missing or came new that it matters however little the column moved."""
    before, after = facts.missing_rates
    return abs(after - before) >= LARGEST_IGNORED_SHARE or facts.unseen_share >= LARGEST_IGNORED_SHARE


def judge_jointly(facts: Sequence[JointFacts], n_families: int, settings: DriftSettings) -> tuple[JointFinding, ...]:
    """Return a finding for each test of all columns together.

    Examples
    --------
    >>> judge_jointly([JointFacts("classifier", 0.9, 1e-9, 1.8, (("age", 0.2),))], 2, DriftSettings())[0].sentence
    'a network tells the two tables apart (area under the curve 0.90), most of all by `age`'
    """
    adjusted = correct_columns([one.pvalue for one in facts], n_families).tolist() if facts else []
    findings = []
    for one, corrected in zip(facts, adjusted, strict=True):
        drifted = bool(corrected <= settings.alpha) and one.effect_size >= settings.minimum_effect
        findings.append(JointFinding(one, float(corrected), drifted, describe_joint(one, drifted)))
    return tuple(findings)
