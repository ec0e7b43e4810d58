"""Floor 4: the report as text for a terminal: a table by rich in a terminal that has it, else plain."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence

from tinytorch.adapters.drift_chunks import ChunkFinding
from tinytorch.adapters.drift_findings import ColumnFinding, JointFinding
from tinytorch.adapters.drift_report import TableDriftReport
from tinytorch.adapters.drift_sentences import percent

HEADINGS = ("column", "type", "test", "p (corrected)", "effect", "missing", "verdict")
# Quiet columns shown after the drifted ones; a wide table would bury what matters.
QUIET_SHOWN = 12
_SECTIONS = (("feature", "Features"), ("prediction", "Prediction"), ("label", "Label"))
_DRIFT = "DRIFT"


def tell_report(report: TableDriftReport, show_all: bool = False) -> str:
    """Return the whole report as plain text.

    Parameters
    ----------
    report : TableDriftReport
    show_all : bool
        Show every quiet column, too.

    Examples
    --------
    >>> print(tell_report(TableDriftReport("a.csv", "b.csv", 100, 100, (), (), 0.01, 0.2)).splitlines()[0])
    No drift: 0 columns of b.csv (100 rows) against a.csv (100 rows).
    """
    parts = [headline(report)]
    for title, rows, hidden in list_sections(report, show_all):
        parts.append("\n".join([f"{title}:", *_aligned([HEADINGS, *rows]), *([hidden] if hidden else [])]))
    return "\n\n".join([*parts, *tell_findings(report)])


def print_report(report: TableDriftReport, show_all: bool = False) -> None:
    """Print the report, with rich's tables in a terminal.

    Examples
    --------
    >>> print_report(TableDriftReport("a.csv", "b.csv", 100, 100, (), (), 0.01, 0.2))  # doctest: +ELLIPSIS
    No drift: 0 columns of b.csv...
    """
    if sys.stdout.isatty() and importlib.util.find_spec("rich") is not None:
        _print_rich(report, show_all)
    else:
        print(tell_report(report, show_all))


def _print_rich(report: TableDriftReport, show_all: bool) -> None:
    """Print the report in colours."""
    from rich.console import Console
    from rich.table import Table as Grid
    from rich.text import Text

    console = Console()
    console.print(Text(headline(report), style="bold red" if report.drifted else "bold green"))
    for title, rows, hidden in list_sections(report, show_all):
        grid = Grid(*HEADINGS, title=title, title_justify="left", caption=hidden or None, caption_justify="left")
        for row in rows:
            grid.add_row(*map(Text, row), style="red" if row[-1].startswith(_DRIFT) else "")
        console.print(grid)
    console.print(Text("\n\n".join(tell_findings(report))))


def list_sections(report: TableDriftReport, show_all: bool = False) -> list[tuple[str, list[tuple[str, ...]], str]]:
    """Return the tables of the report: title, rows, and a line about rows that are not shown.

    Examples
    --------
    >>> list_sections(TableDriftReport("a.csv", "b.csv", 100, 100, (), (), 0.01, 0.2))
    []
    """
    by_role = {title: [one for one in report.columns if one.role == role] for role, title in _SECTIONS}
    return [_section(title, columns, show_all) for title, columns in by_role.items() if columns]


def _section(title: str, columns: Sequence[ColumnFinding], show_all: bool) -> tuple[str, list[tuple[str, ...]], str]:
    """Return one table: what drifted first, then what moved most."""
    ordered = sorted(columns, key=lambda one: (not one.drifted, -one.effect_size))
    n_shown = len(ordered) if show_all else sum(one.drifted for one in columns) + QUIET_SHOWN
    hidden = len(ordered) - n_shown
    line = f"... and {hidden} more columns without drift (--all shows them)" if hidden > 0 else ""
    return title, list(map(_table_row, ordered[:n_shown])), line


def tell_findings(report: TableDriftReport) -> list[str]:
    """Return what stands below the tables, each part as a paragraph.

    Examples
    --------
    >>> tell_findings(TableDriftReport("a.csv", "b.csv", 100, 100, (), (), 0.01, 0.2))[0]
    'What to do:\\n  - Nothing to do: keep watching.'
    """
    quality = [] if report.quality is None else [report.quality.sentence]
    parts = [
        _titled_list("What moved", _sentences(report.list_drifted())),
        _titled_list("Real but too small to matter", _sentences(list_small(report))),
        _titled_list("All columns together", _sentences(report.joint)),
        _titled_list("Quality on the labels at hand", quality),
        _titled_list("Chunks", list(map(_tell_chunk, report.chunks))),
        _titled_list("Alarms", list(map(str, report.alarms))),
        _titled_list("What to do", report.recommendations),
        _titled_list("Notes", [*report.notes, *about_tests(report)]),
    ]
    return list(filter(None, parts))


def list_small(report: TableDriftReport) -> list[ColumnFinding]:
    """Return the columns whose change chance does not explain and that is too small for a verdict.

    Examples
    --------
    >>> list_small(TableDriftReport("a.csv", "b.csv", 100, 100, (), (), 0.01, 0.2))
    []
    """
    return [one for one in report.columns if not one.drifted and one.adjusted_pvalue <= report.alpha]


def _sentences(findings: Sequence[ColumnFinding | JointFinding]) -> list[str]:
    """Return what the findings say."""
    return [one.sentence for one in findings]


def _tell_chunk(chunk: ChunkFinding) -> str:
    """Return a chunk's line."""
    found = ", ".join(chunk.drifted_columns) if chunk.drifted else "no drift"
    return f"{chunk.label} ({chunk.n_rows:,} rows): {found}"


def headline(report: TableDriftReport) -> str:
    """Return the verdict and what was compared.

    Examples
    --------
    >>> headline(TableDriftReport("a.csv", "b.csv", 100, 100, (), (), 0.01, 0.2))
    'No drift: 0 columns of b.csv (100 rows) against a.csv (100 rows).'
    """
    tables = f"{report.current} ({report.n_current:,} rows) against {report.reference} ({report.n_reference:,} rows)"
    if not report.drifted:
        return f"No drift: {len(report.columns)} columns of {tables}."
    n_drifted = len(report.drifted_columns)
    if n_drifted:
        return f"Drift ({report.severity}): {n_drifted} of {len(report.columns)} columns of {tables}."
    where = "some chunks" if report.alarms else "all columns together, though in no single one"
    return f"Drift ({report.severity}) in {where} of {tables}."


def _table_row(one: ColumnFinding) -> tuple[str, ...]:
    """Return a column's line in the table."""
    before, after = one.facts.missing_rates
    missing = f"{percent(before)} > {percent(after)}" if before or after else "-"
    verdict = _DRIFT if one.drifted else "ok"
    return (
        one.name,
        one.facts.kind,
        one.facts.test,
        f"{one.adjusted_pvalue:.2g}",
        f"{one.effect_size:.2f} sd",
        missing,
        verdict,
    )


def about_tests(report: TableDriftReport) -> list[str]:
    """Return what the verdict promises, what it can see, and what was left out.

    Examples
    --------
    >>> len(about_tests(TableDriftReport("a.csv", "b.csv", 100, 100, (), (), 0.01, 0.2)))
    2
    """
    notes = [
        f"Tables of one law are called drifted with probability {report.alpha:g} at most; effects below "
        f"{report.minimum_effect:g} standard deviations (sd) raise no verdict.",
    ]
    if report.n_reference and report.n_current:
        notes.append(
            f"With so many rows, a shift of {report.detectable_shift:.2f} sd in one column is found every second time."
        )
    if report.untested:
        notes.append(f"Not tested: {', '.join(f'{name} ({kind})' for name, kind in report.untested)}.")
    return notes


def _titled_list(title: str, sentences: Sequence[str]) -> str:
    """Return a titled list, or nothing if it is empty."""
    return "\n".join([f"{title}:", *(f"  - {sentence}" for sentence in sentences)]) if sentences else ""


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return rows of cells as lines whose columns stand below each other."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
