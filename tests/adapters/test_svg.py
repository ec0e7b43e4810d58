"""Figures that can stand inside a page: own names, the page's colours and font, no change left behind."""

import pytest

matplotlib = pytest.importorskip("matplotlib")

from matplotlib.figure import Figure  # noqa: E402

from tinytorch.adapters.svg import BLUE, draw, horizontal_grid, show_hours  # noqa: E402


def plot_line(figure: Figure) -> None:
    axes = figure.subplots()
    axes.plot([0, 24], [1, 2], color=BLUE, label="<up>")
    axes.set_title("5 < 6 & more")
    horizontal_grid(axes)
    show_hours(axes, 0, 24)


def test_the_same_drawing_gives_the_same_text_and_another_name_other_ids() -> None:
    text = draw("line", "A line", "It rises.", (4.0, 3.0), plot_line)
    assert text == draw("line", "A line", "It rises.", (4.0, 3.0), plot_line)
    assert 'id="other-axes_1"' in draw("other", "A line", "It rises.", (4.0, 3.0), plot_line)
    assert 'id="line-axes_1"' in text


def test_colours_become_the_pages_own() -> None:
    text = draw("line", "A line", "It rises.", (4.0, 3.0), plot_line)
    assert "stroke: var(--blue)" in text
    assert BLUE not in text


def test_words_stay_words_in_the_pages_font_and_are_escaped() -> None:
    text = draw("line", "A < B", "It rises & rises.", (4.0, 3.0), plot_line)
    assert "5 &lt; 6 &amp; more" in text
    assert "A &lt; B</title>" in text
    assert "It rises &amp; rises.</desc>" in text
    assert "font-family" not in text


def test_neither_address_nor_date_is_left_in_the_text() -> None:
    text = draw("line", "A line", "It rises.", (4.0, 3.0), plot_line)
    assert "http" not in text
    assert "<metadata" not in text
    assert "<?xml" not in text


def test_matplotlibs_settings_are_as_they_were_and_do_not_matter() -> None:
    text = draw("line", "A line", "It rises.", (4.0, 3.0), plot_line)
    with matplotlib.rc_context({"lines.linewidth": 9.0, "font.size": 30.0}):
        before = dict(matplotlib.rcParams)
        assert draw("line", "A line", "It rises.", (4.0, 3.0), plot_line) == text
        assert dict(matplotlib.rcParams) == before
    assert matplotlib.rcParams["svg.fonttype"] == matplotlib.rcParamsDefault["svg.fonttype"]
