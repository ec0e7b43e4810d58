"""The page of a drift report: whole, self-contained, true to the report, and safe from what columns are called."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from tinytorch.adapters.drift import compare_tables
from tinytorch.adapters.drift_page import render_drift_page, write_drift_page
from tinytorch.adapters.drift_report import TableDriftReport
from tinytorch.adapters.drift_settings import DriftSettings
from tinytorch.adapters.drift_svg import draw_shape, tick_labels
from tinytorch.adapters.drift_text import print_report, tell_report

VOID = {"meta", "br"}
EVIL = '<script>alert("`x`")</script>'


class Elements(HTMLParser):
    """Counts elements and finds those that are not closed in their turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.names: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def report() -> TableDriftReport:
    rng = np.random.default_rng(0)
    tables = [
        {
            "age": rng.normal(shift, 1, 400),
            EVIL: rng.normal(shift, 1, 400),
            "day": np.datetime64("2026-01-01") + rng.integers(0, 9, 400).astype("timedelta64[D]"),
            "colour": rng.choice(["red", EVIL], 400).astype(object),
            "gone": np.full(400, np.nan),
            "label": rng.choice(["a", "b"], 400).astype(object),
        }
        for shift in (0.0, 1.0)
    ]
    return compare_tables(tables[0], tables[1], DriftSettings(joint=False, chunk_rows=100, label="label"))


def test_every_element_is_closed_and_nothing_comes_from_outside(report: TableDriftReport) -> None:
    page = render_drift_page(report)
    elements = Elements(page)
    assert elements.faults == [] and elements.open == []
    assert not {"script", "link", "img", "iframe", "object"} & set(elements.names)
    assert "url(" not in page and "@import" not in page
    assert "prefers-color-scheme: dark" in page


def test_a_column_s_name_is_text_and_never_markup(report: TableDriftReport) -> None:
    page = render_drift_page(report)
    assert "<script" not in page
    assert any(EVIL in text for text in Elements(page).texts)


def test_each_column_with_values_has_a_drawing_and_the_chunks_one(report: TableDriftReport) -> None:
    assert Elements(render_drift_page(report)).names.count("svg") == 5 + 1
    assert [draw_shape(shape) == "" for shape in report.shapes] == [False, False, False, False, True, False]


def test_the_page_says_the_verdict_the_sentences_and_what_to_do(report: TableDriftReport) -> None:
    text = " ".join("".join(Elements(render_drift_page(report)).texts).split())
    assert "Drift (high): 2 of 6 columns" in text
    assert "age moved up by" in text
    for advice in report.recommendations:
        assert advice.replace("`", "")[:40] in text.replace("`", "")
    assert "chunks drifted from the reference" in text


def test_the_same_report_gives_the_same_page_and_text(report: TableDriftReport, tmp_path: Path) -> None:
    first, second = (write_drift_page(report, tmp_path / name).read_bytes() for name in ("a.html", "b.html"))
    assert first == second
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "b.html"]
    assert tell_report(report) == tell_report(report)


def test_the_plain_table_names_every_column_once(report: TableDriftReport) -> None:
    lines = tell_report(report, show_all=True).splitlines()
    for name in ("age", "day", "colour", "gone", "label"):
        assert sum(line.startswith(f"  {name} ") for line in lines) == 1


def test_a_terminal_with_rich_shows_the_same_verdicts(
    report: TableDriftReport, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("rich")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "160")
    print_report(report)
    printed = capsys.readouterr().out
    assert "Features" in printed
    assert printed.count("DRIFT") == tell_report(report).count("DRIFT")


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.2, 4.7), (1e-9, 2e-9), (-5e6, 9e8), (41.0, 44.0)])
def test_an_axis_has_a_few_round_labels_within_it(low: float, high: float) -> None:
    labels = tick_labels(low, high, "number")
    assert 2 <= len(labels) <= 8
    slack = 1e-6 * (high - low)
    assert all(low - slack <= at <= high + slack for at, _ in labels)
    assert len({text for _, text in labels}) == len(labels)
