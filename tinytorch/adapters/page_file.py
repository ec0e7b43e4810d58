"""Floor 4: what every page has in common: its style sheet, and how it gets to disk whole. Standard library only."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

STYLE_SHEET = Path(__file__).parent / "templates" / "page.css"


def read_style_sheet() -> str:
    """Return the style sheet that all pages share, for light and dark screens.

    Examples
    --------
    >>> "prefers-color-scheme: dark" in read_style_sheet()
    True
    """
    return STYLE_SHEET.read_text(encoding="utf-8")


def write_page(text: str, path: str | os.PathLike[str]) -> Path:
    """Write a page to exactly `path`, making missing folders; a crash leaves the old page or the new one.

    Examples
    --------
    >>> write_page("<!DOCTYPE html>", "pages/report.html").name
    'report.html'
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, so that the final rename stays within one file system.
    draft = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
    try:
        draft.write_text(text, encoding="utf-8", newline="\n")
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    return target
