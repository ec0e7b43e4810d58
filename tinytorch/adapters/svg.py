"""Floor 4: figures as text that stands inside an HTML page, in that page's fonts and colours. Needs matplotlib.

Figures are drawn in stand-in colours, each of which becomes a CSS variable, so that one drawing serves a light and a
dark page. Nothing here touches pyplot or changes matplotlib's settings beyond the drawing of one figure.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

# Stand-ins: colours that no drawing uses by chance. The page's style sheet says what each variable is.
INK, MUTED, GRID, SURFACE = "#010101", "#010102", "#010103", "#010104"
BLUE, ORANGE, GREEN, PINK, RED = "#010201", "#010202", "#010203", "#010204", "#010205"
_VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    GRID: "grid",
    SURFACE: "surface",
    BLUE: "blue",
    ORANGE: "orange",
    GREEN: "green",
    PINK: "pink",
    RED: "red",
}
# `artist.set_gid(CLASS_MARK + "grey")` gives what is drawn the class "grey", for the style sheet; ids must differ.
CLASS_MARK = "class-"
# From nothing to vermilion: over a light page it reads pale to strong, over a dark one dark to strong, and it differs
# in lightness, so that it can be read without telling colours apart.
_STRONG = (0.90, 0.36, 0.05)
EFFECT_COLOURS = LinearSegmentedColormap.from_list("effect", [(*_STRONG, 0.0), (*_STRONG, 1.0)])
# With 10 points at this width, text is 9 pixels high on a phone and 12 in a column of a desktop page.
FIGURE_WIDTH_INCHES = 5.4
BASE_POINTS = 10
SMALL_POINTS = 9
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": BASE_POINTS,
    "axes.labelsize": BASE_POINTS,
    "xtick.labelsize": SMALL_POINTS,
    "ytick.labelsize": SMALL_POINTS,
    "axes.titlesize": BASE_POINTS,
    "axes.titlelocation": "left",
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "figure.facecolor": "none",
    "image.interpolation": "none",
}


def draw(name: str, title: str, description: str, size: tuple[float, float], plot: Callable[[Figure], None]) -> str:
    """Return a figure as an `<svg>` element that can stand inside an HTML page.

    Parameters
    ----------
    name : str
        Put before every id inside, so that several figures can share a page. The same name and drawing give the
        same text.
    title, description : str
        For people who cannot see it.
    size : tuple of two floats
        Width and height in inches.
    plot : callable
        Draws on the figure that it is handed.

    Examples
    --------
    >>> text = draw("rise", "A rise", "From 1 to 2.", (3.0, 2.0), lambda figure: figure.subplots().plot([1, 2]))
    >>> text.startswith('<svg id="rise" class="figure" role="img"')
    True
    """
    with matplotlib.rc_context():
        # A reader's own matplotlibrc would change the drawing.
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({**_SETTINGS, "svg.hashsalt": name})
        figure = Figure(figsize=size, layout="constrained")
        plot(figure)
        file = io.StringIO()
        no_metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(file, format="svg", metadata=no_metadata, transparent=True)
    return _fit_for_a_page(file.getvalue(), name, title, description)


def horizontal_grid(axes: Axes) -> None:
    """Draw thin lines across, and leave out the axis line that they make needless."""
    axes.grid(axis="y", linewidth=0.8)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def show_hours(axes: Axes, first: float, last: float) -> None:
    """Let the horizontal axis be the hours of the stream, half an hour of air at each end."""
    axes.set_xlim(first - 0.5, last + 0.5)
    axes.set_xticks(np.arange(np.ceil(first / 5) * 5, last + 1, 5))
    axes.set_xlabel("hour in which the requests were answered")


def _fit_for_a_page(text: str, name: str, title: str, description: str) -> str:
    """Cut matplotlib's document down to its drawing: own ids, page's colours and font, no outside names."""
    box = re.search(r'viewBox="([^"]+)"', text)
    body = text[text.index("<g id=") : text.rindex("</svg>")]
    body = re.sub(rf'\bid="{CLASS_MARK}(\w+)"', r'class="\1"', body)
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r"url\(#", f"url(#{name}-", body)
    body = re.sub(r'xlink:href="#', f'href="#{name}-', body)
    body = re.sub(r'xlink:href="data:image/png;base64,\s*', 'href="data:image/png;base64,', body)
    body = re.sub(r"font-family: [^;\"]*;? ?", "", body)
    body = re.sub(r"\n\s*", "\n", body)
    for colour, variable in _VARIABLES.items():
        body = body.replace(colour, f"var(--{variable})")
    opening = f'<svg id="{name}" class="figure" role="img" aria-labelledby="{name}-title {name}-description"'
    return (
        f'{opening} viewBox="{box.group(1) if box else ""}">\n<title id="{name}-title">{html.escape(title)}</title>\n'
        f'<desc id="{name}-description">{html.escape(description)}</desc>\n{body}</svg>'
    )
