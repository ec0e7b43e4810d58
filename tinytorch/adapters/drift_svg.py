"""Floor 4: the drawings of a drift report, as SVG text in the page's colours. Numpy and the standard library."""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import datetime, timezone

import numpy as np

from tinytorch.adapters.drift_report import TableDriftReport
from tinytorch.adapters.drift_sentences import percent
from tinytorch.adapters.drift_shapes import ColumnShape
from tinytorch.mlops.contracts import LARGE_EFFECT

# All lengths are in units of the drawing, which is scaled to the width of its place on the page.
WIDTH, HEIGHT = 440, 170
MARGIN_LEFT, MARGIN_TOP, MARGIN_BOTTOM = 6, 6, 24
BAR_HEIGHT, BAR_GAP, LABEL_WIDTH = 9, 9, 130
LONGEST_LABEL = 18
# A scale has at least so many steps from one label to the next, and at most about twice as many.
FEWEST_STEPS = 2
# Dates are written as the nearest midnight.
HALF_A_DAY_S = 43_200.0
DATE_LABELS = 3
# Columns with a row in the drawing of the chunks, those with the largest effects.
CHUNK_ROWS = 12
CHUNK_ROW_HEIGHT, CHUNKS_WIDTH, NAME_WIDTH = 20, 1000, 170
# Cells this faint would not be told from none.
FAINTEST_CELL = 0.04


def draw_shape(shape: ColumnShape) -> str:
    """Return the two distributions of a column over each other, or nothing if there are none.

    Examples
    --------
    >>> shape = ColumnShape("age", "number", np.array([0.0, 1.0, 2.0]), (), np.array([0.5, 0.5]), np.array([0.2, 0.8]))
    >>> draw_shape(shape).startswith('<svg class="figure"')
    True
    """
    if not shape.is_drawable:
        return ""
    return _draw_bars(shape) if shape.labels else _draw_steps(shape)


def draw_chunks(report: TableDriftReport) -> str:
    """Return the chunks in their order: a row for each of the columns that moved most, the stronger the further.

    Examples
    --------
    >>> draw_chunks(TableDriftReport("a.csv", "b.csv", 100, 100, (), (), 0.01, 0.2))
    ''
    """
    if not report.chunks or not report.columns:
        return ""
    effects = np.array([chunk.effects for chunk in report.chunks]).T
    order = np.argsort(-effects.max(axis=1), kind="stable")[:CHUNK_ROWS]
    names = [report.columns[place].name for place in order]
    width = (CHUNKS_WIDTH - NAME_WIDTH) / len(report.chunks)
    rows = [
        _chunk_row(report, names[row], effects[place], (row * CHUNK_ROW_HEIGHT, width))
        for row, place in enumerate(order)
    ]
    height = len(order) * CHUNK_ROW_HEIGHT
    ends = _chunk_ends(report, height)
    title = f"Effect of each column in each of {len(report.chunks)} chunks"
    return _svg((CHUNKS_WIDTH, height + MARGIN_BOTTOM), title, "".join(rows) + ends)


def tick_labels(low: float, high: float, kind: str) -> list[tuple[float, str]]:
    """Return round places on an axis and what stands there.

    Examples
    --------
    >>> tick_labels(0.0, 10.0, "number")
    [(0.0, '0'), (5.0, '5'), (10.0, '10')]
    """
    if kind == "date":
        moments = np.linspace(low, high, DATE_LABELS)
        return [
            (float(at), datetime.fromtimestamp(at + HALF_A_DAY_S, tz=timezone.utc).strftime("%Y-%m-%d"))
            for at in moments
        ]
    step = _round_step((high - low) / FEWEST_STEPS)
    places = np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step + 0.0
    return [(float(at), f"{at:.6g}") for at in places]


def _draw_steps(shape: ColumnShape) -> str:
    """Draw two histograms as filled steps over one axis."""
    top = max(shape.reference.max(), shape.current.max()) or 1.0
    inner = (WIDTH - 2 * MARGIN_LEFT, HEIGHT - MARGIN_TOP - MARGIN_BOTTOM)
    base = HEIGHT - MARGIN_BOTTOM
    parts = [f'<line x1="0" y1="{base}" x2="{WIDTH}" y2="{base}" stroke="var(--muted)"/>']
    for shares, colour in ((shape.reference, "blue"), (shape.current, "orange")):
        heights = base - shares / top * inner[1]
        across = MARGIN_LEFT + np.arange(len(shares) + 1) / len(shares) * inner[0]
        corners = [f"{x:.1f},{y:.1f}" for n, y in enumerate(heights) for x in (across[n], across[n + 1])]
        path = f"M{across[0]:.1f},{base} L{' '.join(corners)} L{across[-1]:.1f},{base}"
        parts.append(f'<path d="{path}" fill="var(--{colour})" fill-opacity="0.22" stroke="var(--{colour})"/>')
    low, high = float(shape.edges[0]), float(shape.edges[-1])
    for at, label in tick_labels(low, high, shape.kind):
        x = MARGIN_LEFT + (at - low) / (high - low) * inner[0]
        parts.append(_svg_text(min(max(x, MARGIN_LEFT), WIDTH - MARGIN_LEFT), HEIGHT - 7, label, _anchor(x)))
    return _svg((WIDTH, HEIGHT), f"Distributions of {shape.name} in reference and current", "".join(parts))


def _draw_bars(shape: ColumnShape) -> str:
    """Draw two bars for each category."""
    top = max(shape.reference.max(), shape.current.max()) or 1.0
    row = 2 * BAR_HEIGHT + BAR_GAP
    widest = WIDTH - LABEL_WIDTH - 48
    parts = []
    for place, label in enumerate(shape.labels):
        y = place * row
        parts.append(_svg_text(LABEL_WIDTH - 8, y + BAR_HEIGHT + 5, _shortened(label), "end"))
        for nth, (share, colour) in enumerate(((shape.reference[place], "blue"), (shape.current[place], "orange"))):
            width, at = share / top * widest, y + nth * BAR_HEIGHT
            parts.append(
                f'<rect x="{LABEL_WIDTH}" y="{at}" width="{width:.1f}" height="{BAR_HEIGHT}" fill="var(--{colour})"/>'
            )
            parts.append(_svg_text(LABEL_WIDTH + width + 5, at + BAR_HEIGHT, percent(float(share)), "start", "tiny"))
    return _svg((WIDTH, len(shape.labels) * row), f"Shares of {shape.name} in reference and current", "".join(parts))


def _chunk_row(report: TableDriftReport, name: str, effects: np.ndarray, place: tuple[float, float]) -> str:
    """Draw one column's cells."""
    y, width = place
    parts = [_svg_text(NAME_WIDTH - 10, y + CHUNK_ROW_HEIGHT - 6, _shortened(name), "end")]
    for number, chunk in enumerate(report.chunks):
        strength = min(1.0, effects[number] / LARGE_EFFECT)
        x, drifted = NAME_WIDTH + number * width, name in chunk.drifted_columns
        edge = ' stroke="var(--ink)" stroke-width="1.5"' if drifted else ""
        tip = html.escape(f"{name}, {chunk.label}: {effects[number]:.2f} sd{', drift' if drifted else ''}")
        parts.append(
            f'<rect x="{x + 1:.1f}" y="{y + 1}" width="{max(1.0, width - 2):.1f}" height="{CHUNK_ROW_HEIGHT - 3}" '
            f'fill="var(--orange)" fill-opacity="{max(FAINTEST_CELL, strength):.2f}"{edge}><title>{tip}</title></rect>'
        )
    return "".join(parts)


def _chunk_ends(report: TableDriftReport, height: float) -> str:
    """Name the first and the last chunk below their cells."""
    first = _svg_text(NAME_WIDTH, height + 17, report.chunks[0].label, "start")
    return (
        first + _svg_text(CHUNKS_WIDTH, height + 17, report.chunks[-1].label, "end")
        if len(report.chunks) > 1
        else first
    )


def _round_step(widest: float) -> float:
    """Return 1, 2 or 5 times a power of ten, not above `widest`."""
    power = 10.0 ** np.floor(np.log10(widest)) if widest > 0 else 1.0
    return float(power * max(factor for factor in (1, 2, 5) if factor == 1 or factor * power <= widest * (1 + 1e-9)))


def _anchor(x: float) -> str:
    """Return how a label is set so that it stays inside the drawing."""
    return "start" if x < WIDTH * 0.08 else "end" if x > WIDTH * 0.92 else "middle"


def _shortened(label: str) -> str:
    """Cut a label that would run out of its place."""
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"


def _svg_text(x: float, y: float, text: str, anchor: str, size: str = "small") -> str:
    """Return a piece of text."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{size}" fill="var(--muted)">'
        f"{html.escape(text)}</text>"
    )


def _svg(size: Sequence[float], title: str, body: str) -> str:
    """Return a whole drawing."""
    label = html.escape(title, quote=True)
    return f'<svg class="figure" role="img" aria-label="{label}" viewBox="0 0 {size[0]:.0f} {size[1]:.0f}">{body}</svg>'
