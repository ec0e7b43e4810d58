"""Writes the speed report as a page and as a picture, from the record that `report.py` collects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from targets import Target, target_of

Record = Mapping[str, Any]
SORTED_BY = ("np.sort(current)", "np.sort of both")
OURS, REACHED, GOAL = "#9cc5d3", "#c98a00", "#b3261e"
BAR = 0.6


def page(record: Record) -> str:
    """Return the page as markdown."""
    return "\n".join([*introduction(record), *speed_table(record), *sort_table(record), *growth_table(record)]) + "\n"


def introduction(record: Record) -> Iterable[str]:
    """Say where and how it was measured."""
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    before, after = record["load"]
    quiet = "" if record["quiet"] else " **The machine was not quiet: take the times as rough, and run it again.**"
    small = " **A small try-out, not the full report.**" if record["small"] else ""
    yield "# Speed of `tinytorch.stats`\n"
    yield "Measured by `python benchmarks/report.py`, which writes this page; do not edit it.\n"
    yield (
        f"{record['processor']}; {record['machine']}; {versions}; {record['repetitions']} rounds, medians; load "
        f"{before:.1f} before and {after:.1f} after.{quiet}{small}\n"
    )
    yield "![Ratios and growth](speed.svg)\n"
    yield "## Against floors and peers\n"
    yield (
        "*x floor*: our time as a multiple of numpy's bare operation on the same data, small is good. *x peer*: the "
        "peer's time as a multiple of ours, large is good. In brackets the same from processor time, which is steadier "
        "while other work runs and which the verdict takes. *Reached*: what a throw-away trial in plain numpy reached "
        "before the library was written; *must* is three quarters of it, *goal* is what was aimed at "
        "(`benchmarks/targets.py`; floors that sort are those without AVX-512, see the next table). MB: most memory "
        "held beyond what was there before.\n"
    )


def speed_table(record: Record) -> Iterable[str]:
    """One line for every row of the three benchmarks."""
    yield (
        "| work | ours, ms | MB | floor | x floor | reached | goal | peer | x peer | reached | must | goal | verdict | "
        "measured elsewhere |"
    )
    yield "|---|--:|--:|---|--:|--:|--:|---|--:|--:|--:|--:|---|---|"
    for row in record["rows"]:
        target = target_of(row["work"]) or Target(row["work"])
        floor_cpu, peer_cpu = row["cpu_ratios"]
        cells = [
            row["work"],
            f"{row['ours']['median_ms']:.2f}",
            f"{row['ours']['peak_mb']:.1f}",
            row["floor_name"],
            f"{row['over_floor']:.2f} ({floor_cpu:.2f})",
            number(target.reached_floor),
            number(target.goal_floor),
            row["peer_name"],
            f"{number(row['over_peer'])} ({number(peer_cpu)})",
            number(target.reached_peer),
            number(target.must_peer),
            number(target.goal_peer),
            verdict(row, target, record["versions"]),
            target.elsewhere,
        ]
        yield "| " + " | ".join(cells) + " |"


def verdict(row: Record, target: Target, versions: Mapping[str, str]) -> str:
    """Say whether the multiple over the peer, by processor time, reaches what must hold and the goal."""
    if target.peer_version and not versions[row["peer_name"]].startswith(target.peer_version):
        return f"set for {row['peer_name']} {target.peer_version}"
    over_peer = row["cpu_ratios"][1]
    if over_peer is None or target.must_peer is None or target.goal_peer is None:
        return ""
    if over_peer >= target.goal_peer:
        return "goal"
    return "must" if over_peer >= target.must_peer else "MISSED"


def sort_table(record: Record) -> Iterable[str]:
    """Everything held against a sort, with numpy's AVX-512 and without."""
    disabled = record["without_avx512"]["switched_off"]
    names = ", ".join(disabled) or "nothing: this processor has none, so both columns measure the same"
    yield "\n## Sort floors with and without AVX-512\n"
    yield f"`NPY_DISABLE_CPU_FEATURES` in a process of its own; switched off: {names}.\n"
    yield (
        "| work | floor | floor, ms, with | without | x floor, with | without | goal, without | ours, ms, with "
        "| without |"
    )
    yield "|---|---|--:|--:|--:|--:|--:|--:|--:|"
    without = {row["work"]: row for row in record["without_avx512"]["rows"]}
    for row in record["rows"]:
        if row["floor_name"] not in SORTED_BY:
            continue
        other, target = without[row["work"]], target_of(row["work"])
        yield (
            f"| {row['work']} | {row['floor_name']} | {row['floor']['median_ms']:.2f} | "
            f"{other['floor']['median_ms']:.2f} | {row['over_floor']:.2f} | {other['over_floor']:.2f} | "
            f"{number(target.goal_floor if target else None)} | {row['ours']['median_ms']:.2f} | "
            f"{other['ours']['median_ms']:.2f} |"
        )


def growth_table(record: Record) -> Iterable[str]:
    """How times grow, and the exponent: 1 is linear."""
    yield "\n## Growth\n"
    yield (
        "Fitted reference of 50,000 rows; 100 columns where rows grow, 10,000 rows where columns grow. The exponent is "
        "the slope of log(time) over log(size): 1 is linear.\n"
    )
    for along in ("rows", "columns"):
        chosen = [growth for growth in record["growth"] if growth["along"] == along]
        yield f"| work, ms over {along} | " + " | ".join(f"{size:,}" for size in chosen[0]["sizes"]) + " | exponent |"
        yield "|---|" + "--:|" * (len(chosen[0]["sizes"]) + 1)
        for growth in chosen:
            times = " | ".join(f"{time:.1f}" for time in growth["median_ms"])
            yield f"| {growth['work']} | {times} | {growth['exponent']:.2f} |"
        yield ""


def number(value: float | None) -> str:
    """Write a figure that may be missing."""
    return "" if value is None else f"{value:,.3g}"


def draw(record: Record, path: Path) -> None:
    """Write ratios and growth as an SVG."""
    with matplotlib.rc_context({"svg.hashsalt": "speed", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(14, 11), layout="constrained")
        axes = figure.subplot_mosaic([["peers", "floors"], ["rows", "columns"]], height_ratios=(1.6, 1))
        draw_ratios(axes["peers"], [row for row in record["rows"] if row["over_peer"]], "peer")
        draw_ratios(axes["floors"], floor_rows(record), "floor")
        for along in ("rows", "columns"):
            draw_growth(axes[along], [growth for growth in record["growth"] if growth["along"] == along], along)
        figure.savefig(path, metadata={"Date": None})
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line.rstrip() for line in lines) + "\n", encoding="utf-8", newline="\n")


def floor_rows(record: Record) -> list[Record]:
    """The rows that have a target for their floor; sorts without AVX-512, as their targets are."""
    without = {row["work"]: row for row in record["without_avx512"]["rows"]}
    return [
        without[row["work"]] if row["floor_name"] in SORTED_BY else row
        for row in record["rows"]
        if (target := target_of(row["work"])) is not None and (target.reached_floor or target.goal_floor)
    ]


def draw_ratios(axes: Axes, rows: Sequence[Record], other: str) -> None:
    """Draw one bar a row, with marks at what was reached and at the goal."""
    names = [f"{row['work']} / {row[f'{other}_name']}" for row in rows]
    axes.barh(range(len(rows)), [row[f"over_{other}"] for row in rows], height=BAR, color=OURS, label="ours")
    for kind, colour, marker in (("reached", REACHED, "D"), ("goal", GOAL, "*")):
        found = [(getattr(target_of(row["work"]), f"{kind}_{other}", None), place) for place, row in enumerate(rows)]
        marks = [(value, place) for value, place in found if value is not None]
        axes.scatter(*zip(*marks, strict=True), color=colour, marker=marker, s=70, zorder=3, label=kind)
    better = "peer's time over ours: right is better" if other == "peer" else "our time over the floor: left is better"
    axes.set(xscale="log", xlabel=better, title=f"Against {other}s")
    axes.set_yticks(range(len(rows)), names, fontsize=8)
    axes.invert_yaxis()
    axes.axvline(1, color="black", linewidth=0.8)
    axes.legend(loc="lower right")


def draw_growth(axes: Axes, growths: Sequence[Record], along: str) -> None:
    """Draw time over size on logarithmic axes, each with the straight line that linear growth would be."""
    for number_of_colour, growth in enumerate(growths):
        sizes, times = growth["sizes"], growth["median_ms"]
        colour = f"C{number_of_colour}"
        axes.plot(sizes, times, marker="o", color=colour, label=f"{growth['work']}, exponent {growth['exponent']:.2f}")
        axes.plot(sizes, [times[0] * size / sizes[0] for size in sizes], color=colour, linestyle=":", linewidth=0.8)
    axes.set(xscale="log", yscale="log", xlabel=along, ylabel="ms", title=f"Growth in {along} (dotted: linear)")
    axes.set_xticks(growths[0]["sizes"], [f"{size:,}" for size in growths[0]["sizes"]])
    axes.xaxis.minorticks_off()
    axes.legend()
