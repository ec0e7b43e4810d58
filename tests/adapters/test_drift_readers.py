"""Tables from files and from Python: what is read, as which type, and what is said of files that are no tables."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.adapters.column_types import find_kind, type_columns
from tinytorch.adapters.drift import compare_tables
from tinytorch.adapters.extras import MissingExtraError
from tinytorch.adapters.read_arrow import read_csv_fast
from tinytorch.adapters.read_csv import csv_blocks, find_csv_layout, read_csv
from tinytorch.adapters.read_table import read_raw
from tinytorch.adapters.tables import RawTable

ROWS = "".join(f"{n},{n % 3},x{n % 2}\n" for n in range(40))
GOOD = f"a,b,c\n{ROWS}"


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


def objects(*values: object) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


# name -> content of a file, what the message must say
MALFORMED: dict[str, tuple[bytes | str, str]] = {
    "binary": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)), "binary file"),
    "control bytes": (b"a,b\n\x01\x02\xff\x03,1\n", "binary file"),
    "empty": (b"", "got an empty file"),
    "blank": (b"\n\n  \n", "got an empty file"),
    "header only": (b"a,b,c\n", "must have rows below its header"),
    "no header": (b"1,2,3\n4,5,6\n", "must begin with a row of column names, got numbers: 1, 2, 3"),
    "duplicate columns": (b"a,b,a\n1,2,3\n", "must name every column once, got 'a' twice"),
    "ragged": (GOOD + "1,2\n", "must have 3 cells in every row, got 2 in row 42"),
    "mixed delimiters": (GOOD + "1;2;x0\n", "seem to be divided by ';' instead of ','"),
    "unclosed quote": (GOOD + '1,2,"open\n' + ROWS, "an unclosed quote?"),
    "huge field": (GOOD + f'1,2,"{"x" * 200_000}"\n', "field larger than field limit"),
    "utf-16": ("a,b\n1,2\n".encode("utf-16"), "got UTF-16: save it as UTF-8"),
    "cut gzip": (gzip.compress(GOOD.encode() * 500)[:-30], "got a damaged one"),
    "zip that is no npz": (b"PK\x03\x04" + b"\x00" * 40, "numpy arrays"),
    "cut npy": (b"\x93NUMPY\x01\x00", "numpy arrays"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file_is_refused_in_a_sentence_that_names_it(tmp_path: Path, name: str) -> None:
    content, message = MALFORMED[name]
    path = write(tmp_path / "bad.csv", content)
    with pytest.raises(ValueError, match=r"bad\.csv") as caught:
        read_raw(path, "reference")
    assert message in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="No such file"):
        read_raw(tmp_path / "none.csv", "reference")
    with pytest.raises(ValueError, match="must be a file that can be read"):
        read_raw(tmp_path, "reference")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("zipped", [False, True])
def test_a_csv_file_of_any_delimiter_is_read_zipped_or_not(tmp_path: Path, delimiter: str, zipped: bool) -> None:
    content = GOOD.replace(",", delimiter).encode()
    raw = read_csv(write(tmp_path / "good.csv", gzip.compress(content) if zipped else content))
    assert raw.names == ("a", "b", "c")
    assert raw.columns[0].tolist() == list(range(40))
    assert raw.columns[2].tolist() == [f"x{n % 2}" for n in range(40)]


@pytest.mark.parametrize(
    ("encoding", "note"), [("utf-8", False), ("utf-8-sig", False), ("latin-1", True)], ids=["utf8", "bom", "latin1"]
)
def test_an_encoding_is_found_and_named_where_it_was_guessed(tmp_path: Path, encoding: str, note: bool) -> None:
    raw = read_csv(write(tmp_path / "towns.csv", "größe,town\n1,Köln\n2,Æbeltoft\n".encode(encoding)))
    assert raw.names == ("größe", "town")
    assert raw.columns[1].tolist() == ["Köln", "Æbeltoft"]
    assert any("read as Latin-1" in sentence for sentence in raw.notes) == note


def test_quoted_cells_may_hold_delimiters_quotes_and_line_ends_even_across_blocks(tmp_path: Path) -> None:
    cells = ["plain", 'say ""hi""', "two\nlines", "a,b"]
    text = "n,text\n" + "".join(f'{n},"{cell}"\n' for n, cell in enumerate(cells * 5))
    wanted = [cell.replace('""', '"') for cell in cells] * 5
    for size in (1, 7, 10_000):
        blocks = list(csv_blocks(write(tmp_path / "quoted.csv", text), block_bytes=size))
        assert [cell for block in blocks for cell in block.columns[1]] == wanted


def test_a_semicolon_file_may_write_numbers_with_a_comma(tmp_path: Path) -> None:
    raw = read_csv(write(tmp_path / "europe.csv", "a;b\n1,5;x\n-2,25;y\n3;z\n"))
    assert raw.columns[0].tolist() == [1.5, -2.25, 3.0]


def test_windows_line_ends_and_a_missing_last_one_change_nothing(tmp_path: Path) -> None:
    plain = read_csv(write(tmp_path / "a.csv", "a,b\n1,\n,2\n"))
    other = read_csv(write(tmp_path / "b.csv", "a,b\r\n1,\r\n,2"))
    for raw in (plain, other):
        np.testing.assert_array_equal(np.array(raw.columns), [[1, np.nan], [np.nan, 2]])


@given(
    st.lists(
        st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), min_size=3, max_size=3), min_size=1, max_size=8
    ).filter(lambda rows: all(any(cell is not None for cell in row) for row in rows))
)
@settings(max_examples=40)
def test_the_fast_reader_and_the_careful_one_read_the_same_numbers(rows: list[list[float | None]]) -> None:
    """A column of words sends the whole block to the careful reader."""
    lines = [",".join("" if cell is None else repr(cell) for cell in row) for row in rows]
    path = Path("table.csv").resolve()
    try:
        fast = read_csv(write(path, "a,b,c\n" + "\n".join(lines) + "\n"))
        careful = read_csv(write(path, "a,b,c,w\n" + "\n".join(f"{line},word" for line in lines) + "\n"))
    finally:
        path.unlink()
    for left, right in zip(fast.columns, careful.columns, strict=False):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array([1.5, np.nan]), "number"),
        (np.arange(50.0) + 7, "row number"),
        (np.array([True, False]), "boolean"),
        (np.array(["2026-01-01"], dtype="datetime64[D]"), "date"),
        (objects("1", "2.5", "NA", None), "number"),
        (objects(*["1"] * 5, *[str(n) for n in range(60)], "oops"), "number"),
        (objects("yes", "No", ""), "boolean"),
        (objects("2026-01-02", "2026/1/3", "2026-01-02T10:30:00Z"), "date"),
        (objects("red", "blue"), "category"),
        (objects(*(f"name {n}" for n in range(100))), "text"),
        (objects(*["This is a long sentence that keeps coming back, again and again and again."] * 9), "text"),
        (objects(None, "", "null"), "number"),
    ],
)
def test_the_kind_of_a_column_is_found(values: np.ndarray, kind: str) -> None:
    assert find_kind(values) == kind


def test_a_type_can_be_overridden_and_keeps_leading_zeros(tmp_path: Path) -> None:
    path = write(tmp_path / "codes.csv", "code,n\n007,1\n070,2\n")
    assert read_csv(path).columns[0].tolist() == [7, 70]
    table = type_columns(read_csv(path, keep_text=["code"]), {"code": "category"})
    assert table["code"].categories == ("007", "070")
    with pytest.raises(ValueError, match="type of code must be one of"):
        type_columns(read_csv(path), {"code": "colour"})


def test_dates_are_read_with_and_without_zones() -> None:
    raw = RawTable(("t",), (objects("1970-01-02", "1970-01-01T01:00:00+01:00", "1970-01-01 00:00:01", ""),), "x")
    values = type_columns(raw, {"t": "date"})["t"].values
    np.testing.assert_array_equal(values, [86_400.0, 0.0, 1.0, np.nan])


def test_infinities_and_stray_words_count_as_missing_and_are_counted() -> None:
    raw = RawTable(("a",), (objects("1", "inf", "oops", "2", None),), "x")
    column = type_columns(raw, {"a": "number"})["a"]
    assert column.n_unreadable == 2
    assert np.isnan(column.values).sum() == 3


def test_arrays_archives_and_dictionaries_are_tables(tmp_path: Path) -> None:
    table = np.arange(12.0).reshape(6, 2) ** 2
    np.save(tmp_path / "t.npy", table)
    np.savez(tmp_path / "t.npz", feature_names=np.array(["u", "v"]), rows=table)
    np.savez(tmp_path / "columns.npz", u=table[:, 0], v=table[:, 1])
    structured = np.rec.fromarrays(table.T, names="u,v")
    np.save(tmp_path / "s.npy", np.asarray(structured))
    assert read_raw(tmp_path / "t.npy", "r").names == ("feature_0", "feature_1")
    for source in (
        tmp_path / "t.npz",
        tmp_path / "columns.npz",
        tmp_path / "s.npy",
        {"u": table[:, 0], "v": table[:, 1]},
    ):
        raw = read_raw(source, "r")
        assert raw.names == ("u", "v")
        np.testing.assert_array_equal(np.array(raw.columns).T, table)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"a": [1, 2], "b": [1]}, "columns of one length above 0, got a: 2, b: 1"),
        ({}, "got nothing"),
        (np.zeros((0, 3)), "must have rows and columns"),
        (np.zeros((2, 2, 2)), "must have rows and columns"),
        (np.zeros(3, dtype=complex), "must hold numbers, booleans, dates or text"),
        (7, "must be a path, an array, a dictionary of columns, or a frame"),
    ],
)
def test_what_is_no_table_is_refused(source: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_raw(source, "reference")


def test_a_pickle_in_an_archive_is_never_opened(tmp_path: Path) -> None:
    np.savez(tmp_path / "evil.npz", a=np.array([{"x": 1}], dtype=object))
    with pytest.raises(ValueError, match="without pickles"):
        read_raw(tmp_path / "evil.npz", "reference")


def frames() -> dict[str, list[object]]:
    rng = np.random.default_rng(0)
    days = [f"2026-01-{1 + n % 28:02d}" for n in range(200)]
    return {
        "age": [None if n % 20 == 0 else float(value) for n, value in enumerate(rng.normal(40, 9, 200))],
        "colour": [None if n % 50 == 0 else ("red", "blue")[n % 2] for n in range(200)],
        "day": days,
        "vip": [bool(n % 3) for n in range(200)],
    }


def assert_reads_like_the_dictionary(source: object) -> None:
    wanted, found = (type_columns(read_raw(one, "r"), {"day": "date"}) for one in (frames(), source))
    assert found.names == wanted.names
    for one, other in zip(wanted.columns, found.columns, strict=True):
        assert one.kind == other.kind
        assert one.categories == other.categories
        np.testing.assert_allclose(one.values, other.values)


def test_pandas_frames_are_tables() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(frames())
    assert_reads_like_the_dictionary(frame)
    assert_reads_like_the_dictionary(frame.assign(day=pandas.to_datetime(frame["day"])))
    assert_reads_like_the_dictionary(frame.assign(colour=frame["colour"].astype("category")))
    assert_reads_like_the_dictionary(frame.convert_dtypes())


def test_polars_frames_are_tables() -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(frames())
    assert_reads_like_the_dictionary(frame)
    assert_reads_like_the_dictionary(frame.with_columns(polars.col("day").str.to_date()))
    assert_reads_like_the_dictionary(frame.with_columns(polars.col("colour").cast(polars.Categorical)))


def test_parquet_arrow_and_feather_files_are_tables(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import feather, parquet

    table = arrow.table(frames())
    parquet.write_table(table, tmp_path / "t.parquet")
    feather.write_feather(table, tmp_path / "t.feather")
    with arrow.ipc.new_file(tmp_path / "t.arrow", table.schema) as writer:
        writer.write_table(table)
    for source in (table, tmp_path / "t.parquet", tmp_path / "t.feather", tmp_path / "t.arrow"):
        assert_reads_like_the_dictionary(source)
    assert not compare_tables(tmp_path / "t.parquet", tmp_path / "t.arrow").drifted
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "t.parquet").read_bytes()[:200])
    with pytest.raises(ValueError, match=r"cut\.parquet must be a whole Parquet or Arrow file"):
        read_raw(tmp_path / "cut.parquet", "r")


def test_pyarrow_reads_a_csv_file_as_the_careful_reader_does(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    rng = np.random.default_rng(0)
    lines = [
        f"{value:.4f},{number},{'' if number % 9 == 0 else number % 5},{('red', 'NA', 'blue')[number % 3]},"
        f'"say ""{number}"", twice",2026-01-{1 + number % 28:02d},{("true", "false")[number % 2]},{number % 7:03d}'
        for number, value in enumerate(rng.normal(size=300))
    ]
    path = write(tmp_path / "t.csv", "\n".join(["a,n,gaps,colour,quote,day,vip,code", *lines]) + "\n")
    zipped = write(tmp_path / "t.csv.gz", gzip.compress(path.read_bytes()))
    keep = ["code"]
    wanted = type_columns(read_csv(path, keep), {"code": "category"})
    for source in (path, zipped):
        raw = read_csv_fast(source, find_csv_layout(source), keep)
        assert raw is not None
        found = type_columns(raw, {"code": "category"})
        assert [column.kind for column in found.columns] == [column.kind for column in wanted.columns]
        for one, other in zip(wanted.columns, found.columns, strict=True):
            assert one.categories == other.categories
            np.testing.assert_array_equal(one.values, other.values)
    ragged = write(tmp_path / "ragged.csv", path.read_bytes() + b"1,2\n")
    assert read_csv_fast(ragged, find_csv_layout(ragged)) is None


@given(
    st.binary(max_size=400) | st.text(alphabet='ab1,;"\n\t|. é', max_size=200).map(lambda text: text.encode("utf-8"))
)
@settings(max_examples=300)
def test_any_bytes_are_a_table_or_are_refused_with_a_value_error(content: bytes) -> None:
    path = Path("noise.csv").resolve()
    try:
        path.write_bytes(content)
        raw = read_raw(path, "reference")
    except MissingExtraError:
        assert content.startswith((b"PAR1", b"ARROW1"))
    except ValueError as error:
        assert "noise.csv" in str(error)
    else:
        assert raw.n_rows > 0
        type_columns(raw, {})
    finally:
        path.unlink()
