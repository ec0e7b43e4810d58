"""Floor 4: the drift report as one self-contained page, for light and dark screens. Numpy and standard library."""

from __future__ import annotations

import html
import os
from collections.abc import Sequence
from pathlib import Path

from tinytorch.adapters.drift_findings import ColumnFinding
from tinytorch.adapters.drift_report import TableDriftReport
from tinytorch.adapters.drift_sentences import percent
from tinytorch.adapters.drift_shapes import ColumnShape
from tinytorch.adapters.drift_svg import draw_chunks, draw_shape
from tinytorch.adapters.drift_text import about_tests, headline, list_small
from tinytorch.adapters.page_file import read_style_sheet, write_page

# Quiet columns with a drawing of their own; all columns stand in the table.
QUIET_DRAWN = 12
_STYLE = """\
.small { font-size: 13px; }
.tiny { font-size: 10.5px; }
.legend { margin: 0 0 0.75rem; color: var(--muted); font-size: 0.9rem; }
.swatch { display: inline-block; width: 0.8em; height: 0.8em; margin: 0 0.35em 0 0.9em; border-radius: 2px; }
.swatch:first-child { margin-left: 0; }
section h3 { font-size: 1rem; margin: 0 0 0.15rem; overflow-wrap: anywhere; }
section ul { margin: 0.25rem 0 0; padding-left: 1.2rem; }
.sentence { margin: 0 0 0.5rem; font-size: 0.92rem; overflow-wrap: anywhere; }
.badge.quiet { color: var(--muted); }
.scroll .figure { min-width: 42rem; }
h2.head { margin: 1.75rem 0 0.5rem; }
"""
_LEGEND = (
    '<p class="legend"><span class="swatch" style="background: var(--blue)"></span>reference'
    '<span class="swatch" style="background: var(--orange)"></span>current</p>'
)
_SECTIONS = (("prediction", "Prediction"), ("label", "Label"), ("feature", "Features"))


def write_drift_page(report: TableDriftReport, path: str | os.PathLike[str]) -> Path:
    """Write the page to exactly `path`; a crash leaves the old page or the new one.

    Raises
    ------
    ValueError
        If the file cannot be written.

    Examples
    --------
    >>> write_drift_page(TableDriftReport("a.csv", "b.csv", 100, 100, (), (), 0.01, 0.2), "report.html").name
    'report.html'
    """
    try:
        return write_page(render_drift_page(report), path)
    except OSError as error:
        raise ValueError(
            f"page must be a file that can be written, got {os.fspath(path)!r} ({error.strerror})."
        ) from error


def render_drift_page(report: TableDriftReport) -> str:
    """Return the page as HTML; the same report gives the same text.

    Examples
    --------
    >>> render_drift_page(TableDriftReport("a.csv", "b.csv", 100, 100, (), (), 0.01, 0.2)).startswith("<!DOCTYPE html>")
    True
    """
    body = [_header(report), _key_figures(report), _findings(report), _over_time(report)]
    body += [_role_section(report, role, title) for role, title in _SECTIONS]
    body += [_table(report), _notes(report)]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{_escaped(report)}</title>\n<style>\n{read_style_sheet()}{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(filter(None, body))
        + "\n</main>\n</body>\n</html>\n"
    )


def _escaped(text: object) -> str:
    """Return a text as HTML."""
    return html.escape(str(text))


def _header(report: TableDriftReport) -> str:
    """Say the verdict."""
    word = f"drift: {report.severity}" if report.drifted else "no drift"
    return (
        f'<header>\n<p class="kicker">TinyTorch drift report · {_escaped(Path(report.current).name)} against '
        f"{_escaped(Path(report.reference).name)}</p>\n<h1>{_escaped(headline(report))}</h1>\n"
        f'<p><span class="badge {"bad" if report.drifted else "good"}">{_escaped(word)}</span></p>\n</header>'
    )


def _key_figures(report: TableDriftReport) -> str:
    """Return four figures that sum it up."""
    largest = max(report.columns, key=lambda one: one.effect_size, default=None)
    figures = [
        ("Columns that drifted", f"{len(report.drifted_columns)} of {len(report.columns)}", ""),
        ("Largest effect", f"{largest.effect_size:.2f} sd" if largest else "–", largest.name if largest else ""),
        ("Rows", f"{report.n_current:,}", f"against {report.n_reference:,}"),
        ("Found every second time", f"{report.detectable_shift:.2f} sd", "a shift of this size in one column"),
    ]
    cells = [
        f'<div><dt>{_escaped(name)}</dt><dd class="value">{_escaped(value)}</dd>'
        f'<dd class="note">{_escaped(note)}</dd></div>'
        for name, value, note in figures
    ]
    return f'<dl class="figures">\n{"".join(cells)}\n</dl>'


def _findings(report: TableDriftReport) -> str:
    """Return what moved and what to do, side by side."""
    moved = [one.sentence for one in report.list_drifted()] or ["No column moved enough for a verdict."]
    together = [one.sentence for one in report.joint]
    quality = [] if report.quality is None else [report.quality.sentence]
    small = [one.sentence for one in list_small(report)]
    left = _list_section("What moved", moved) + _list_section("Real but too small to matter", small)
    right = [
        _list_section("What to do", report.recommendations),
        _list_section("All columns together", together),
        _list_section("Quality on the labels at hand", quality),
        _list_section("Alarms", list(map(str, report.alarms))),
    ]
    stacks = (f'<div class="stack">{stack}</div>' for stack in (left, "".join(right)))
    return f'<div class="grid">\n{"".join(stacks)}\n</div>'


def _list_section(title: str, sentences: Sequence[str]) -> str:
    """Return a titled list, or nothing."""
    items = "".join(f"<li>{_with_code(sentence)}</li>" for sentence in sentences)
    return f"<section><h2>{_escaped(title)}</h2><ul>{items}</ul></section>\n" if sentences else ""


def _with_code(sentence: str) -> str:
    """Return a sentence as HTML, names between backquotes as code."""
    pieces = _escaped(sentence).split("`")
    if len(pieces) % 2 == 0:  # a name holds a backquote itself
        return _escaped(sentence)
    return "".join(f"<code>{piece}</code>" if place % 2 else piece for place, piece in enumerate(pieces))


def _over_time(report: TableDriftReport) -> str:
    """Return the drawing of the chunks."""
    drawing = draw_chunks(report)
    if not drawing:
        return ""
    n_drifted = sum(chunk.drifted for chunk in report.chunks)
    caption = (
        f"{n_drifted} of {len(report.chunks)} chunks drifted from the reference. The stronger a cell, the larger the "
        "effect; a frame says that chance does not explain it."
    )
    return (
        f'<section style="margin-top: 1rem"><h2>Chunks over time</h2><p class="caption">{_escaped(caption)}</p>'
        f'<div class="scroll" tabindex="0" role="region" aria-label="Chunks">{drawing}</div></section>'
    )


def _role_section(report: TableDriftReport, role: str, title: str) -> str:
    """Return the drawings of the columns of one role: all that drifted, and the quiet ones that moved most."""
    pairs = [pair for pair in zip(report.columns, report.shapes, strict=False) if pair[0].role == role]
    if not pairs:
        return ""
    pairs.sort(key=lambda pair: (not pair[0].drifted, -pair[0].effect_size))
    n_drawn = sum(one.drifted for one, _ in pairs) + QUIET_DRAWN
    cards = "\n".join(_card(one, shape) for one, shape in pairs[:n_drawn])
    rest = len(pairs) - n_drawn
    more = f'<p class="legend">{rest} more columns without drift stand in the table below.</p>' if rest > 0 else ""
    return f'<h2 class="head">{title}</h2>\n{_LEGEND}\n<div class="grid">\n{cards}\n</div>\n{more}'


def _card(one: ColumnFinding, shape: ColumnShape) -> str:
    """Return one column: verdict, sentence, drawing, figures."""
    badge = '<span class="badge bad">drift</span>' if one.drifted else '<span class="badge quiet">no drift</span>'
    before, after = one.facts.missing_rates
    missing = f" · missing {percent(before)} → {percent(after)}" if before or after else ""
    figures = f"{one.facts.test} · corrected p {one.adjusted_pvalue:.2g} · effect {one.effect_size:.2f} sd{missing}"
    return (
        f"<section><h3>{_escaped(one.name)} {badge}</h3>"
        f'<p class="sentence">{_with_code(one.sentence)}</p>{draw_shape(shape)}'
        f'<p class="note">{_escaped(one.facts.kind)} · {_escaped(figures)}</p></section>'
    )


def _table(report: TableDriftReport) -> str:
    """Return all columns as a table."""
    ordered = sorted(report.columns, key=lambda one: (not one.drifted, -one.effect_size))
    rows = "\n".join(_line(one) for one in ordered)
    heads = "".join(
        f'<th scope="col">{title}</th>' for title in ("Column", "Type", "Test", "p", "Corrected p", "Effect", "Verdict")
    )
    return (
        '<section style="margin-top: 1.5rem"><h2>All columns</h2>\n'
        '<div class="scroll" tabindex="0" role="region" aria-label="All columns">\n'
        f"<table><thead><tr>{heads}</tr></thead><tbody>\n{rows}\n</tbody></table></div></section>"
    )


def _line(one: ColumnFinding) -> str:
    """Return a column's line in the table."""
    cells = (one.name, one.facts.kind, one.facts.test, f"{one.pvalue:.2g}", f"{one.adjusted_pvalue:.2g}")
    text = "".join(f"<td>{_escaped(cell)}</td>" for cell in cells)
    verdict = '<strong class="bad">drift</strong>' if one.drifted else "ok"
    return f'<tr>{text}<td class="nowrap">{one.effect_size:.2f} sd</td><td>{verdict}</td></tr>'


def _notes(report: TableDriftReport) -> str:
    """Return what the reader should know."""
    items = "".join(f"<li>{_with_code(note)}</li>" for note in (*report.notes, *about_tests(report)))
    return (
        f"<footer><p>Notes</p><ul>{items}</ul><p>{_escaped(report.reference)} · {_escaped(report.current)}</p></footer>"
    )
