"""Floor 4: which pixels drifted, when and how far, and what the images look like. Needs matplotlib."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from tinytorch.adapters.demo_data import SECONDS_PER_HOUR, DemoPageData, PageStep
from tinytorch.adapters.svg import (
    CLASS_MARK,
    EFFECT_COLOURS,
    FIGURE_WIDTH_INCHES,
    GRID,
    INK,
    MUTED,
    RED,
    SMALL_POINTS,
    draw,
    show_hours,
)
from tinytorch.datasets import IMAGE_SIDE, N_CLASSES, N_PIXELS
from tinytorch.mlops.contracts import DriftReport, LabelledBatch

# Where the colours end: two standard deviations are far beyond large, and farther shifts would hide the smaller ones.
LARGEST_SHOWN_EFFECT = 2.0
# One or two flagged pixels must not fill the whole height, nor vanish on a scale of 64.
LEAST_COUNT_SHOWN = 8
# On a dark page the style sheet turns images of this class from ink on paper to light on dark.
_GREY_IMAGE = CLASS_MARK + "grey"
_NO_WINDOW = "no full window of traffic to compare with yet"


def plot_drift_over_time(data: DemoPageData) -> str:
    """Return the effect size of every pixel at every hour as SVG, below a count of the pixels flagged."""
    flagged = [int(step.report.is_drifted.sum()) for step in data.served_steps if step.report is not None]
    most = max(flagged, default=0)
    description = f"Effect size of {N_PIXELS} pixels at each hour. At most {most} are flagged in a window."
    return draw(
        "drift",
        "Drift of each pixel over time",
        description,
        (FIGURE_WIDTH_INCHES, 5.6),
        lambda figure: _draw_drift(figure, data),
    )


def plot_drifted_pixels(data: DemoPageData) -> str:
    """Return the mean image before and after, and below it how far each pixel moved, as SVG."""
    moments = find_telling_reports(data)
    described = [f"{title}: {report.is_drifted.sum()} of {N_PIXELS} flagged" for title, report in moments]
    return draw(
        "pixels",
        "Which pixels drifted",
        f"Mean images, and the effect size of each pixel as an image. {'; '.join(described) or _NO_WINDOW}.",
        (FIGURE_WIDTH_INCHES, 5.6),
        lambda figure: _draw_pixels(figure, data, moments),
    )


def plot_digits(data: DemoPageData) -> str:
    """Return one image of each digit, before the drift and after, with the answers, as SVG."""
    rows = 1 if data.drift_began_at is None else 2
    return draw(
        "digits",
        "What the model sees",
        "One image of each digit, before the drift and, below, after it began, each with the model's answer.",
        (FIGURE_WIDTH_INCHES, 0.82 * rows),
        lambda figure: _draw_digits(figure, data),
    )


def find_telling_reports(data: DemoPageData) -> tuple[tuple[str, DriftReport], ...]:
    """Return, each with a title, the report that flagged drift first and the one that flagged most pixels.

    Without drift they are the first report and the newest; before the first full window there is none.
    """
    reports = [step.report for step in data.served_steps if step.report is not None]
    drifted = [report for report in reports if report.drifted]
    if not drifted:
        ends = dict(zip(("first window", "newest window"), (*reports[:1], *reports[-1:]), strict=False))
        return tuple((f"{words}, {_hour(report)}", report) for words, report in ends.items())
    # Of windows with equally many, the one in which they moved farthest.
    most = max(drifted, key=lambda report: (int(report.is_drifted.sum()), float(np.abs(report.effect_size).sum())))
    first = (f"when flagged, {_hour(drifted[0])}", drifted[0])
    return (first,) if most is drifted[0] else (first, (f"most pixels, {_hour(most)}", most))


def _hour(report: DriftReport) -> str:
    """Return the moment of a report in words."""
    return f"hour {report.timestamp / SECONDS_PER_HOUR:g}"


def _draw_drift(figure: Figure, data: DemoPageData) -> None:
    """Draw how many pixels are flagged, and below it how far each has moved."""
    steps = data.served_steps
    (top, corner), (bottom, scale) = figure.subplots(2, 2, height_ratios=[1, 3.4], width_ratios=[1, 0.04])
    corner.set_axis_off()
    hours = np.array([step.hour for step in steps])
    left, right = hours[0] - 0.5, hours[-1] + 0.5
    counts = [np.nan if step.report is None else step.report.is_drifted.sum() for step in steps]
    top.bar(hours, counts, width=0.8, color=RED)
    top.set_xlim(left, right)
    top.set_ylim(0, max(np.nanmax([*counts, 0]), LEAST_COUNT_SHOWN))
    top.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    top.set_ylabel("pixels\nflagged")
    top.tick_params(axis="x", length=0, labelbottom=False)
    effects = np.column_stack([_effects(step) for step in steps])
    _show_effects(bottom, effects, (left, right, N_PIXELS - 0.5, -0.5))
    bottom.set_aspect("auto")
    _shade_unknown(bottom, steps)
    bottom.set_yticks(np.arange(IMAGE_SIDE) * IMAGE_SIDE + (IMAGE_SIDE - 1) / 2, np.arange(IMAGE_SIDE))
    bottom.tick_params(axis="y", length=0)
    bottom.hlines(np.arange(1, IMAGE_SIDE) * IMAGE_SIDE - 0.5, left, right, color=GRID, linewidth=0.6)
    bottom.set_ylabel("row of the image (its 8 pixels inside)")
    show_hours(bottom, hours[0], hours[-1])
    _add_scale(figure, scale)
    if data.drift_began_at is not None:
        for axes in (top, bottom):
            axes.axvline(data.drift_began_at / SECONDS_PER_HOUR - 0.5, color=INK, linewidth=1.3)


def _effects(step: PageStep) -> np.ndarray:
    """Return the effect sizes of a step, (64,); NaN before the first full window."""
    return np.full(N_PIXELS, np.nan) if step.report is None else np.abs(step.report.effect_size)


def _show_effects(axes: Axes, effects: np.ndarray, extent: tuple[float, float, float, float]) -> None:
    """Draw effect sizes as colours, on the one scale of the page."""
    axes.imshow(effects, cmap=EFFECT_COLOURS, vmin=0.0, vmax=LARGEST_SHOWN_EFFECT, extent=extent)


def _shade_unknown(axes: Axes, steps: tuple[PageStep, ...]) -> None:
    """Draw grey where there was no report, which is not the same as no drift."""
    for step in steps:
        if step.report is None:
            axes.axvspan(step.hour - 0.5, step.hour + 0.5, color=MUTED, alpha=0.25, linewidth=0)


def _add_scale(figure: Figure, axes: Axes) -> None:
    """Draw on axes of its own what the colours mean, in standard deviations."""
    colours = ScalarMappable(Normalize(0.0, LARGEST_SHOWN_EFFECT), EFFECT_COLOURS)
    beside = figure.colorbar(colours, cax=axes, label="effect size (standard deviations)")
    beside.outline.set_visible(False)
    beside.set_ticks([0.0, 0.5, 1.0, 1.5, LARGEST_SHOWN_EFFECT], labels=["0", "0.5", "1", "1.5", "≥ 2"])
    beside.ax.tick_params(length=0)


def _draw_pixels(figure: Figure, data: DemoPageData, moments: tuple[tuple[str, DriftReport], ...]) -> None:
    """Draw the mean images and, below them, one image of effect sizes for each report."""
    above, below = figure.subplots(2, 3, width_ratios=[1, 1, 0.06])
    above[2].set_axis_off()
    before, after = _split(data)
    since = "since the drift began" if after else "of the whole run"
    _show_image(above[0], data.reference.mean(axis=0))
    above[0].set_title("mean image\nof the reference")
    _show_image(above[1], _all_features(after or before).mean(axis=0))
    above[1].set_title(f"mean image\n{since}")
    for axes, (title, report) in zip(below, moments, strict=False):
        _draw_effect_image(axes, report)
        axes.set_title(f"{title}\n{report.is_drifted.sum()} of {N_PIXELS} flagged")
    for axes in below[len(moments) : 2]:
        axes.set_axis_off()
    _add_scale(figure, below[2])


def _draw_effect_image(axes: Axes, report: DriftReport) -> None:
    """Draw the effect sizes of one report as an image, drifted pixels with a frame."""
    side = IMAGE_SIDE - 0.5
    _show_effects(axes, np.abs(report.effect_size).reshape(IMAGE_SIDE, IMAGE_SIDE), (-0.5, side, side, -0.5))
    for pixel in np.flatnonzero(report.is_drifted):
        row, column = divmod(int(pixel), IMAGE_SIDE)
        axes.add_patch(Rectangle((column - 0.42, row - 0.42), 0.84, 0.84, fill=False, edgecolor=INK, linewidth=1.0))
    _frame(axes)


def _split(data: DemoPageData) -> tuple[list[LabelledBatch], list[LabelledBatch]]:
    """Return the labelled batches from before the drift and from after it began."""
    began = np.inf if data.drift_began_at is None else data.drift_began_at
    before = [part for part in data.labelled if part.served_at[0] < began]
    return before, [part for part in data.labelled if part.served_at[0] >= began]


def _draw_digits(figure: Figure, data: DemoPageData) -> None:
    """Draw one image of each digit, a row for before and one for after, with the answers below."""
    before, after = _split(data)
    rows = [("before", before), ("after", after)][: 1 if data.drift_began_at is None else 2]
    panels = figure.subplots(len(rows), N_CLASSES, squeeze=False)
    for (words, parts), axes_row in zip(rows, panels, strict=True):
        for digit, axes in enumerate(axes_row):
            _show_answer(axes, digit, parts)
        if len(rows) > 1:
            axes_row[0].set_ylabel(words)


def _all_features(parts: list[LabelledBatch]) -> np.ndarray:
    """Return the images of several batches as one table."""
    return np.concatenate([part.features for part in parts])


def _show_answer(axes: Axes, digit: int, parts: list[LabelledBatch]) -> None:
    """Draw the first image of a digit with the model's answer below it, marked if it is wrong."""
    _frame(axes)
    found = [(part, int(row)) for part in parts for row in np.flatnonzero(part.labels == digit)[:1]]
    if not found:
        axes.set(aspect="equal", adjustable="box")
        axes.set_xlabel("none", fontsize=SMALL_POINTS, labelpad=2)
        return
    part, row = found[0]
    _show_image(axes, part.features[row])
    answer = int(part.predictions[row])
    is_right = answer == digit
    words = f"{answer} ✓" if is_right else f"{answer} ✗"
    axes.set_xlabel(words, fontsize=SMALL_POINTS, labelpad=2, color=MUTED if is_right else RED)


def _show_image(axes: Axes, image: np.ndarray) -> None:
    """Draw an image of ink on paper, (64,) in [0, 1]; on a dark page it becomes light on dark."""
    drawn = axes.imshow(image.reshape(IMAGE_SIDE, IMAGE_SIDE), cmap="gray_r", vmin=0.0, vmax=1.0)
    drawn.set_gid(_GREY_IMAGE)
    _frame(axes)


def _frame(axes: Axes) -> None:
    """Leave out ticks, and draw a thin frame all around."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color(GRID)
