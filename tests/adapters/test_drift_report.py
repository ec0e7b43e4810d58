"""The report on two tables: what it finds, how often it cries wolf, what it says, and when it doubts itself."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from tinytorch.adapters.drift import compare_tables
from tinytorch.adapters.drift_chunks import read_duration
from tinytorch.adapters.drift_joint import _by_mmd, encode
from tinytorch.adapters.drift_open import open_tables
from tinytorch.adapters.drift_report import TableDriftReport
from tinytorch.adapters.drift_settings import DriftSettings
from tinytorch.adapters.tables import Table
from tinytorch.mlops.drift import UnivariateDetector

Frame = dict[str, np.ndarray]
COLUMNS_ALONE = DriftSettings(joint=False)


def mixed_table(rng: np.random.Generator, n: int) -> Frame:
    """Columns of every type, with ties, rare categories and missing values."""
    return {
        "normal": rng.normal(size=n),
        "skewed": rng.lognormal(size=n),
        "few": rng.integers(0, 4, n).astype(float),
        "gaps": np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)),
        "colour": rng.choice(["red", "green", "blue"], n, p=[0.5, 0.4, 0.1]).astype(object),
        "shop": rng.choice([f"shop {number}" for number in range(60)], n).astype(object),
        "vip": rng.random(n) < 0.3,
        "day": np.datetime64("2026-01-01") + rng.integers(0, 90, n).astype("timedelta64[D]"),
    }


def most_by_chance(n_trials: int, probability: float) -> int:
    """Return a number of successes that chance exceeds once in ten thousand, from the binomial law."""
    upto, term = 0.0, (1 - probability) ** n_trials
    for count in range(n_trials + 1):
        upto += term
        if upto >= 1 - 1e-4:
            return count
        term *= (n_trials - count) / (count + 1) * probability / (1 - probability)
    return n_trials


def autoregressive(rng: np.random.Generator, n: int, correlation: float = 0.8) -> np.ndarray:
    values = rng.normal(size=n)
    for row in range(1, n):
        values[row] += correlation * values[row - 1]
    return values


def sentence_of(report: TableDriftReport, name: str) -> str:
    return next(one.sentence for one in report.columns if one.name == name)


@pytest.mark.parametrize(
    ("rows", "joint", "n_trials"),
    [
        ((300, 200), False, 100),
        ((200, 120), True, 15),
        pytest.param((2000, 500), False, 600, marks=pytest.mark.drill),
        pytest.param((300, 200), True, 400, marks=pytest.mark.drill),
    ],
)
def test_tables_of_one_law_are_called_drifted_no_more_often_than_promised(
    rows: tuple[int, int], joint: bool, n_trials: int
) -> None:
    """With no minimum effect, so that the p-values alone decide; at most the promised share, by the binomial law."""
    settings = DriftSettings(alpha=0.1, minimum_effect=0.0, joint=joint)
    alarms = 0
    for seed in range(n_trials):
        rng = np.random.default_rng(seed)
        alarms += compare_tables(mixed_table(rng, rows[0]), mixed_table(rng, rows[1]), settings).drifted
    assert alarms <= most_by_chance(n_trials, 0.1)


def test_joint_tests_are_not_misled_by_a_column_of_many_categories() -> None:
    """Indicators chosen by the reference alone would flag a third of these pairs at a nominal tenth."""
    alarms = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        frames = [{"shop": mixed_table(rng, n)["shop"], "x": rng.normal(size=n)} for n in (150, 100)]
        tables = open_tables(frames[0], frames[1], COLUMNS_ALONE)
        assert tables.reference.rows is not None
        assert isinstance(tables.current, Table)
        encoded = encode(tables.reference.rows, tables.current, ["shop", "x"])[1]
        alarms += _by_mmd(encoded, 0.1, seed).pvalue <= 0.1
    assert alarms <= most_by_chance(60, 0.1)


def test_chunks_of_one_law_raise_alarms_no_more_often_than_promised() -> None:
    settings = DriftSettings(alpha=0.1, minimum_effect=0.0, joint=False, chunk_rows=50)
    alarms = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        alarms += bool(compare_tables(mixed_table(rng, 1000), mixed_table(rng, 300), settings).alarms)
    assert alarms <= most_by_chance(20, 0.1)


@pytest.mark.parametrize("seed", range(3))
def test_each_kind_of_shift_is_found_and_nothing_else(seed: int) -> None:
    rng = np.random.default_rng(seed)
    reference, current = mixed_table(rng, 3000), mixed_table(rng, 1000)
    current["normal"] += 0.5
    current["few"] = np.minimum(current["few"] + (rng.random(1000) < 0.5), 3.0)
    current["gaps"][rng.random(1000) < 0.2] = np.nan
    current["colour"][rng.random(1000) < 0.1] = "mauve"
    current["vip"] |= rng.random(1000) < 0.4
    current["day"] += np.timedelta64(40, "D")
    report = compare_tables(reference, current)
    assert set(report.drifted_columns) == {"normal", "few", "gaps", "colour", "vip", "day"}
    assert "moved up by 0." in sentence_of(report, "normal")
    assert "missing values rose from" in sentence_of(report, "gaps")
    assert "never seen before ('mauve')" in sentence_of(report, "colour")
    assert "days later" in sentence_of(report, "day")
    assert all(one.drifted for one in report.joint)
    assert report.joint[0].facts.betrayed_by


def test_the_share_of_values_beyond_the_reference_is_said() -> None:
    rng = np.random.default_rng(0)
    reference = {"age": rng.uniform(0, 1, 5000)}
    report = compare_tables(
        reference, {"age": np.append(rng.uniform(0.3, 0.99, 969), np.linspace(2, 3, 31))}, COLUMNS_ALONE
    )
    assert "3.1% of values lie above anything seen before" in sentence_of(report, "age")


def test_a_tiny_real_shift_in_many_rows_is_told_and_raises_no_verdict() -> None:
    rng = np.random.default_rng(0)
    report = compare_tables({"x": rng.normal(size=200_000)}, {"x": rng.normal(0.05, 1, 200_000)})
    assert not report.drifted
    assert report.columns[0].adjusted_pvalue < 1e-6
    assert "differs, but only" in report.columns[0].sentence


def test_a_difference_in_correlation_alone_is_found_by_the_joint_tests() -> None:
    rng = np.random.default_rng(0)
    straight, crossed = [[1, 0.95], [0.95, 1]], [[1, -0.95], [-0.95, 1]]
    tables = [rng.multivariate_normal([0, 0], law, 2000) for law in (straight, crossed)]
    report = compare_tables(*tables)
    assert not report.drifted_columns
    assert report.drifted
    assert "No single column moved" in report.recommendations[0]


def test_dependent_rows_bring_a_warning_and_with_a_time_column_a_test_that_allows_for_them() -> None:
    """Twenty null pairs at a correlation of 0.8: nearly all are flagged as if independent, few by blocks.

    Short series keep some false alarms (0.07 at 0.05 by the docstring of the block tests), so 0.25 is assumed at 0.1.
    """
    plain = DriftSettings(alpha=0.1, minimum_effect=0.0, joint=False, types={"t": "row number"})
    ordered = DriftSettings(alpha=0.1, minimum_effect=0.0, time="t")
    flagged = {"plain": 0, "ordered": 0}
    for seed in range(20):
        rng = np.random.default_rng(seed)
        tables = [
            {"t": np.arange(400.0) ** 1.1 + start, **{name: autoregressive(rng, 400) for name in "abcd"}}
            for start in (0.0, 1e6)
        ]
        report = compare_tables(*tables, plain)
        assert any(note.startswith("Warning: neighbouring rows") for note in report.notes)
        flagged["plain"] += report.drifted
        report = compare_tables(*tables, ordered)
        assert all(one.facts.test == "shuffled blocks of rows" for one in report.columns)
        assert report.joint == ()
        flagged["ordered"] += report.drifted
    assert flagged["plain"] >= 15
    assert flagged["ordered"] <= most_by_chance(20, 0.25)


def test_blocks_still_find_a_real_shift() -> None:
    rng = np.random.default_rng(1)
    tables = [{"t": np.arange(600.0) + 1e4 * at, "a": autoregressive(rng, 600) + 4.0 * at} for at in (0, 1)]
    assert compare_tables(*tables, DriftSettings(time="t")).drifted_columns == ("a",)


def test_rows_are_put_in_the_order_of_time() -> None:
    rng = np.random.default_rng(0)
    table = {"t": np.arange(500.0), "a": autoregressive(rng, 500)}
    order = rng.permutation(500)
    shuffled = {name: column[order] for name, column in table.items()}
    settings = DriftSettings(time="t")
    assert compare_tables(shuffled, shuffled, settings).to_json() == compare_tables(table, table, settings).to_json()


def test_independent_rows_bring_no_warning() -> None:
    rng = np.random.default_rng(0)
    assert compare_tables(mixed_table(rng, 2000), mixed_table(rng, 2000), COLUMNS_ALONE).notes == ()


def test_chunks_show_when_it_began_and_an_alarm_needs_several() -> None:
    rng = np.random.default_rng(0)
    reference = mixed_table(rng, 3000)
    current = mixed_table(rng, 1000)
    current["normal"][600:] += 1.0
    report = compare_tables(reference, current, DriftSettings(joint=False, chunk_rows=100))
    assert [chunk.drifted for chunk in report.chunks] == [False] * 6 + [True] * 4
    assert [(alarm.first, alarm.last, alarm.columns) for alarm in report.alarms] == [
        ("rows 601 to 700", "rows 901 to 1000", ("normal",))
    ]
    current["normal"][600:] -= 1.0
    current["normal"][300:400] += 1.0
    report = compare_tables(reference, current, DriftSettings(joint=False, chunk_rows=100))
    assert [chunk.drifted for chunk in report.chunks].count(True) == 1
    assert report.alarms == ()


def test_chunks_by_time_carry_the_date_at_which_they_begin() -> None:
    rng = np.random.default_rng(0)
    days = np.sort(np.datetime64("2026-03-01") + rng.integers(0, 5 * 24, 1000).astype("timedelta64[h]"))
    table = {"when": days, "x": rng.normal(size=1000)}
    report = compare_tables(table, table, DriftSettings(time="when", chunk_every_s=read_duration("1d")))
    assert [chunk.label for chunk in report.chunks] == [f"2026-03-0{day}" for day in range(1, 6)]
    assert sum(chunk.n_rows for chunk in report.chunks) == 1000


def test_predictions_and_labels_have_roles_and_the_fall_of_accuracy_is_measured() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(1000, 2))
    truth = np.where(rng.random(1000) < 0.5, "yes!", "no!").astype(object)
    wrong = rng.random(1000) < 0.3
    guess = np.where(wrong, np.where(truth == "yes!", "no!", "yes!"), truth).astype(object)
    reference = {"a": features[:, 0], "b": features[:, 1], "guess": truth, "truth": truth}
    current = {"a": features[:, 0], "b": features[:, 1], "guess": guess, "truth": truth}
    report = compare_tables(reference, current, DriftSettings(prediction="guess", label="truth"))
    assert {one.name: one.role for one in report.columns} == {
        "a": "feature",
        "b": "feature",
        "guess": "prediction",
        "truth": "label",
    }
    assert report.quality is not None
    assert report.quality.current == pytest.approx(1 - wrong.mean())
    assert report.quality.pvalue < 1e-9
    late = {name: column for name, column in current.items() if name != "truth"}
    report = compare_tables(reference, late, DriftSettings(prediction="guess", label="truth"))
    assert report.quality is None
    assert any("has no labels yet (truth)" in note for note in report.notes)


def test_row_numbers_are_shown_and_not_tested() -> None:
    rng = np.random.default_rng(0)
    tables = [{"id": np.arange(200.0) + start, "x": rng.normal(size=200)} for start in (0, 200)]
    report = compare_tables(*tables)
    assert report.untested == (("id", "row number"),)
    assert not report.drifted
    assert compare_tables(*tables, DriftSettings(types={"id": "number"})).drifted_columns == ("id",)


def test_columns_that_cannot_be_compared_are_named() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="current must have the columns of reference, got none called b; it has a"):
        compare_tables({"a": rng.normal(size=9), "b": rng.normal(size=9)}, {"a": rng.normal(size=9)})
    with pytest.raises(ValueError, match="options must name columns of reference, got 'c'; it has a"):
        compare_tables({"a": rng.normal(size=9)}, {"a": rng.normal(size=9)}, DriftSettings(label="c"))


@pytest.mark.parametrize("n_rows", [1, 2, 5])
def test_a_handful_of_rows_is_compared_without_a_fuss(n_rows: int) -> None:
    rng = np.random.default_rng(0)
    report = compare_tables(mixed_table(rng, 500), mixed_table(rng, n_rows))
    assert report.n_current == n_rows
    assert all(0 <= one.adjusted_pvalue <= 1 for one in report.columns)
    json.loads(report.to_json())


def test_empty_and_constant_columns_give_p_values_and_no_nan() -> None:
    nothing, seven = np.full(60, np.nan), np.full(60, 7.0)
    report = compare_tables({"a": nothing, "b": seven, "c": seven}, {"a": nothing, "b": seven, "c": seven + 1})
    assert [one.adjusted_pvalue for one in report.columns[:2]] == [1.0, 1.0]
    assert report.drifted_columns == ("c",)
    assert "was always 7 and no longer is" in sentence_of(report, "c")
    gone = compare_tables({"a": np.arange(60.0) % 7}, {"a": nothing})
    assert gone.drifted
    assert "missing values rose from 0% to 100%" in sentence_of(gone, "a")


def test_words_where_numbers_were_are_counted_as_missing_and_said() -> None:
    rng = np.random.default_rng(0)
    words = np.array([f"{value:.3f}" if number % 3 else "n.a.!" for number, value in enumerate(rng.normal(size=300))])
    report = compare_tables({"x": rng.normal(size=300)}, {"x": words.astype(object)})
    assert "100 values could not be read as number" in sentence_of(report, "x")


def test_a_detector_handed_in_judges_the_measured_columns() -> None:
    rng = np.random.default_rng(0)
    reference, current = mixed_table(rng, 800), mixed_table(rng, 400)
    current["normal"] += 0.8
    report = compare_tables(reference, current, COLUMNS_ALONE, UnivariateDetector())
    tests = {one.name: one.facts.test for one in report.columns}
    assert tests["normal"] == "your UnivariateDetector"
    assert tests["colour"] == "chi-square"
    assert report.drifted_columns == ("normal",)


def test_the_same_tables_always_get_the_same_report_and_json_is_json() -> None:
    rng = np.random.default_rng(0)
    tables = mixed_table(rng, 300), mixed_table(rng, 200)
    first, second = (compare_tables(*tables).to_json() for _ in range(2))
    assert first == second
    content = json.loads(first)
    assert content["drifted"] is False
    assert [one["facts"]["name"] for one in content["columns"]] == list(mixed_table(rng, 2))
    assert "NaN" not in first


def test_more_rows_show_smaller_shifts() -> None:
    rng = np.random.default_rng(0)
    shifts = [compare_tables({"x": rng.normal(size=n)}, {"x": rng.normal(size=n)}).detectable_shift for n in (50, 5000)]
    assert shifts[0] > 5 * shifts[1] > 0
    assert math.isfinite(shifts[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"alpha": 0.0}, "alpha must be in"),
        ({"minimum_effect": -1.0}, "minimum_effect must be in"),
        ({"types": {"a": "colour"}}, "type of a must be one of"),
        ({"chunk_rows": 1}, "chunk_rows must be an integer >= 2"),
        ({"chunk_rows": 9, "chunk_every_s": 9.0, "time": "t"}, "by rows or by time, got both"),
        ({"chunk_every_s": 9.0}, "time must name the column"),
        ({"label": "a", "prediction": "a"}, "must name different columns"),
        ({"chunks_in_a_row": 0}, "chunks_in_a_row must be an integer >= 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DriftSettings(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "1", "d", "-1d", "0d", "1 y"])
def test_a_duration_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration must be a number and one of s, m, h, d, w"):
        read_duration(text)
