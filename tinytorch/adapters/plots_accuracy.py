"""Floor 4: accuracy over the hours of a demo, with its uncertainty and what happened when. Needs matplotlib."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from matplotlib.transforms import blended_transform_factory

from tinytorch.adapters.demo_data import SECONDS_PER_HOUR, DemoPageData
from tinytorch.adapters.svg import (
    BLUE,
    FIGURE_WIDTH_INCHES,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    PINK,
    RED,
    SMALL_POINTS,
    draw,
    horizontal_grid,
    show_hours,
)
from tinytorch.stats import wilson_interval

WIDE_INCHES = 11.0
HEIGHT_INCHES = 4.2
# Each mark has a line of its own above the plot, so that two at the same hour can both be read.
_ROW_HEIGHT = 0.065
# A mark in the right part has its words on its left, or they would leave the figure.
_TURNING_POINT = 0.7


@dataclass(frozen=True)
class Mark:
    """A moment worth a line: when, in which words and in which colour.

    Examples
    --------
    >>> Mark(5.0, "drift begins", "black").words
    'drift begins'
    """

    hour: float
    words: str
    colour: str


# Kind of event -> the words of its mark and its colour.
_MARKED_EVENTS = {
    "drift": ("drift flagged", ORANGE),
    "alert": ("accuracy alert", RED),
    "retraining": ("retraining", PINK),
    "promoted": ("promoted", GREEN),
    "rolled_back": ("rolled back", RED),
}


def plot_accuracy(data: DemoPageData, *, wide: bool) -> str:
    """Return the accuracy of each hour's answers as SVG, for a desktop's whole width or for a column."""
    name = "accuracy-wide" if wide else "accuracy"
    size = (WIDE_INCHES if wide else FIGURE_WIDTH_INCHES, HEIGHT_INCHES)
    description = (
        f"Accuracy of each hour's answers with its 95% interval, from {data.starting_accuracy:.1%} at the start. "
        f"Marks: {'; '.join(f'{mark.words} at hour {mark.hour:g}' for mark in find_marks(data)) or 'none'}."
    )
    return draw(name, "Accuracy over time", description, size, lambda figure: _draw_accuracy(figure, data))


def find_marks(data: DemoPageData) -> tuple[Mark, ...]:
    """Return the moments to mark, the kinds in the order in which they should happen."""
    begins = [] if data.drift_began_at is None else [Mark(data.drift_began_at / SECONDS_PER_HOUR, "drift begins", INK)]
    events = [
        Mark(event.timestamp / SECONDS_PER_HOUR, words, colour)
        for kind, (words, colour) in _MARKED_EVENTS.items()
        for event in data.events_of(kind)
    ]
    return (*begins, *events)


def _draw_accuracy(figure: Figure, data: DemoPageData) -> None:
    """Draw dots, intervals, the line to hold and the marks."""
    axes = figure.subplots()
    hours = np.array([part.served_at[0] for part in data.labelled]) / SECONDS_PER_HOUR
    right = np.array([part.correct.sum() for part in data.labelled])
    labels = np.array([len(part) for part in data.labelled])
    low, high = wilson_interval(right, labels)
    axes.fill_between(hours, low, high, color=BLUE, alpha=0.18, linewidth=0)
    axes.plot(hours, right / labels, color=BLUE, marker="o", markersize=4, linewidth=1.6)
    _draw_goal(axes, data)
    horizontal_grid(axes)
    show_hours(axes, data.steps[0].hour, data.steps[-1].hour)
    axes.set_ylim(min(0.5, float(np.floor(low.min() * 10) / 10)), 1.01)
    axes.set_ylabel("right answers")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    _draw_marks(axes, find_marks(data))


def _draw_goal(axes: Axes, data: DemoPageData) -> None:
    """Draw the starting accuracy, and how far below it still counts as recovered."""
    axes.axhline(data.starting_accuracy, color=MUTED, linewidth=1.2, linestyle=(0, (5, 3)))
    axes.axhline(data.starting_accuracy - data.tolerated_loss, color=MUTED, linewidth=1.0, linestyle=(0, (1, 2)))


def _draw_marks(axes: Axes, marks: tuple[Mark, ...]) -> None:
    """Draw each mark as an upright line that ends at its words, above the plot; words once for each kind."""
    rows = list(dict.fromkeys(mark.words for mark in marks))
    place = blended_transform_factory(axes.transData, axes.transAxes)
    first, last = axes.get_xlim()
    named: set[str] = set()
    for mark in marks:
        top = 1.0 + _ROW_HEIGHT * (len(rows) - rows.index(mark.words) - 0.4)
        axes.plot([mark.hour] * 2, [0.0, top], transform=place, color=mark.colour, linewidth=1.3, clip_on=False)
        if mark.words in named:
            continue
        named.add(mark.words)
        on_left = (mark.hour - first) / (last - first) > _TURNING_POINT
        axes.annotate(
            mark.words,
            (mark.hour, top),
            xycoords=place,
            xytext=(-4 if on_left else 4, 0),
            textcoords="offset points",
            ha="right" if on_left else "left",
            va="center",
            color=mark.colour,
            fontsize=SMALL_POINTS,
        )
