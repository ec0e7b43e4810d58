"""The picture of the calibration: false-alarm rates, power beside them, delays of the detectors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
from calibration.power import KINDS, Curve, DelayCurve
from calibration.rates import Rate
from matplotlib.axes import Axes
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from calibration.pages import Calibration

LEVEL = 0.05
LOWEST_SHOWN = 1e-4
"""Rates of 0 are drawn here on the logarithmic axis."""
COLOURS = {"nominal": "#3a7d44", "as stated": "#c98a00", "NOT SAID": "#7b4bb3", "UNEXPLAINED": "#b3261e"}
STYLES = ("-", "--", ":", "-.")
PALETTE = [f"C{number}" for number in range(10)]


def draw(calibration: Calibration, path: Path) -> None:
    """Write the figure as an SVG that is the same on every run."""
    with matplotlib.rc_context({"svg.hashsalt": "calibration", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(15, 17), layout="constrained")
        axes = figure.subplot_mosaic(
            [["rates", "mean"], ["rates", "spread"], ["rates", "share"], ["rates", "delays"]], width_ratios=(1.1, 1)
        )
        _draw_rates(axes["rates"], calibration.rates)
        for name, kind in zip(("mean", "spread", "share"), KINDS, strict=True):
            _draw_power(axes[name], [curve for curve in calibration.curves if curve.kind == kind], kind)
        _draw_delays(axes["delays"], calibration.delays)
        figure.savefig(path, metadata={"Date": None})
    text = path.read_text(encoding="utf-8")
    path.write_text("\n".join(line.rstrip() for line in text.splitlines()) + "\n", encoding="utf-8", newline="\n")


def _draw_rates(axes: Axes, rates: Sequence[Rate]) -> None:
    """One row per test, one dot per law and size, at 0.05."""
    chosen = [rate for rate in rates if rate.level == LEVEL]
    names = list(dict.fromkeys(rate.test for rate in chosen))
    for ending, colour in COLOURS.items():
        dots = [rate for rate in chosen if rate.verdict.endswith(ending)]
        places = [(max(rate.rate, LOWEST_SHOWN), names.index(rate.test)) for rate in dots]
        if places:
            axes.scatter(*zip(*places, strict=True), s=16, color=colour, alpha=0.7, label=f"{ending} ({len(dots)})")
    widest = [rate for rate in chosen if rate.repetitions == max(rate.repetitions for rate in chosen)]
    axes.axvspan(*widest[0].limits, color="#3a7d44", alpha=0.15, label=f"limits, {widest[0].repetitions} repetitions")
    axes.axvline(LEVEL, color="black", linewidth=0.8)
    axes.set(
        xscale="log",
        xlabel="false-alarm rate at 0.05 (0 drawn at 0.0001)",
    )
    axes.set_title("False alarms, all laws and sizes")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.grid(axis="y", alpha=0.3)
    axes.legend(loc="lower left")


def _draw_power(axes: Axes, curves: Sequence[Curve], kind: str) -> None:
    for number, curve in enumerate(curves):
        style = {"color": PALETTE[number % 10], "linestyle": STYLES[number // 10 % len(STYLES)]}
        axes.plot(curve.sizes, curve.power, marker=".", label=curve.test, **style)
    axes.axhline(LEVEL, color="black", linewidth=0.8)
    axes.set(xlabel=kind, ylabel="share of alarms at 0.05", ylim=(0, 1.02), title="Power, 100 rows in each sample")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=7)


def _draw_delays(axes: Axes, curves: Sequence[DelayCurve]) -> None:
    for number, curve in enumerate(curves):
        label = f"{curve.watch.detector} ({curve.watch.stream.name})"
        axes.plot(curve.shifts, curve.median_delay, marker=".", color=PALETTE[number % 10], label=label)
    axes.set(yscale="log", xlabel="shift, in standard deviations", ylabel="observations")
    axes.set_title("Median delay of detectors")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=7)
