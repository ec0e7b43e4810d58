"""Floor 4: what was found in one column, as a plain sentence made of its figures. Standard library only."""

from __future__ import annotations

from tinytorch.adapters.drift_facts import ColumnFacts
from tinytorch.adapters.drift_joint import JointFacts

# Smaller differences of the means are not the story of a column whose distribution moved.
SMALLEST_TOLD_SHIFT = 0.1
# A spread this much wider or narrower is.
TOLD_SPREAD_RATIO = 1.25
# The verdict may rest on missing values alone; values that chance explains this easily are then not told of.
LARGEST_TOLD_PVALUE = 0.05
# Shares of rows that are worth a half-sentence.
SMALLEST_TOLD_SHARE = 0.005
SMALLEST_TOLD_RATE = 0.01
# Of n values of one law, one in n + 1 lies above the largest of n others: five times as many are worth telling.
EXPECTED_BEYOND = 5.0
NAMES_TOLD = 3
SECONDS_PER_DAY = 86_400.0
_UNITS = (("days", SECONDS_PER_DAY), ("hours", 3600.0), ("minutes", 60.0), ("seconds", 1.0))


def describe_column(facts: ColumnFacts, effect: float, is_real: bool, drifted: bool) -> str:
    """Return the sentence of a column.

    Parameters
    ----------
    facts : ColumnFacts
    effect : float
        In standard deviations.
    is_real, drifted : bool
        Whether chance does not explain it, and whether it is large enough besides.

    Examples
    --------
    >>> facts = ColumnFacts("age", "number", "KS", 900, 900, 0, 0, 1.0, means=(0.0, 0.31), spreads=(1.0, 1.0),
    ...                     share_above=0.031, pvalue=1e-9)
    >>> describe_column(facts, 0.3, True, True)
    '`age` moved up by 0.31 standard deviations; 3.1% of values lie above anything seen before'
    >>> describe_column(facts, 0.3, False, False)
    '`age` did not move more than chance explains'
    """
    if not is_real:
        return f"`{facts.name}` did not move more than chance explains"
    how_much = f"as much as a shift of {effect:.2f} standard deviations"
    tail = (_unseen(facts), _missing(facts), _tell_unreadable(facts))
    if not drifted:
        return _joined_parts(facts.name, f"differs, but only by {how_much}", *tail)
    return (
        _joined_parts(facts.name, _values(facts), _beyond(facts), *tail) or f"`{facts.name}` changed {how_much} would"
    )


def _joined_parts(name: str, *parts: str) -> str:
    """Join what there is to say, or return nothing."""
    text = "; ".join(filter(None, parts))
    return f"`{name}` {text}" if text else ""


def describe_joint(facts: JointFacts, drifted: bool) -> str:
    """Return the sentence of a test of all columns together.

    Examples
    --------
    >>> describe_joint(JointFacts("MMD", 0.01, 0.5, 0.1), False)
    'MMD finds no joint difference beyond chance'
    """
    if facts.test == "MMD":
        found = f"MMD: all columns together lie as far apart as a shift of {facts.effect_size:.2f} standard deviations"
        return found if drifted else "MMD finds no joint difference beyond chance"
    if not drifted:
        return f"a network cannot tell the two tables apart (area under the curve {facts.statistic:.2f})"
    named = ", ".join(f"`{name}`" for name, _ in facts.betrayed_by[:NAMES_TOLD])
    by = f", most of all by {named}" if named else ""
    return f"a network tells the two tables apart (area under the curve {facts.statistic:.2f}){by}"


def percent(share: float) -> str:
    """Return a share as a percentage of two or three digits.

    Examples
    --------
    >>> percent(0.0314), percent(0.5), percent(0.0004)
    ('3.1%', '50%', '0.04%')
    """
    value = 100.0 * share
    if value >= 10 or value == 0:
        return f"{value:.0f}%"
    return f"{value:.1f}%" if value >= 0.1 else f"{value:.2g}%"


def _values(facts: ColumnFacts) -> str:
    """Tell what happened to the values, if anything did: a column may drift by its missing rate alone."""
    if facts.pvalue > LARGEST_TOLD_PVALUE:
        return ""
    if facts.categories:
        return _most_moved(facts)
    if facts.kind == "date" and facts.means[0] == facts.means[0]:
        return _later(facts.means[1] - facts.means[0])
    if facts.kind == "text" and abs(facts.shift) >= SMALLEST_TOLD_SHIFT:
        length = "longer" if facts.shift > 0 else "shorter"
        return f"became {length}: {facts.means[1]:.1f} characters on average, {facts.means[0]:.1f} before"
    return _moved(facts)


def _moved(facts: ColumnFacts) -> str:
    """Tell of the means, or else of the spreads, or else of the shape."""
    if facts.spreads[0] == 0 and facts.means[0] != facts.means[1]:
        return f"was always {facts.means[0]:g} and no longer is"
    if abs(facts.shift) >= SMALLEST_TOLD_SHIFT:
        return f"moved {'up' if facts.shift > 0 else 'down'} by {abs(facts.shift):.2f} standard deviations"
    return _spread_or_shape(facts)


def _spread_or_shape(facts: ColumnFacts) -> str:
    """Tell of a spread that changed, or else of the shape."""
    ratio = facts.spreads[1] / facts.spreads[0] if facts.spreads[0] > 0 else 1.0
    if ratio >= TOLD_SPREAD_RATIO:
        return f"spreads {ratio:.1f} times as wide as before"
    if ratio <= 1.0 / TOLD_SPREAD_RATIO:
        return f"spreads {percent(ratio)} as wide as before"
    if facts.distance >= SMALLEST_TOLD_RATE:
        return f"changed its shape: the two distributions lie up to {percent(facts.distance)} apart"
    return ""


def _later(seconds: float) -> str:
    """Tell of dates."""
    unit, size = next(((unit, size) for unit, size in _UNITS if abs(seconds) >= size), _UNITS[-1])
    return f"lies {abs(seconds) / size:.1f} {unit} {'later' if seconds > 0 else 'earlier'} on average"


def _most_moved(facts: ColumnFacts) -> str:
    """Tell of the category whose share moved most."""
    known = [item for item in facts.categories if item.name not in facts.unseen] or list(facts.categories)
    item = known[0]
    verb = "rose" if item.change > 0 else "fell"
    return f"changed its mix: {item.name!r} {verb} from {percent(item.reference)} to {percent(item.current)} of rows"


def _beyond(facts: ColumnFacts) -> str:
    """Tell of values that the reference has not seen the like of."""
    least = max(SMALLEST_TOLD_SHARE, EXPECTED_BEYOND / max(1, facts.n_reference))
    sides = [
        f"{percent(share)} of values lie {side} anything seen before"
        for share, side in ((facts.share_below, "below"), (facts.share_above, "above"))
        if share >= least
    ]
    return "; ".join(sides)


def _unseen(facts: ColumnFacts) -> str:
    """Tell of categories that the reference has not."""
    if not facts.unseen:
        return ""
    named = ", ".join(repr(name) for name in facts.unseen[:NAMES_TOLD])
    more = f" and {len(facts.unseen) - NAMES_TOLD} more" if len(facts.unseen) > NAMES_TOLD else ""
    return f"{percent(facts.unseen_share)} of rows have a category never seen before ({named}{more})"


def _missing(facts: ColumnFacts) -> str:
    """Tell of a missing rate that changed."""
    before, after = facts.missing_rates
    if abs(after - before) < SMALLEST_TOLD_RATE:
        return ""
    return f"missing values {'rose' if after > before else 'fell'} from {percent(before)} to {percent(after)}"


def _tell_unreadable(facts: ColumnFacts) -> str:
    """Tell of values that are not of the column's kind."""
    n = facts.n_unreadable
    return f"{n:,} values could not be read as {facts.kind} and count as missing" if n else ""
