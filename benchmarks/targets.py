"""What the speed of the statistics is held against.

`reached` is what a throw-away trial in plain numpy reached on a two-core machine (Zen 4, Python 3.11, numpy 2), where
the peers were timed on the same work in one process, before this library was written. Of a multiple
over a peer three quarters of what was reached must hold, and the goal should.
"""

from __future__ import annotations

from dataclasses import dataclass

MUST_SHARE = 0.75
"""The part of a reached multiple over a peer that must hold on any machine."""


@dataclass(frozen=True)
class Target:
    """What one line of the tables is held against; None where nothing was set for that floor or peer."""

    work: str
    """As the benchmark calls it."""
    reached_floor: float | None = None
    """Multiple of the floor; small is good."""
    goal_floor: float | None = None
    reached_peer: float | None = None
    """Multiple over the peer; large is good."""
    goal_peer: float | None = None
    elsewhere: str = ""
    """Peers that need an environment of their own (`make bench-peers`)."""

    peer_version: str = ""
    """The peer's version, where a later one is so much faster that the figures do not speak of it."""

    @property
    def must_peer(self) -> float | None:
        """What must hold."""
        return None if self.reached_peer is None else MUST_SHARE * self.reached_peer


TARGETS = (
    Target("KS x 100, fitted", 1.26, 1.1, 54, 55, "evidently 64, alibi-detect 49, frouros 49"),
    Target("KS x 100, one-shot", None, 0.25, 14, 15),
    Target("PSI, 10 bins x 100", 7.5, 6, 79, 120, "evidently 96"),
    Target("Wasserstein-1 x 100", 1.28, 1.2, 28, 30, "evidently 71"),
    Target("full report, 100 columns", 1.4, 1.5, None, None, "evidently 303 (goal 350), nannyml 8.6, alibi-detect 12"),
    Target("chi-square x 100, 20 categories", 4.7, 5, 22, 22, "evidently 48"),
    Target("Page-Hinkley, 1M", 4.4, 4, 33, 35),
    Target("Page-Hinkley, 100 x 100k", 35, None, 37, 45),
    Target("ADWIN, 1M, geometry cached", 5, 6, 125, 150, peer_version="0.23"),
    Target("ADWIN, 1M, from nothing", None, None, 29, 40, peer_version="0.23"),
    Target("ADWIN, 100 x 100k", None, None, 196, 200, peer_version="0.23"),
    Target("MMD n=m=1000, d=64, P=200", 1.7, 2, None, None, "alibi-detect 60 (goal 120), frouros 88, torchdrift 55"),
)
"""Floors of sorting are those without AVX-512 (with it numpy's sort was slow on that processor, and KS took 0.37 of
it). river was 0.23; since 0.26 its ADWIN is written in Rust and takes a fourteenth of the time."""


def target_of(work: str) -> Target | None:
    """Return the target of a line, if one was set."""
    return next((target for target in TARGETS if target.work == work), None)
