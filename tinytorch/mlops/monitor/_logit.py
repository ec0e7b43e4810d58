"""Floor 2, monitor: an interval for a figure between 0 and 1 that cannot leave them. Standard library only."""

from __future__ import annotations

import math
from statistics import NormalDist


def logit_interval(value: float, standard_error: float, confidence: float) -> tuple[float, float]:
    """Return the normal interval taken on the scale log(value / (1 - value)), for a value inside (0, 1).

    At 0 or 1 that scale has no place for it: the value itself is returned twice.

    Examples
    --------
    >>> low, high = logit_interval(0.9, 0.05, 0.95)
    >>> print(f"{low:.3f} {high:.3f}")
    0.752 0.964
    """
    if not 0.0 < value < 1.0:
        return value, value
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * standard_error / (value * (1 - value))
    odds = math.log(value / (1 - value))
    low, high = (1 / (1 + math.exp(-bound)) for bound in (odds - reach, odds + reach))
    return low, high
