"""A reference in a file: what it keeps, what it must not keep, and how well later tables are judged against it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.adapters import drift_open, drift_streams, read_table
from tinytorch.adapters.drift import compare_tables
from tinytorch.adapters.drift_open import open_tables
from tinytorch.adapters.drift_profile import FEWEST_IN_BIN, MOST_BINS, find_edges, profile_column
from tinytorch.adapters.drift_reference import Reference
from tinytorch.adapters.drift_settings import DriftSettings
from tinytorch.adapters.saved_reference import load_reference, save_reference
from tinytorch.adapters.tables import Column

COLUMNS_ALONE = DriftSettings(joint=False)


def table(rng: np.random.Generator, n: int, shift: float = 0.0) -> dict[str, np.ndarray]:
    return {
        "x": rng.normal(shift, 1, n),
        "few": rng.integers(0, 4, n).astype(float),
        "gaps": np.where(rng.random(n) < 0.1, np.nan, rng.lognormal(size=n)),
        "colour": rng.choice(["red", "blue"], n).astype(object),
    }


def save(tmp_path: Path, source: dict[str, np.ndarray], exact: bool = False) -> Path:
    opened = open_tables(source, source, DriftSettings())
    path = tmp_path / "reference.npz"
    save_reference(opened.reference, path, exact)
    return path


@given(st.lists(st.floats(-1e6, 1e6) | st.integers(-3, 3).map(float), min_size=1, max_size=300))
@settings(max_examples=100)
def test_no_edge_is_a_value_and_five_rows_lie_between_two_edges(values: list[float]) -> None:
    ordered = np.sort(np.array(values))
    edges = find_edges(ordered)
    assert not set(edges.tolist()) & set(values)
    assert (np.diff(edges) > 0).all()
    assert len(edges) < MOST_BINS
    counts = profile_column(Column("x", "number", ordered)).histogram.counts[0]
    assert counts.sum() == len(values)
    used = counts[counts > 0]
    assert len(used) == 1 or used.min() >= FEWEST_IN_BIN


def test_the_file_holds_no_value_of_the_table_and_pools_rare_categories(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    source = table(rng, 2000)
    source["colour"][:3] = "secret"
    path = save(tmp_path, source)
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    kept = np.concatenate([array.ravel() for array in arrays.values() if array.dtype.kind == "f"])
    for name in ("x", "gaps"):
        assert not np.isin(source[name], kept).any()
    assert b"secret" not in path.read_bytes()
    assert all("secret" not in array.tolist() for array in arrays.values() if array.ndim)
    assert all(array.size <= MOST_BINS for array in arrays.values())


@pytest.mark.parametrize("exact", [False, True])
def test_a_saved_reference_judges_like_the_table(tmp_path: Path, exact: bool) -> None:
    rng = np.random.default_rng(0)
    source, same, moved = table(rng, 20_000), table(rng, 2000), table(rng, 2000, 0.4)
    path = save(tmp_path, source, exact)
    for current in (same, moved):
        report, direct = compare_tables(path, current), compare_tables(source, current, COLUMNS_ALONE)
        assert report.drifted_columns == direct.drifted_columns
        for one, other in zip(report.columns, direct.columns, strict=True):
            gap = 1e-12 if exact else one.facts.rank_error + 1e-12
            assert abs(one.facts.statistic - other.facts.statistic) <= gap or one.facts.test == "chi-square"
            assert one.facts.missing_reference == other.facts.missing_reference
            assert one.facts.means == pytest.approx(other.facts.means, nan_ok=True)
    assert report.shapes[0].reference.sum() == pytest.approx(1.0)


def test_later_reports_state_the_error_and_that_joint_tests_are_impossible(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    report = compare_tables(save(tmp_path, table(rng, 5000)), table(rng, 500))
    assert "known to within 0.2 percentage points" in report.notes[0]
    assert report.joint == ()
    assert max(one.facts.rank_error for one in report.columns) < 0.003
    exact = compare_tables(save(tmp_path, table(rng, 5000), exact=True), table(rng, 500))
    assert "holds sorted values" in exact.notes[0]


def test_a_new_category_is_seen_against_a_file_that_pooled_none(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    current = table(rng, 500)
    current["colour"][:100] = "mauve"
    report = compare_tables(save(tmp_path, table(rng, 5000)), current)
    colour = next(one for one in report.columns if one.name == "colour")
    assert colour.drifted
    assert colour.facts.unseen == ("mauve",)


def test_constant_and_two_valued_columns_still_show_where_they_went(tmp_path: Path) -> None:
    path = save(tmp_path, {"seven": np.full(200, 7.0), "coin": np.arange(200.0) % 2})
    report = compare_tables(path, {"seven": np.full(100, 7.5), "coin": np.arange(100.0) % 2 * 2})
    assert set(report.drifted_columns) == {"seven", "coin"}
    assert not compare_tables(path, {"seven": np.full(100, 7.0), "coin": np.arange(100.0) % 2}).drifted


def test_a_saved_reference_takes_a_time_column_and_chunks(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = save(tmp_path, {"x": rng.normal(size=3000), "y": rng.normal(size=3000)})
    current = {"x": rng.normal(size=400), "y": rng.normal(size=400), "t": np.arange(400.0)[::-1] * 60}
    current["x"][:200] += 2.0  # the later half
    report = compare_tables(path, current, DriftSettings(time="t", chunk_every_s=6000.0))
    assert [chunk.drifted for chunk in report.chunks] == [False, False, True, True]


@pytest.mark.parametrize("damage", ["cut", "edges", "kind", "format", "content"])
def test_a_damaged_file_is_refused(tmp_path: Path, damage: str) -> None:
    path = save(tmp_path, table(np.random.default_rng(0), 200))
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:400])
    else:
        changes = {
            "edges": {"0.edges": arrays["0.edges"][::-1]},
            "kind": {"content": np.array(str(arrays["content"]).replace('"number"', '"colour"'))},
            "format": {"format": np.array("tinytorch drift reference 99")},
            "content": {"content": np.array("{}")},
        }
        np.savez(path, **(arrays | changes[damage]))
    with pytest.raises(ValueError, match=r"reference\.npz"):
        load_reference(path)


def test_what_cannot_be_saved_or_overridden_is_said(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = save(tmp_path, table(rng, 200))
    with pytest.raises(ValueError, match="types must be given when the reference is saved"):
        compare_tables(path, table(rng, 200), DriftSettings(types={"x": "category"}))
    with pytest.raises(ValueError, match="exact values must be at hand"):
        save_reference(load_reference(path), tmp_path / "again.npz", exact=True)
    again = tmp_path / "again.npz"
    save_reference(load_reference(path), again)
    assert load_reference(again).names == load_reference(path).names


# Files larger than memory ---------------------------------------------------------------------------------------


@pytest.fixture
def small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every file be too large for memory, and blocks be small."""

    def too_large(source: object) -> bool:
        return isinstance(source, (str, Path)) and Path(source).is_file()

    for module in (drift_open, drift_streams):
        monkeypatch.setattr(module, "is_too_large", too_large)
    blocks = read_table.csv_blocks
    monkeypatch.setattr(
        read_table, "csv_blocks", lambda path, keep, progress: blocks(path, keep, progress, block_bytes=20_000)
    )


def write_csv(path: Path, columns: dict[str, np.ndarray]) -> Path:
    rows = zip(*columns.values(), strict=True)
    cells = (",".join("" if cell != cell else str(cell) for cell in row) for row in rows)
    path.write_text("\n".join([",".join(columns), *cells]) + "\n", encoding="utf-8")
    return path


@pytest.mark.usefixtures("small_memory")
def test_files_read_in_blocks_get_the_verdict_of_the_whole_and_the_error_is_stated(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    source, moved = table(rng, 6000), table(rng, 3000, 0.4)
    moved["colour"][:600] = "mauve"
    files = write_csv(tmp_path / "a.csv", source), write_csv(tmp_path / "b.csv", moved)
    report, direct = compare_tables(*files), compare_tables(source, moved)
    assert (report.n_reference, report.n_current) == (6000, 3000)
    assert set(report.drifted_columns) == set(direct.drifted_columns) == {"x", "colour"}
    assert all(one.drifted for one in report.joint)
    assert "read in blocks and summed up" in report.notes[0]
    by_name = {one.name: one.facts for one in direct.columns}
    for one in report.columns:
        wanted = by_name[one.name]
        assert one.facts.missing_current == wanted.missing_current
        assert one.facts.means == pytest.approx(wanted.means, nan_ok=True)
        # Words in the CSV file are rounded nowhere, so only the edges make a difference.
        assert abs(one.facts.distance - wanted.distance) <= one.facts.rank_error + 1e-9
        assert one.facts.unseen == wanted.unseen
    assert not compare_tables(files[0], files[0]).drifted


@pytest.mark.usefixtures("small_memory")
def test_a_large_current_file_is_compared_with_a_table_in_memory(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = write_csv(tmp_path / "b.csv", table(rng, 3000, 0.5))
    assert compare_tables(table(rng, 6000), path).drifted_columns == ("x",)


@pytest.mark.usefixtures("small_memory")
def test_what_needs_all_rows_is_refused_for_large_files(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", table(np.random.default_rng(0), 100))
    with pytest.raises(ValueError, match="must be compared without a time column"):
        compare_tables(path, path, DriftSettings(time="x"))


@pytest.mark.usefixtures("small_memory")
def test_chunks_of_a_large_file_are_those_of_the_table_in_memory(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    source, current = table(rng, 3000), table(rng, 1050)
    current["x"][600:] += 1.0
    settings = DriftSettings(joint=False, chunk_rows=200)
    path = write_csv(tmp_path / "b.csv", current)
    report, direct = compare_tables(source, path, settings), compare_tables(source, current, settings)
    assert [(one.label, one.n_rows, one.drifted) for one in report.chunks] == [
        (one.label, one.n_rows, one.drifted) for one in direct.chunks
    ]
    assert report.alarms == direct.alarms != ()


@pytest.mark.usefixtures("small_memory")
def test_dependent_rows_are_warned_of_in_large_files_and_saved_references(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.normal(size=1000)) / 10
    path = write_csv(tmp_path / "walk.csv", {"x": walk, "y": rng.normal(size=1000)})
    assert any(note.startswith("Warning: neighbouring rows of `x`") for note in compare_tables(path, path).notes)
    kept = save(tmp_path, {"x": walk, "y": walk})
    assert any(note.startswith("Warning: ") for note in compare_tables(kept, {"x": walk, "y": walk}).notes)


def test_sums_of_parts_are_the_sum_of_the_whole() -> None:
    rng = np.random.default_rng(0)
    values = np.where(rng.random(3000) < 0.1, np.nan, rng.normal(size=3000))
    first = profile_column(Column("x", "number", values[:1000]))
    parts = [profile_column(Column("x", "number", part), first) for part in np.split(values[1000:], 4)]
    whole = profile_column(Column("x", "number", values), first)
    merged = first
    for part in parts:
        merged = merged.merge(part)
    np.testing.assert_array_equal(merged.histogram.counts, whole.histogram.counts)
    assert (merged.n_rows, merged.n_missing) == (whole.n_rows, whole.n_missing)
    np.testing.assert_allclose(merged.moments.mean, whole.moments.mean, rtol=1e-12)
    assert merged.rank_error == whole.rank_error


def test_a_reference_can_be_narrowed_to_some_columns() -> None:
    source = table(np.random.default_rng(0), 100)
    reference = open_tables(source, source, DriftSettings()).reference
    assert isinstance(reference, Reference)
    assert reference.select(["few", "x"]).names == ("x", "few")
