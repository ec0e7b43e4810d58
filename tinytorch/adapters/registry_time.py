"""Floor 4: when things happened, by clocks that jump. Reads this machine's clocks.

The order of the registry's changes is that of its log and never in doubt. Their moments are a matter of clocks: one
that is set wrong for an hour, or was wrong until it was set right, must not put a version in charge at the wrong time.
"""

from __future__ import annotations

import functools
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# Linux says here which start of the machine this is.
BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")
# Two clocks that go apart by less have not jumped: they are read one after the other, and time servers nudge them.
JUMP_S = 1.0


@dataclass(frozen=True)
class ClockReading:
    """What the clock on the wall said, and a steady clock that nobody can set.

    Attributes
    ----------
    clock_s : float
        Seconds since the epoch, as this machine believed at that moment.
    steady_s : float
        Seconds of a clock that only goes forward, sleep of the machine included.
    boot : str
        Steady readings compare only within one start of one machine, which this names.

    Examples
    --------
    >>> ClockReading(1_000.0, 5.0, "monday").clock_s
    1000.0
    """

    clock_s: float
    steady_s: float
    boot: str


def read_clocks() -> ClockReading:
    """Return both clocks of this machine now.

    Examples
    --------
    >>> earlier, later = read_clocks(), read_clocks()
    >>> later.steady_s >= earlier.steady_s and later.boot == earlier.boot
    True
    """
    return ClockReading(time.time(), _read_steady(), _boot())


def place_in_time(readings: Sequence[ClockReading], now: ClockReading) -> list[float]:
    """Return when the readings were taken, in seconds since the epoch by the clock as it goes `now`; never decreasing.

    Going back from now, the steady clock says how long ago each reading of this start of the machine was, whatever the
    clock on the wall said then. Across a restart only the wall's clock is left; it is believed as far as the order of
    the readings allows, and so it is where both clocks agree to a second.

    Parameters
    ----------
    readings : sequence of ClockReading
        Oldest first.
    now : ClockReading

    Examples
    --------
    The clock stood a day ahead at the second reading, and was set right before the third:

    >>> readings = [ClockReading(100.0, 0.0, "a"), ClockReading(86_500.0, 10.0, "a"), ClockReading(120.0, 20.0, "a")]
    >>> place_in_time(readings, now=ClockReading(130.0, 30.0, "a"))
    [100.0, 110.0, 120.0]
    """
    moments: list[float] = []
    later, moment = now, now.clock_s
    for reading in reversed(readings):
        by_steady_clock = moment - max(0.0, later.steady_s - reading.steady_s)
        jumped = reading.boot == later.boot and abs(by_steady_clock - reading.clock_s) > JUMP_S
        moment = min(moment, by_steady_clock if jumped else reading.clock_s)
        moments.append(moment)
        later = reading
    return moments[::-1]


def _read_steady() -> float:
    """Return a steady clock that goes on while the machine sleeps: Linux and macOS name it differently."""
    which = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
    return time.monotonic() if which is None else time.clock_gettime(which)


@functools.lru_cache(maxsize=1)
def _boot() -> str:
    """Name this start of the machine; where the system does not, name this process instead."""
    try:
        return BOOT_ID_FILE.read_text(encoding="ascii").strip()
    except OSError:
        return uuid.uuid4().hex
