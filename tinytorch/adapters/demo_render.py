"""Floor 4: puts figures and words into the page's template. Needs matplotlib and jinja2."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from tinytorch.adapters.demo_data import SECONDS_PER_HOUR, DemoPageData
from tinytorch.adapters.demo_text import list_key_figures, name_event, write_captions, write_command, write_headline
from tinytorch.adapters.plots_accuracy import plot_accuracy
from tinytorch.adapters.plots_drift import plot_digits, plot_drift_over_time, plot_drifted_pixels
from tinytorch.adapters.plots_versions import plot_lineage, plot_traffic_split

TEMPLATE = "demo.html"


def render_demo_page(data: DemoPageData) -> str:
    """Return the whole page as HTML; the same data give the same text."""
    environment = Environment(
        loader=PackageLoader("tinytorch.adapters", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(TEMPLATE).render(
        data=data,
        headline=write_headline(data),
        key_figures=list_key_figures(data),
        captions=write_captions(data),
        command=write_command(data),
        plots=_draw_all(data),
        hour=lambda timestamp: f"{timestamp / SECONDS_PER_HOUR:g}",
        name_event=name_event,
        role_of=lambda version: _role_of(data, version),
    )


def _draw_all(data: DemoPageData) -> dict[str, str]:
    """Return every figure of the page by its name."""
    return {
        "accuracy_wide": plot_accuracy(data, wide=True),
        "accuracy": plot_accuracy(data, wide=False),
        "drift": plot_drift_over_time(data),
        "pixels": plot_drifted_pixels(data),
        "digits": plot_digits(data),
        "traffic": plot_traffic_split(data),
        "lineage": plot_lineage(data),
    }


def _role_of(data: DemoPageData, version: int) -> str:
    """Return in words what became of a version."""
    if version == data.champion:
        return "serves"
    was_champion = any(step.batches and step.batches[0].model_version == version for step in data.steps)
    return "served before" if was_champion else "tried, not promoted"
