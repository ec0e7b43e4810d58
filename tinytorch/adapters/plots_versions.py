"""Floor 4: which version answered how much of the traffic, and the versions' lives. Needs matplotlib."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tinytorch.adapters.demo_data import SECONDS_PER_HOUR, DemoPageData
from tinytorch.adapters.svg import (
    BLUE,
    FIGURE_WIDTH_INCHES,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    PINK,
    SMALL_POINTS,
    SURFACE,
    draw,
    horizontal_grid,
    show_hours,
)
from tinytorch.mlops.contracts import ModelVersion

# One colour a version, used again from the fifth on: a run of 25 steps has room for two or three.
_VERSION_COLOURS = (BLUE, ORANGE, GREEN, PINK)
# On trial is drawn lighter than in charge.
_TRIAL_OPACITY = 0.45


def plot_traffic_split(data: DemoPageData) -> str:
    """Return how many requests each version answered at each hour as SVG."""
    counts = count_answers(data)
    totals = [f"version {version}: {int(role.sum())}" for version, role in counts.items()]
    return draw(
        "traffic",
        "Who answered the requests",
        f"Requests answered: {', '.join(totals)}.",
        (FIGURE_WIDTH_INCHES, 4.3),
        lambda figure: _draw_split(figure, data),
    )


def plot_lineage(data: DemoPageData) -> str:
    """Return each version's life as a bar, with an arrow from its parent, as SVG."""
    born = [
        f"version {entry.version} at hour {entry.created_at / SECONDS_PER_HOUR:g}"
        + (f" from version {entry.parent}" if entry.parent else "")
        for entry in data.versions
    ]
    return draw(
        "lineage",
        "Versions and lineage",
        f"{'; '.join(born)}. Version {data.champion} serves at the end.",
        (FIGURE_WIDTH_INCHES, 1.1 + 0.42 * len(data.versions)),
        lambda figure: _draw_lineage(figure, data),
    )


def count_answers(data: DemoPageData) -> dict[int, np.ndarray]:
    """Return for each version its answers, shape (n_steps, 2): while in charge, and while on trial."""
    steps = data.served_steps
    counts = {entry.version: np.zeros((len(steps), 2), dtype=np.int64) for entry in data.versions}
    for index, step in enumerate(steps):
        for place, batch in enumerate(step.batches):
            counts[batch.model_version][index, min(place, 1)] += len(batch)
    return counts


def _colour_of(version: int) -> str:
    """Return a version's colour, the same in every figure."""
    return _VERSION_COLOURS[(version - 1) % len(_VERSION_COLOURS)]


def _draw_split(figure: Figure, data: DemoPageData) -> None:
    """Stack the versions' answers hour by hour, in charge below and on trial above."""
    axes = figure.subplots()
    hours = np.array([step.hour for step in data.served_steps])
    counts = count_answers(data)
    below = np.zeros(hours.size)
    for place, words in enumerate(("in charge", "on trial")):
        for version, answers in counts.items():
            if not answers[:, place].any():
                continue
            opacity = _TRIAL_OPACITY if place else 1.0
            label = f"version {version}, {words}"
            colour = _colour_of(version)
            axes.bar(hours, answers[:, place], 0.86, below, color=colour, alpha=opacity, label=label)
            below = below + answers[:, place]
    horizontal_grid(axes)
    show_hours(axes, hours[0], hours[-1])
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True, steps=[1, 2, 5, 10]))
    axes.set_ylabel("requests")
    figure.legend(loc="outside upper left", ncols=3, frameon=False, fontsize=SMALL_POINTS, handlelength=1.0)


def _draw_lineage(figure: Figure, data: DemoPageData) -> None:
    """Draw a bar for each version, from its making to its last answer, and an arrow from its parent."""
    axes = figure.subplots()
    counts = count_answers(data)
    last = data.served_steps[-1].hour
    rows = {entry.version: row for row, entry in enumerate(data.versions)}
    for entry in data.versions:
        _draw_life(axes, data, counts[entry.version], rows[entry.version])
        if entry.parent in rows:
            _draw_descent(axes, entry, rows)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(list(rows.values()), [f"version {version}" for version in rows])
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.spines["left"].set_visible(False)
    show_hours(axes, data.steps[0].hour, last)


def _draw_life(axes: Axes, data: DemoPageData, answers: np.ndarray, row: int) -> None:
    """Draw the hours in which a version was in charge (strong) or on trial (light)."""
    entry = data.versions[row]
    hours = np.array([step.hour for step in data.served_steps])
    for place, opacity in ((1, _TRIAL_OPACITY), (0, 1.0)):
        axes.broken_barh(
            _join_hours(hours[answers[:, place] > 0]),
            (row - 0.25, 0.5),
            facecolors=_colour_of(entry.version),
            alpha=opacity,
            linewidth=0,
        )
    answered = hours[answers.sum(axis=1) > 0]
    if entry.version == data.champion and answered.size:
        axes.text(answered[-1] + 0.3, row, "serves", ha="right", va="center", color=SURFACE, fontsize=SMALL_POINTS)


def _join_hours(hours: np.ndarray) -> list[tuple[float, float]]:
    """Return the spans (begin, length) that hours in a row make up, each hour taken half before and half after."""
    if not hours.size:
        return []
    runs = np.split(hours, np.flatnonzero(np.diff(hours) > 1.0) + 1)
    return [(float(part[0]) - 0.5, float(part[-1] - part[0]) + 1.0) for part in runs]


def _draw_descent(axes: Axes, entry: ModelVersion, rows: dict[int, int]) -> None:
    """Draw an arrow from the parent's bar to the child's, at the hour when the child was made."""
    hour = entry.created_at / SECONDS_PER_HOUR
    row, above = rows[entry.version], rows[entry.parent or 0]
    line = {"arrowstyle": "-|>", "color": MUTED, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (hour, row), (hour, above + 0.25), arrowprops=line)
    axes.text(hour - 0.4, row, "trained", ha="right", va="center", color=MUTED, fontsize=SMALL_POINTS)
