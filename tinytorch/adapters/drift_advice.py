"""Floor 4: how bad it is and what to do about it, each sentence from the findings' own figures."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

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
    drifted = sorted((one for one in columns if one.drifted), key=lambda one: -one.effect_size)
    together = [one for one in joint if one.drifted]
    if not drifted and not together:
        return ("Nothing to do: keep watching.",)
    sentences = [_first_look(columns, drifted), *_about_sources(drifted), *_about_model(drifted)]
    if together and not drifted:
        sentences.append(_look_at_relations(together))
    if not has_labels:
        sentences.append("Label a sample of the current rows before you retrain: drift is not yet damage.")
    return tuple(sentence for sentence in sentences if sentence)


def _first_look(columns: Sequence[ColumnFinding], drifted: Sequence[ColumnFinding]) -> str:
    """Say where to begin."""
    if not drifted:
        return ""
    names = list_names([f"`{one.name}`" for one in drifted[:3]])
    share = len(drifted) / len(columns)
    if share >= MANY_COLUMNS and len(drifted) > 2:
        return (
            f"{len(drifted)} of {len(columns)} columns moved ({names} most): look for one cause, such as a changed "
            "source, unit or population, before you look at single columns."
        )
    return f"Look at {names} first: {len(drifted)} of {len(columns)} columns moved."


def _about_sources(drifted: Sequence[ColumnFinding]) -> list[str]:
    """Say what points at the source of the data rather than at the world."""
    sentences = []
    missing = [one for one in drifted if one.facts.missing_rates[1] - one.facts.missing_rates[0] >= SMALLEST_TOLD_RATE]
    if missing:
        worst = max(missing, key=lambda one: one.facts.missing_rates[1])
        sentences.append(
            f"Ask the source of {list_names([f'`{one.name}`' for one in missing])}: up to "
            f"{percent(worst.facts.missing_rates[1])} of the values are missing now."
        )
    unreadable = [f"`{one.name}`" for one in drifted if one.facts.n_unreadable]
    if unreadable:
        sentences.append(f"Look at the format of {list_names(unreadable)}: some values no longer read as they did.")
    return sentences


def _about_model(drifted: Sequence[ColumnFinding]) -> list[str]:
    """Say what the model has never met."""
    sentences = []
    unseen = [f"`{one.name}`" for one in drifted if one.facts.unseen]
    if unseen:
        sentences.append(f"Decide what the model does with the new categories of {list_names(unseen)}.")
    beyond = [
        f"`{one.name}`" for one in drifted if one.facts.share_below + one.facts.share_above >= SMALLEST_TOLD_SHARE
    ]
    if beyond:
        sentences.append(f"The model extrapolates in {list_names(beyond)}: some values lie beyond all it has seen.")
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
