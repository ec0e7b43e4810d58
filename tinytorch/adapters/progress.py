"""Floor 4: a progress bar for reading files, by rich where it is installed and somebody is watching."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

# Files below this are read before a bar could be looked at.
SMALLEST_SHOWN_BYTES = 50_000_000


@contextmanager
def reading_progress(paths: Sequence[str | os.PathLike[str]]) -> Iterator[Callable[[int], object] | None]:
    """Yield a callback that moves a bar on by a number of bytes, or None where nobody would see it.

    Examples
    --------
    >>> with reading_progress(["small.csv"]) as progress:
    ...     progress is None
    True
    """
    total = sum(Path(path).stat().st_size for path in paths if Path(path).is_file())
    is_seen = sys.stderr.isatty() and importlib.util.find_spec("rich") is not None
    if total < SMALLEST_SHOWN_BYTES or not is_seen:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=total)

        def advance(n_bytes: int) -> None:
            bar.update(task, advance=n_bytes)

        yield advance
