"""`tinytorch drift` as a user meets it: exit codes, the table, files written, and what is said of bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tinytorch.checks.calls import ContractError
from tinytorch.cli import drift
from tinytorch.cli.main import main


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Three tables of one law, the last one moved."""
    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("tables")
    paths = {}
    for name, shift in (("reference", 0.0), ("same", 0.0), ("moved", 0.8)):
        path = folder / f"{name}.csv"
        lines = [
            f"{value:.3f},{colour},2026-01-{1 + row // 30:02d}"
            for row, (value, colour) in enumerate(
                zip(rng.normal(shift, 1, 600), rng.choice(["red", "blue"], 600), strict=True)
            )
        ]
        path.write_text("\n".join(["age,colour,day", *lines]) + "\n", encoding="utf-8")
        paths[name] = str(path)
    return paths


@pytest.mark.parametrize(("current", "code", "verdict"), [("same", 0, "No drift"), ("moved", 1, "Drift (")])
def test_the_exit_code_and_the_first_line_say_the_verdict(
    files: dict[str, str], current: str, code: int, verdict: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["drift", files["reference"], files[current], "--time", "day"]) == code
    printed = capsys.readouterr().out
    assert printed.startswith(verdict)
    assert "Next:" in printed.splitlines()[-1]


def test_json_and_page_are_written_and_the_page_needs_nothing_else(
    files: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--json", str(tmp_path / "r.json"), "--html", str(tmp_path / "r.html"), "--chunk-every", "5d"]
    assert main(["drift", files["reference"], files["moved"], "--time", "day", *options]) == 1
    content = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert content["drifted_columns"] == ["age"]
    assert len(content["chunks"]) == 5
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "http" not in page.replace("http-equiv", "")
    assert "<script" not in page
    assert page.count("<svg") == 3
    assert str(tmp_path / "r.html") in capsys.readouterr().out


def test_json_alone_goes_to_standard_output(files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drift", files["reference"], files["same"], "--type", "day=text", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["drifted"] is False


@pytest.mark.parametrize("options", [[], ["--exact"]])
def test_a_saved_reference_takes_the_place_of_the_table(
    files: dict[str, str], tmp_path: Path, options: list[str]
) -> None:
    kept = str(tmp_path / "kept.npz")
    common = ["--type", "day=text"]
    assert main(["drift", files["reference"], files["same"], "--save-reference", kept, *options, *common]) == 0
    assert main(["drift", kept, files["same"]]) == 0
    assert main(["drift", kept, files["moved"]]) == 1


def test_the_student_s_detector_judges_the_numbers_and_it_is_said(
    files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--type", "day=text", "--mine"]
    assert main(["drift", files["reference"], files["moved"], *options]) == 1
    captured = capsys.readouterr()
    assert "your DriftDetector judges the numeric columns" in captured.err
    assert any(line.startswith("  age ") and "your DriftDetector" in line for line in captured.out.splitlines())


def test_an_unfinished_detector_is_replaced_and_it_is_said(
    files: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unfinished(make: object) -> None:
        raise ContractError("detect_drift is not written yet")

    monkeypatch.setattr(drift, "check_detector", unfinished)
    assert main(["drift", files["reference"], files["same"], "--type", "day=text", "--mine"]) == 0
    assert "the library's tests, because your DriftDetector: detect_drift is not written yet" in capsys.readouterr().err


BAD = {
    "missing file": (["{folder}/none.csv"], "No such file"),
    "folder": (["{folder}"], "must be a file that can be read"),
    "binary": (["{folder}/binary.bin"], "binary file"),
    "empty": (["{folder}/empty.csv"], "got an empty file"),
    "other columns": (["{folder}/other.csv"], "must have the columns of"),
    "type without a kind": (["{same}", "--type", "age"], "--type must be NAME=TYPE"),
    "unknown type": (["{same}", "--type", "age=colour"], "must be one of"),
    "unknown column": (["{same}", "--label", "price"], "options must name columns of"),
    "chunks without time": (["{same}", "--chunk-every", "1d"], "time must name the column"),
    "no duration": (["{same}", "--time", "day", "--chunk-every", "often"], "duration must be"),
    "tiny chunks": (["{same}", "--time", "day", "--chunk-every", "1s", "--chunk-rows", "9"], "got both"),
    "time of words": (["{same}", "--time", "colour"], "time must name a column of dates or numbers"),
    "exact alone": (["{same}", "--exact"], "--exact must come with --save-reference"),
    "alpha": (["{same}", "--alpha", "2"], "alpha must be in"),
    "json in no folder": (["{same}", "--json", "{folder}/none/r.json"], "--json must be a file that can be written"),
    "one row": (["{folder}/one.csv"], "one.csv must have at least 2 rows, got 1."),
    "all missing": (["{folder}/missing.csv"], "must have values in the columns compared, got 40 rows of missing ones"),
    "page over a table": (["{same}", "--html", "{same}"], "--html must name a file of its own, got CURRENT"),
    "JSON over a table": (["{same}", "--json", "{reference}"], "--json must name a file of its own, got REFERENCE"),
    "two files in one": (["{same}", "--html", "{folder}/r", "--json", "{folder}/r"], "a file of its own, got --html"),
    "saved reference second": (["{saved}"], "current must be a table, got a saved reference"),
    "html is a folder": (["{same}", "--html", "{folder}"], "page must be a file that can be written"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_and_exit_code_2(
    files: dict[str, str], tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "binary.bin").write_bytes(bytes(range(256)) * 4)
    (tmp_path / "empty.csv").touch()
    (tmp_path / "other.csv").write_text("size\n1\n", encoding="utf-8")
    (tmp_path / "one.csv").write_text("age,colour,day\n0.1,red,2026-01-01\n", encoding="utf-8")
    (tmp_path / "missing.csv").write_text("age,colour,day\n" + ",,\n" * 40, encoding="utf-8")
    before = {path: Path(path).read_bytes() for path in files.values()}
    saved = str(tmp_path / "saved.npz")
    if name == "saved reference second":
        main(["drift", files["reference"], files["same"], "--no-joint", "--save-reference", saved])
        capsys.readouterr()
    arguments, message = BAD[name]
    filled = [argument.format(folder=tmp_path, saved=saved, **files) for argument in arguments]
    assert main(["drift", files["reference"], *filled]) == 2
    error = capsys.readouterr().err
    assert error.startswith("tinytorch drift: ")
    assert message in error
    assert len(error.splitlines()) == 1
    assert {path: Path(path).read_bytes() for path in files.values()} == before


def test_the_help_has_examples_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["drift", "--help"])
    printed = capsys.readouterr().out
    assert "tinytorch drift train.csv today.csv" in printed
    assert "exit codes: 0 no drift, 1 drift, 2 bad input" in printed


def test_a_saved_reference_says_when_new_categories_could_hide_among_the_rare(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        rows = "".join(f"{name}{number % 84}\n" for number in range(200))
        (tmp_path / f"{name}.csv").write_text("visit\n" + rows, encoding="utf-8")
    before, after, saved = (str(tmp_path / name) for name in ("a.csv", "b.csv", "a.npz"))
    assert main(["drift", before, after, "--type", "visit=category", "--save-reference", saved]) == 1
    main(["drift", saved, after])
    assert "100% of the reference's rows in `visit` are of categories too rare" in capsys.readouterr().out
