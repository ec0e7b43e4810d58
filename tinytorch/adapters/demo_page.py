"""Floor 4: writes the page of plots that ends a demo: one HTML file that needs nothing else. Extra: plots."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from tinytorch.adapters.demo_data import DemoPageData
from tinytorch.adapters.extras import require_extra


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

    target = Path(path)
    text = render_demo_page(data)
    target.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, so that the final rename stays within one file system.
    draft = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
    try:
        draft.write_text(text, encoding="utf-8", newline="\n")
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    return target
