"""Floor 4: writes the page of plots that ends a demo: one HTML file that needs nothing else. Extra: plots."""

from __future__ import annotations

import os
from pathlib import Path

from tinytorch.adapters.demo_data import DemoPageData
from tinytorch.adapters.extras import require_extra
from tinytorch.adapters.page_file import write_page


def write_demo_page(data: DemoPageData, path: str | os.PathLike[str]) -> Path:
    """Write the page to exactly `path`, making missing folders; a crash leaves the old page or the new one.

    Parameters
    ----------
    data : DemoPageData
    path : path-like

    Returns
    -------
    Path
        Where the page is.

    Raises
    ------
    MissingExtraError
        If matplotlib or jinja2 is not installed; nothing is written then.

    Examples
    --------
    `tinytorch demo` fills `DemoPageData` from a finished run and calls this at its end.
    """
    require_extra("plots", ("matplotlib", "jinja2"))
    # Only now: its own imports are those that the line above asks for.
    from tinytorch.adapters.demo_render import render_demo_page

    return write_page(render_demo_page(data), path)
