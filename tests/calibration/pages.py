"""Writes what was measured as a page (markdown), as data (JSON) and as a picture (SVG)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import matplotlib
import numpy as np
import scipy
from calibration.detectors import HORIZON, N_OBSERVATIONS, RUN_IN, Finding
from calibration.laws import LAWS_IN_WORDS
from calibration.plots import draw
from calibration.power import Curve, DelayCurve, finite_or_none
from calibration.rates import CHANCE, SEED, Rate
from calibration.subjects import LEVELS, N_FAMILY, N_LOOKS, N_TABLE_COLUMNS, SUBJECTS


@dataclass(frozen=True)
class Calibration:
    """Everything that was measured in one run."""

    rates: Sequence[Rate]
    findings: Sequence[Finding]
    curves: Sequence[Curve]
    delays: Sequence[DelayCurve]


def write_pages(calibration: Calibration, folder: Path) -> None:
    """Write calibration.md, calibration.json and calibration.svg."""
    folder.mkdir(exist_ok=True)
    _write(folder / "calibration.md", "\n".join(_page(calibration)) + "\n")
    _write(folder / "calibration.json", json.dumps(_record(calibration), indent=1) + "\n")
    draw(calibration, folder / "calibration.svg")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _page(calibration: Calibration) -> Iterable[str]:
    yield from _introduction(calibration)
    yield "\n## False-alarm rates of the tests\n"
    yield from _rate_table(calibration.rates)
    yield "\n## Power\n"
    yield (
        "Share of alarms at 0.05 over growing changes; the first column is the false-alarm rate. Whole tables have "
        f"{N_TABLE_COLUMNS} columns, all of which change."
    )
    yield from _power_tables(calibration.curves)
    yield "\n## Stream detectors\n"
    yield from _detector_table(calibration)


def _introduction(calibration: Calibration) -> Iterable[str]:
    unexplained = [rate for rate in calibration.rates if not rate.explained]
    wrong = [finding for finding in calibration.findings if finding.disagreements]
    yield "# Calibration of `tinytorch.stats`\n"
    yield "Measured by `make drills` (`tests/stats/test_calibration.py`), which writes this page; do not edit it.\n"
    yield (
        f"{len(SUBJECTS)} tests, {len(calibration.rates)} false-alarm rates, {len(unexplained)} of them outside the "
        f"limits without a word in the docstring; {len(calibration.findings)} lines of stream detectors, {len(wrong)} "
        f"of them not as the docstring states. Seed {SEED}, numpy {np.__version__}, scipy {scipy.__version__}.\n"
    )
    yield "![False-alarm rates, power and delays](calibration.svg)\n"
    yield (
        f"**Limits**: a binomial count whose probability is the level leaves them in {CHANCE:g} of all cases on "
        "either side. **Verdict**: *nominal* inside them; *below* or *above, as stated* where the test's docstring "
        "says so (the words stand under the table) and the rate lies within the limits around what they say; NOT SAID "
        "where the words are known but the docstring lacks them; UNEXPLAINED otherwise. The last two fail the drill. "
        "PSI alarms above `psi_threshold`; intervals when they miss the truth; corrections and `column_report` when "
        f"any of {N_FAMILY} columns is flagged; sequential tests when any of {N_LOOKS} looks finds a difference "
        "(n and m are then rows per look). What looks at one sample has m = 0.\n"
    )
    yield "**Laws of the data**\n"
    yield from (f"- {name}: {words}" for name, words in LAWS_IN_WORDS.items())


def _rate_table(rates: Sequence[Rate]) -> Iterable[str]:
    notes: list[str] = []
    heads = " | ".join(f"rate at {level} | limits | verdict" for level in LEVELS)
    yield f"| test | law | n | m | repetitions | {heads} |"
    yield "|---|---|--:|--:|--:|" + "--:|---|---|" * len(LEVELS)
    for start in range(0, len(rates), len(LEVELS)):
        group = rates[start : start + len(LEVELS)]
        first = group[0]
        cells = " | ".join(f"{rate.rate:.4f} | {_span(rate.limits)} | {_verdict(rate, notes)}" for rate in group)
        where = f"{first.setting.law} | {first.setting.n} | {first.setting.m}"
        yield f"| `{first.test}` | {where} | {first.repetitions} | {cells} |"
    yield "\nWhat is stated:\n"
    yield from (f"{number}. {words}" for number, words in enumerate(notes, 1))


def _verdict(rate: Rate, notes: list[str]) -> str:
    if rate.verdict == "nominal" or rate.remark is None or rate.verdict.endswith("UNEXPLAINED"):
        return rate.verdict
    words = f"`{rate.remark.source or rate.remark.test}`: {rate.remark.words}"
    if words not in notes:
        notes.append(words)
    return f"{rate.verdict} ({notes.index(words) + 1})"


def _span(limits: tuple[float, float]) -> str:
    return f"{limits[0]:.4f} to {limits[1]:.4f}"


def _power_tables(curves: Sequence[Curve]) -> Iterable[str]:
    for kind in dict.fromkeys(curve.kind for curve in curves):
        chosen = [curve for curve in curves if curve.kind == kind]
        yield f"\n### {kind[0].upper()}{kind[1:]}\n"
        yield "| test | n | m | repetitions | " + " | ".join(f"{size:.2g}" for size in chosen[0].sizes) + " |"
        yield "|---|--:|--:|--:|" + "--:|" * len(chosen[0].sizes)
        for curve in chosen:
            power = " | ".join(f"{share:.3f}" for share in curve.power)
            yield f"| `{curve.test}` | {curve.setting.n} | {curve.setting.m} | {curve.repetitions} | {power} |"


def _detector_table(calibration: Calibration) -> Iterable[str]:
    yield (
        "Default parameters. *Observations per false alarm* and the *share* of streams with at least one: over streams "
        f"of {N_OBSERVATIONS:,} observations without a change. *Delay*: observations from a shift of one standard "
        f"deviation to the alarm, that one included, over streams in which one came within {HORIZON:,} (*found*; a "
        "false alarm after the shift counts too). Charts that are told the mean start with the shift, the others see "
        f"{RUN_IN} values before it.\n"
    )
    yield (
        "| detector | stream | streams | observations per false alarm | share | mean delay | median | found | verdict |"
    )
    yield "|---|---|--:|--:|--:|--:|--:|--:|---|"
    notes: list[str] = []
    for finding in calibration.findings:
        watch = finding.watch
        words = f"`{watch.detector}`: {watch.words}"
        if words not in notes:
            notes.append(words)
        yield (
            f"| `{watch.detector}` | {watch.stream.name} | {finding.n_streams} | {_number(finding.run_length)} | "
            f"{finding.share:.3f} | {_number(finding.mean_delay)} | {_number(finding.median_delay)} | "
            f"{finding.found:.3f} | {finding.verdict} ({notes.index(words) + 1}) |"
        )
    yield "\nWhat is stated:\n"
    yield from (f"{number}. {words}" for number, words in enumerate(notes, 1))
    yield "\n### Median delay after a shift, by its size in standard deviations\n"
    sizes = calibration.delays[0].shifts
    yield "| detector | stream | streams | " + " | ".join(f"{size:g}" for size in sizes) + " |"
    yield "|---|---|--:|" + "--:|" * len(sizes)
    for curve in calibration.delays:
        medians = " | ".join(_number(delay) for delay in curve.median_delay)
        yield f"| `{curve.watch.detector}` | {curve.watch.stream.name} | {curve.n_streams} | {medians} |"


def _number(value: float) -> str:
    return f"{value:,.1f}" if math.isfinite(value) else "none"


def _record(calibration: Calibration) -> dict[str, object]:
    """Everything as plain data."""
    return {
        "seed": SEED,
        "chance": CHANCE,
        "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "matplotlib": matplotlib.__version__},
        "rates": [_rate_record(rate) for rate in calibration.rates],
        "power": [asdict(curve) for curve in calibration.curves],
        "detectors": [_finding_record(finding) for finding in calibration.findings],
        "delays": [
            {
                "detector": curve.watch.detector,
                "stream": curve.watch.stream.name,
                "n_streams": curve.n_streams,
                "shifts": curve.shifts,
                "median_delay": [finite_or_none(delay) for delay in curve.median_delay],
            }
            for curve in calibration.delays
        ],
    }


def _rate_record(rate: Rate) -> dict[str, object]:
    return {
        "test": rate.test,
        **asdict(rate.setting),
        "level": rate.level,
        "repetitions": rate.repetitions,
        "alarms": rate.alarms,
        "rate": rate.rate,
        "limits": rate.limits,
        "verdict": rate.verdict,
        "stated": None if rate.remark is None else rate.remark.words,
    }


def _finding_record(finding: Finding) -> dict[str, object]:
    return {
        "detector": finding.watch.detector,
        "stream": finding.watch.stream.name,
        "n_streams": finding.n_streams,
        "false_alarms": finding.alarms,
        "observations_per_false_alarm": finite_or_none(finding.run_length),
        "share_of_streams_with_one": finding.share,
        "mean_delay": finite_or_none(finding.mean_delay),
        "median_delay": finite_or_none(finding.median_delay),
        "found": finding.found,
        "verdict": finding.verdict,
        "stated": finding.watch.words,
    }
