"""Floor 4: how bad it is and what to do about it, each sentence from the findings' own figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from tinytorch.adapters.drift_facts import ColumnFacts
from tinytorch.adapters.drift_findings import ColumnFinding, JointFinding
from tinytorch.adapters.drift_pair import list_names
from tinytorch.adapters.drift_sentences import SMALLEST_TOLD_RATE, SMALLEST_TOLD_SHARE, percent
from tinytorch.mlops.contracts import LARGE_EFFECT, MEDIUM_EFFECT
from tinytorch.mlops.drift._common import equivalent_shift

# From half of the columns on, one cause behind all is likelier than one each.
MANY_COLUMNS = 0.5


def rate_severity(effects: Sequence[float]) -> str:
    """Return "none", "low", "medium" or "high" for the effects of what drifted, in Cohen's words.

    Examples
    --------
    >>> rate_severity([]), rate_severity([0.3]), rate_severity([0.3, 0.9])
    ('none', 'low', 'high')
    """
    if not effects:
        return "none"
    largest = max(effects)
    return "high" if largest >= LARGE_EFFECT else "medium" if largest >= MEDIUM_EFFECT else "low"


def detectable_shift(n_reference: int, n_current: int, alpha: float, n_tests: int) -> float:
    """Return the shift, in standard deviations, whose mean distance a column must show to be flagged at all.

    From Smirnov's limit: the distance that chance exceeds with probability alpha / n_tests is about
    sqrt(-log(alpha / (2 n_tests)) / 2 * (1/n + 1/m)). A shift of this size is found about every second time.

    Examples
    --------
    >>> round(detectable_shift(1000, 1000, 0.01, 10), 2), round(detectable_shift(50, 50, 0.01, 10), 2)
    (0.22, 1.02)
    """
    critical = math.sqrt(-math.log(alpha / (2 * n_tests)) / 2 * (1 / n_reference + 1 / n_current))
    return float(equivalent_shift(np.array([min(critical, 1.0)]), n_reference + n_current)[0])


def advise(columns: Sequence[ColumnFinding], joint: Sequence[JointFinding], has_labels: bool) -> tuple[str, ...]:
    """Return what to do next.

    Examples
    --------
    >>> advise([], [], False)
    ('Nothing to do: keep watching.',)
    """
    drifted = sorted(filter(_drifted, columns), key=lambda one: -one.effect_size)
    together = list(filter(_drifted, joint))
    if not drifted and not together:
        return ("Nothing to do: keep watching.",)
    last = [] if has_labels else ["Label a sample of the current rows before you retrain: drift is not yet damage."]
    if not drifted:
        return (_look_at_relations(together), *last)
    return (_first_look(columns, drifted), *_about_sources(drifted), *_about_model(drifted), *last)


def _drifted(one: ColumnFinding | JointFinding) -> bool:
    """Tell whether a finding is one of drift."""
    return one.drifted


def _names_where(drifted: Sequence[ColumnFinding], test: Callable[[ColumnFacts], object]) -> str:
    """Return the names of the columns whose facts pass a test."""
    return list_names([f"`{one.name}`" for one in drifted if test(one.facts)])


def _first_look(columns: Sequence[ColumnFinding], drifted: Sequence[ColumnFinding]) -> str:
    """Say where to begin."""
    names = list_names([f"`{one.name}`" for one in drifted[:3]])
    if len(drifted) > 2 and len(drifted) >= MANY_COLUMNS * len(columns):
        return (
            f"{len(drifted)} of {len(columns)} columns moved ({names} most): look for one cause, such as a changed "
            "source, unit or population, before you look at single columns."
        )
    return f"Look at {names} first: {len(drifted)} of {len(columns)} columns moved."


def _about_sources(drifted: Sequence[ColumnFinding]) -> list[str]:
    """Say what points at the source of the data rather than at the world."""
    sentences = []
    missing = _names_where(drifted, _lost_values)
    if missing:
        worst = max(one.facts.missing_rates[1] for one in drifted if _lost_values(one.facts))
        sentences.append(f"Ask the source of {missing}: up to {percent(worst)} of the values are missing now.")
    unreadable = _names_where(drifted, lambda facts: facts.n_unreadable)
    if unreadable:
        sentences.append(f"Look at the format of {unreadable}: some values no longer read as they did.")
    return sentences


def _lost_values(facts: ColumnFacts) -> bool:
    """Tell whether visibly more is missing than before."""
    return facts.missing_rates[1] - facts.missing_rates[0] >= SMALLEST_TOLD_RATE


def _left_range(facts: ColumnFacts) -> bool:
    """Tell whether visibly many values lie beyond the reference's."""
    return facts.share_below + facts.share_above >= SMALLEST_TOLD_SHARE


def _about_model(drifted: Sequence[ColumnFinding]) -> list[str]:
    """Say what the model has never met, and what its answers say."""
    sentences = []
    unseen = _names_where(drifted, lambda facts: facts.unseen)
    if unseen:
        sentences.append(f"Decide what the model does with the new categories of {unseen}.")
    beyond = _names_where([one for one in drifted if one.role == "feature"], _left_range)
    if beyond:
        sentences.append(f"The model extrapolates in {beyond}: some values lie beyond all it has seen.")
    roles = {one.role for one in drifted}
    if "label" in roles:
        sentences.append("The labels come in other shares or sizes than before: retrain, or correct the priors.")
    elif "prediction" in roles:
        sentences.append("The predictions moved: compare them with labels as soon as some are there.")
    return sentences


def _look_at_relations(together: Sequence[JointFinding]) -> str:
    """Say what a joint difference without a single one means."""
    names = [f"`{name}`" for one in together for name, _ in one.facts.betrayed_by]
    where = f" of {list_names(names)}" if names else ""
    return f"No single column moved, but all together did: look at how the values{where} go with each other."
