"""Floor 4, the secretary: writes the results of a class as tables, a log and one page a student."""

from __future__ import annotations

import csv
import html
from collections.abc import Iterable, Sequence
from pathlib import Path

from tinytorch.course.grade_results import BlankStatistics, LessonScore

GRADES, STATISTICS, REPAIRS, PAGES = "grades.csv", "statistics.csv", "repairs.log", "feedback"
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 56em; margin: 2em auto; padding: 0 1em; color: #222; }}
table {{ border-collapse: collapse; width: 100%; }} th, td {{ text-align: left; vertical-align: top; padding: .4em .6em;
border-bottom: 1px solid #ddd; }} td.n {{ white-space: nowrap; }} .solved {{ color: #17692b; }}
.open {{ color: #9a3412; }}
code {{ font-size: .95em; }} ul {{ color: #555; }}</style></head><body><h1>{title}</h1>
{body}
</body></html>
"""


def write_results(folder: Path, scores: Sequence[LessonScore], statistics: Sequence[BlankStatistics]) -> None:
    """Write grades.csv, statistics.csv, repairs.log and feedback/STUDENT.html into `folder`, over what was there."""
    (folder / PAGES).mkdir(parents=True, exist_ok=True)
    for old in (folder / PAGES).glob("*.html"):
        old.unlink()
    _write_table(folder / GRADES, _grade_rows(scores))
    _write_table(folder / STATISTICS, _statistics_rows(statistics))
    lines = [f"{score.student} {score.lesson}: {sentence}\n" for score in scores for sentence in score.repairs]
    (folder / REPAIRS).write_text("".join(lines), encoding="utf-8", newline="\n")
    for student in dict.fromkeys(score.student for score in scores):
        page = feedback_page(student, [score for score in scores if score.student == student])
        (folder / PAGES / f"{student}.html").write_text(page, encoding="utf-8", newline="\n")


def feedback_page(student: str, scores: Sequence[LessonScore]) -> str:
    """Return the page of one student: points and the first useful message of each blank.

    Examples
    --------
    >>> "3 of 4" in feedback_page("ada", [])
    False
    """
    earned, points = sum(score.earned for score in scores), sum(score.points for score in scores)
    parts = [f"<p>{earned:g} of {points:g} points.</p>", *map(_lesson_part, scores)]
    return _PAGE.format(title=f"Feedback for {html.escape(student)}", body="\n".join(parts))


def _lesson_part(score: LessonScore) -> str:
    """A heading, a table of blanks, and what was mended."""
    rows = "".join(
        f'<tr><td><code>{html.escape(blank.blank)}</code></td><td class="n {"solved" if blank.solved else "open"}">'
        f"{blank.earned:g} of {blank.points:g}</td><td>{html.escape(blank.message) or 'Right.'}</td></tr>"
        for blank in score.blanks
    )
    mended = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in score.repairs)
    status = "" if score.status == "graded" else f" ({html.escape(score.status)})"
    heading = f"<h2>{html.escape(score.lesson)}: {score.earned:g} of {score.points:g}{status}</h2>"
    table = f"<table><tr><th>blank</th><th>points</th><th>what the check said</th></tr>{rows}</table>"
    return f"{heading}\n{table}\n" + (f"<p>Noted while reading the notebook:</p><ul>{mended}</ul>" if mended else "")


def _grade_rows(scores: Sequence[LessonScore]) -> Iterable[list[str]]:
    """One row a student and lesson; blanks of other lessons stay empty."""
    names = list(dict.fromkeys(blank.blank for score in scores for blank in score.blanks))
    yield ["student", "lesson", "status", *names, "total", "points"]
    for score in scores:
        earned = {blank.blank: f"{blank.earned:g}" for blank in score.blanks}
        cells = [earned.get(name, "") for name in names]
        yield [score.student, score.lesson, score.status, *cells, f"{score.earned:g}", f"{score.points:g}"]


def _statistics_rows(statistics: Sequence[BlankStatistics]) -> Iterable[list[str]]:
    yield ["lesson", "blank", "submitted", "solved", "share_solved", "unwritten", "most_common_mistake", "its_count"]
    for blank in statistics:
        counts = [str(blank.submitted), str(blank.solved), f"{blank.share_solved:.3f}", str(blank.unwritten)]
        yield [blank.lesson, blank.blank, *counts, _no_formula(blank.common_mistake), str(blank.common_count or "")]


def _no_formula(message: str) -> str:
    """What a student returned may look like a formula to a spreadsheet; an apostrophe makes it text."""
    return f"'{message}" if message.startswith(("=", "+", "-", "@")) else message


def _write_table(path: Path, rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
