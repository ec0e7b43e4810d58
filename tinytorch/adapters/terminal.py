"""Floor 4, adapters: progress bars in the terminal, by rich where it is installed and somebody is watching."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from tinytorch.mlops.networks import EpochProgress


@contextmanager
def training_progress(description: str) -> Iterator[Callable[[EpochProgress], object]]:
    """Yield a callback for `NetworkTrainer` that moves a progress bar; it does nothing when output goes to a file.

    Parameters
    ----------
    description : str
        Stands before the bar.

    Examples
    --------
    >>> with training_progress("training") as on_epoch_end:
    ...     on_epoch_end(EpochProgress(1, 2, 0.5))
    """
    if not sys.stderr.isatty() or importlib.util.find_spec("rich") is None:
        yield _ignore
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[loss]}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(description, loss="")

        def on_epoch_end(report: EpochProgress) -> None:
            loss = f"epoch {report.epoch} of {report.epochs}, loss {report.train_loss:.3f}"
            progress.update(task, completed=report.epoch, total=report.epochs, loss=loss)

        yield on_epoch_end


def _ignore(report: EpochProgress) -> None:
    """Take a report and show nothing."""


def show_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: with rich where it is installed and somebody is watching, in plain columns otherwise.

    Parameters
    ----------
    columns : sequence of str
        Their titles.
    rows : sequence of sequence of str
        One text for each column.

    Examples
    --------
    >>> show_table(["blank", "points"], [["share", "2 of 2"], ["mean", "0 of 2"]])
      blank  points
      share  2 of 2
      mean   0 of 2
    """
    if sys.stdout.isatty() and importlib.util.find_spec("rich") is not None:
        _show_rich_table(columns, rows)
        return
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    for row in (columns, *rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print(f"  {'  '.join(cells)}".rstrip())


def _show_rich_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 2))
    for column in columns:
        table.add_column(escape(column))
    for row in rows:
        table.add_row(*map(escape, row))
    Console().print(table)
