"""The page that ends a demo: all there, self-contained, the same for the same run, and true to it."""

import dataclasses
import re
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")

from tinytorch.adapters.demo_data import DemoPageData
from tinytorch.adapters.demo_page import write_demo_page
from tinytorch.adapters.demo_render import render_demo_page
from tinytorch.adapters.demo_text import list_key_figures, write_headline
from tinytorch.adapters.extras import MissingExtraError
from tinytorch.adapters.plots_accuracy import find_marks
from tinytorch.adapters.plots_drift import find_telling_reports
from tinytorch.adapters.plots_versions import count_answers
from tinytorch.cli.demo_page_data import page_data
from tinytorch.cli.demo_run import DRIFT_START_STEP, Demo
from tinytorch.cli.outcomes import judge
from tinytorch.datasets import DriftPlan
from tinytorch.mlops.status import Event

VOID = {"meta", "link", "br", "hr", "img", "input"}
FIGURES = ("accuracy-wide", "accuracy", "drift", "pixels", "digits", "traffic", "lineage")
MEBIBYTE = 2**20


class Outline(HTMLParser):
    """Reads a page strictly: every element closed in its turn; keeps attributes, ids and texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        self.faults += [f"{tag} is never closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at line {self.getpos()[0]} closes another element")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]

    @property
    def tags(self) -> set[str]:
        return {tag for tag, _, _ in self.attributes}


def run_demo(kind: str) -> DemoPageData:
    demo = Demo(DriftPlan(kind, start_step=DRIFT_START_STEP), seed=0)
    run = demo.start()
    for _ in demo.steps(run):
        pass
    return page_data(run, judge(run))


@pytest.fixture(scope="module")
def runs() -> dict[str, DemoPageData]:
    return {kind: run_demo(kind) for kind in ("contrast", "noise", "none")}


@pytest.fixture(scope="module")
def pages(runs: dict[str, DemoPageData]) -> dict[str, str]:
    return {kind: render_demo_page(data) for kind, data in runs.items()}


@pytest.fixture(scope="module", params=["contrast", "noise", "none"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def words_of(page: str) -> str:
    return re.sub(r"\s+", " ", " ".join(Outline(page).texts))


# The page as a document -------------------------------------------------------------------------------------------


def test_every_element_is_closed_in_its_turn(pages: dict[str, str], kind: str) -> None:
    assert Outline(pages[kind]).faults == []


def test_the_outline_would_notice_an_open_element() -> None:
    assert Outline("<div><p>text</div>").faults


def test_every_figure_is_there_once_with_words_for_who_cannot_see_it(pages: dict[str, str], kind: str) -> None:
    page = pages[kind]
    for name in FIGURES:
        figure = re.search(rf'<svg id="{name}" .*?</svg>', page, re.DOTALL)
        assert figure is not None, name
        assert f'<title id="{name}-title">' in figure.group()
        assert f'<desc id="{name}-description">' in figure.group()
        assert len(re.findall(r"<path|<use|<image", figure.group())) > 5, f"{name} is empty"
    assert page.count("<svg ") == len(FIGURES)


def test_no_id_is_given_twice_and_every_reference_leads_somewhere(pages: dict[str, str], kind: str) -> None:
    outline = Outline(pages[kind])
    ids = Counter(outline.values("id"))
    assert [name for name, count in ids.items() if count > 1] == []
    wanted = {value[1:] for value in outline.values("href") if value.startswith("#")}
    wanted |= set(re.findall(r"url\(#([^)]+)\)", pages[kind]))
    wanted |= {name for value in outline.values("aria-labelledby") for name in value.split()}
    assert wanted
    assert wanted <= ids.keys()


def test_nothing_is_fetched_and_no_script_runs(pages: dict[str, str], kind: str) -> None:
    outline = Outline(pages[kind])
    addresses = [value for name in ("src", "href", "xlink:href", "srcset", "action") for value in outline.values(name)]
    assert addresses
    assert all(value.startswith(("#", "data:image/png;base64,")) for value in addresses)
    assert not re.search(r"https?:|@import|url\((?!#)", pages[kind])
    assert not outline.tags & {"script", "link", "iframe", "object", "embed"}
    assert not [name for _, name, _ in outline.attributes if name.startswith("on")]


def test_the_page_is_small(pages: dict[str, str], kind: str) -> None:
    assert len(pages[kind].encode()) < MEBIBYTE


def test_every_colour_that_is_used_is_defined_for_light_and_for_dark(pages: dict[str, str]) -> None:
    page = pages["contrast"]
    used = set(re.findall(r"var\(--(\w+)\)", page))
    light, dark = re.findall(r":root \{(.*?)\}", page, re.DOTALL)
    assert used
    assert used <= set(re.findall(r"--(\w+):", light))
    assert set(re.findall(r"--(\w+):", light)) == set(re.findall(r"--(\w+):", dark))
    assert "#0101" not in page and "#0102" not in page, "a stand-in colour is left"


# The page's words -----------------------------------------------------------------------------------------------------


def test_the_headline_says_how_it_came_out(runs: dict[str, DemoPageData], pages: dict[str, str], kind: str) -> None:
    assert runs[kind].as_declared
    assert write_headline(runs[kind]) in words_of(pages[kind])
    assert f"{'no' if kind == 'none' else runs[kind].expected} drift: as declared" in words_of(pages[kind])


def test_harmless_drift_is_said_not_to_be_damage(pages: dict[str, str]) -> None:
    assert "drift is not damage" in words_of(pages["noise"]).lower()
    assert "drift is not damage" not in words_of(pages["contrast"]).lower()


def test_a_run_that_failed_says_what_did_not_hold(runs: dict[str, DemoPageData]) -> None:
    failed = dataclasses.replace(runs["contrast"], checks=(("drift was flagged", True), ("accuracy came back", False)))
    words = words_of(render_demo_page(failed))
    assert "not as declared" in words
    assert "not true that accuracy came back." in words
    assert "a retrained model brought it back" not in words
    assert "comes back with the new version" not in words


def test_the_key_figures_are_those_of_the_run(runs: dict[str, DemoPageData]) -> None:
    data = runs["contrast"]
    values = {figure.name: figure.value for figure in list_key_figures(data)}
    correct = [right for part in data.labelled for right in part.correct][-data.n_judged :]
    assert values["Accuracy at the start"] == f"{data.starting_accuracy:.1%}"
    assert values["Accuracy in the worst hour"] == f"{min(part.accuracy for part in data.labelled):.1%}"
    assert values["Accuracy at the end"] == f"{sum(correct) / len(correct):.1%}"
    for name, event in (("Drift flagged", "drift"), ("Damage showed", "alert"), ("Promoted", "promoted")):
        assert values[name] == f"hour {data.events_of(event)[0].timestamp / 3600:g}"
    assert values["False alarms"] == "0"


def test_the_final_accuracy_lies_in_its_interval(runs: dict[str, DemoPageData], kind: str) -> None:
    figure = next(item for item in list_key_figures(runs[kind]) if item.name == "Accuracy at the end")
    low, high = (float(number) for number in re.findall(r"([\d.]+)% to ([\d.]+)%", figure.note)[0])
    assert low < float(figure.value.rstrip("%")) < high


def test_an_alarm_before_the_drift_counts_as_false(runs: dict[str, DemoPageData]) -> None:
    early = Event(3600.0, "alert", "too early")
    data = dataclasses.replace(runs["contrast"], events=(early, *runs["contrast"].events))
    assert data.false_alarms == (early,)
    quiet = dataclasses.replace(runs["none"], events=(*runs["none"].events, Event(9e4, "drift", "by chance")))
    assert len(quiet.false_alarms) == 1


def test_a_second_retraining_is_counted_and_the_promotion_measured_from_it(runs: dict[str, DemoPageData]) -> None:
    hours = {"retraining": (6, 10), "promoted": (12,)}
    events = tuple(Event(hour * 3600.0, kind, "") for kind, each in hours.items() for hour in each)
    figures = list_key_figures(dataclasses.replace(runs["contrast"], events=events))
    assert ("Retrained, the first of 2 times", "hour 6") in [(figure.name, figure.value) for figure in figures]
    assert next(figure for figure in figures if figure.name == "Promoted").note == "2 hours after its training"


def test_every_event_and_version_is_listed(runs: dict[str, DemoPageData], pages: dict[str, str], kind: str) -> None:
    words = words_of(pages[kind])
    for event in runs[kind].events:
        assert re.sub(r"\s+", " ", event.message) in words
    for version in runs[kind].versions:
        assert version.content_hash[:12] in words
        assert version.data_hash[:12] in words


def test_a_message_cannot_bring_markup_of_its_own(runs: dict[str, DemoPageData]) -> None:
    hostile = Event(0.0, "alert", '<script>alert("x")</script>')
    page = render_demo_page(dataclasses.replace(runs["none"], events=(hostile,)))
    assert "script" not in Outline(page).tags
    assert hostile.message in words_of(page)


# The plots' contents ------------------------------------------------------------------------------------------------


def test_the_accuracy_plot_marks_what_happened_and_nothing_else(runs: dict[str, DemoPageData]) -> None:
    data = runs["contrast"]
    marks = {mark.words: mark.hour for mark in reversed(find_marks(data))}
    assert marks["drift begins"] == DRIFT_START_STEP
    assert marks["promoted"] == data.first_hour("promoted")
    assert {"drift flagged", "accuracy alert", "retraining"} <= marks.keys()
    assert [mark.words for mark in find_marks(runs["none"])] == []


def test_the_pixels_shown_are_those_of_the_first_flag_and_of_the_widest(runs: dict[str, DemoPageData]) -> None:
    (_, first), (_, widest) = find_telling_reports(runs["contrast"])
    counts = [int(step.report.is_drifted.sum()) for step in runs["contrast"].steps if step.report is not None]
    assert first.timestamp == runs["contrast"].events_of("drift")[0].timestamp
    assert int(widest.is_drifted.sum()) == max(counts)
    assert abs(widest.effect_size).sum() > abs(first.effect_size).sum()
    assert not any(report.drifted for _, report in find_telling_reports(runs["none"]))


def test_every_request_is_counted_for_the_version_that_answered_it(runs: dict[str, DemoPageData], kind: str) -> None:
    data = runs[kind]
    counted = {version: int(answers.sum()) for version, answers in count_answers(data).items()}
    batches = [batch for step in data.steps for batch in step.batches]
    assert counted == {
        version: sum(len(batch) for batch in batches if batch.model_version == version) for version in counted
    }
    assert sum(counted.values()) == sum(len(batch) for batch in batches)


# The file -------------------------------------------------------------------------------------------------------------


def test_the_same_run_gives_the_same_bytes(pages: dict[str, str]) -> None:
    assert render_demo_page(run_demo("contrast")) == pages["contrast"]


def test_a_run_without_any_event_and_before_the_first_window_has_a_page(runs: dict[str, DemoPageData]) -> None:
    data = runs["none"]
    bare = tuple(dataclasses.replace(step, report=None) for step in data.steps)
    page = render_demo_page(dataclasses.replace(data, events=(), steps=bare))
    assert Outline(page).faults == []
    assert "Nothing." in words_of(page)


def test_a_run_in_which_everything_happened_twice_has_a_page(runs: dict[str, DemoPageData]) -> None:
    kinds = ("drift", "alert", "retraining", "challenger_rejected", "canary", "promoted", "rolled_back", "surprise")
    events = tuple(Event(hour * 3600.0, kind, f"at {hour}") for hour in (8, 20) for kind in kinds)
    page = render_demo_page(dataclasses.replace(runs["contrast"], events=events))
    assert Outline(page).faults == []
    assert "challenger rejected" in words_of(page)


def test_the_page_is_written_whole_to_the_path_in_utf_8(runs: dict[str, DemoPageData], tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "page.html"
    assert write_demo_page(runs["none"], path) == path
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert path.read_bytes().count(b"\r") == 0
    assert [entry.name for entry in path.parent.iterdir()] == ["page.html"]


def test_a_page_is_replaced_by_a_newer_one(runs: dict[str, DemoPageData], tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("old", encoding="utf-8")
    write_demo_page(runs["none"], path)
    assert path.stat().st_size > len("old")


def test_without_the_extra_nothing_is_written_and_the_message_says_what_installs_it(
    runs: dict[str, DemoPageData], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError) as caught:
        write_demo_page(runs["none"], tmp_path / "page.html")
    assert str(caught.value) == 'plots need matplotlib and jinja2: pip install "tinytorch-mlops[plots]"'
    assert list(tmp_path.iterdir()) == []
