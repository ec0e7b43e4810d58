"""`tinytorch registry` as a person and as a script use it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tinytorch.adapters.registry_network import pack_network
from tinytorch.adapters.sqlite_registry import SqliteRegistry
from tinytorch.cli.main import main
from tinytorch.cli.registry import EPILOG
from tinytorch.core.layers import Linear, Sequential
from tinytorch.mlops.retrain.network import NetworkModel

SCORING = """
import numpy as np

def predict(features):
    likely = 1 / (1 + np.exp(-features.sum(axis=1)))
    return np.column_stack([1 - likely, likely])
"""
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `tinytorch registry ...` in a folder with a scoring.py, and return exit code and output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")  # each run puts the folder on the path; taken back afterwards
    Path("scoring_cli.py").write_text(SCORING, encoding="utf-8", newline="\n")
    capsys.readouterr()

    def act(line: str) -> tuple[int, str]:
        code = main(["registry", *shlex.split(line)])
        said = capsys.readouterr()
        return code, said.out + said.err

    return act


@pytest.fixture
def filled(run: Run) -> Run:
    """The same, with two versions; the second is the champion."""
    for seed in (1, 2):
        assert run(f"--actor ada register digits scoring_cli:predict --metric accuracy=0.9{seed} --seed {seed}")[0] == 0
    assert run("--actor ada promote digits 1")[0] == 0
    assert run("--actor bob promote digits 2 --reason 'better on blur'")[0] == 0
    return run


def test_from_a_function_to_a_champion_and_back(filled: Run) -> None:
    code, said = filled("list")
    assert code == 0 and "digits: 2 versions, champion 2" in said
    code, said = filled("rollback digits")
    assert code == 0 and "digits, version 1" in said and "is the champion again" in said
    code, said = filled("history digits")
    assert "bob: promote champion to version 2 (before: 1), revision 2 (better on blur)" in said
    assert said.count("register version") == 2


def test_every_answer_names_the_next_step_and_that_step_works(run: Run) -> None:
    line = "register digits scoring_cli:predict"
    for _ in range(5):
        code, said = run(line)
        assert code == 0
        line = said.rpartition("registry --folder registry ")[2].strip()
    assert line, "the chain goes on"


def test_what_was_serving_and_who_put_it_there_is_one_command(filled: Run) -> None:
    with SqliteRegistry("registry") as registry:
        first, second = (change.moment for change in registry.history("digits")[2:])
    for moment, version, actor in ((first + 1e-3, 1, "ada"), (second + 60, 2, "bob")):
        code, said = filled(f"--json history digits --at {moment!r}")
        (change,) = json.loads(said)
        assert code == 0 and (change["version"], change["actor"]) == (version, actor)
    code, said = filled("history digits --at 1999-12-31T23:59")
    assert code == 2 and "must be one at which 'digits' had a champion" in said
    assert filled("history digits --at 2100-01-01")[0] == 0


@pytest.mark.parametrize("when", ["2100-01-01T00:00Z", "2100-01-01T02:00+02:00", "4102444800"])
def test_a_time_may_carry_its_zone(filled: Run, when: str) -> None:
    assert filled(f"history digits --at {when}")[0] == 0


def test_show_tells_all_that_is_kept(filled: Run) -> None:
    _, said = filled("show digits champion")
    for part in ("aliases    champion", "callable: scoring_cli:predict", "accuracy=0.92", "seed       2", "numpy="):
        assert part in said
    code, said = filled("--json show digits 1")
    kept = json.loads(said)
    assert code == 0 and kept["entry"]["metrics"] == {"accuracy": 0.91} and kept["registered"]["actor"] == "ada"


def test_a_script_that_was_overtaken_is_told(filled: Run) -> None:
    code, said = filled("promote digits 1 --expected-revision 1")
    assert code == 2 and "expected_revision must be the current revision 2, got 1" in said
    assert filled("promote digits 1 --expected-revision 2")[0] == 0


def test_folder_actor_and_json_may_stand_before_the_action_and_after(run: Run) -> None:
    assert run("--folder one --actor ada register a scoring_cli:predict")[0] == 0
    assert run("register a scoring_cli:predict --actor bob --folder one")[0] == 0
    assert run("history --json --folder one") == run("--json --folder one history")
    assert [change["actor"] for change in json.loads(run("history a --folder one --json")[1])] == ["ada", "bob"]
    assert run("list")[0] == 2, "the default folder is another"


def test_an_alias_moves_and_is_taken_away(filled: Run) -> None:
    assert filled("alias digits challenger 1")[0] == 0
    assert "digits, version 1" in filled("show digits challenger")[1]
    assert filled("alias digits challenger none")[0] == 0
    assert filled("show digits challenger")[0] == 2
    assert filled("alias digits champion 1")[0] == 2


def test_verify_says_whether_anything_was_changed(filled: Run) -> None:
    code, said = filled("verify")
    assert code == 0 and "whole: 4 log entries, 1 artifacts" in said
    head = json.loads(filled("--json verify")[1])["head"]
    assert filled(f"verify --expect-head {head}")[0] == 0
    assert filled(f"verify --expect-head {'ab' * 32}")[0] == 1
    path = next(Path("registry/artifacts").glob("*/*"))
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    code, said = filled("verify")
    assert code == 1 and "damaged: artifact must have the SHA-256" in said


def test_a_network_in_a_file_is_registered_and_exported_to_onnx(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="the onnx extra is not installed")
    model = NetworkModel(Sequential(Linear(3, 2, rng=np.random.default_rng(0))), 3, 2)
    (tmp_path / "model.npz").write_bytes(pack_network(model))
    (tmp_path / "rows.csv").write_text("1,2\n", encoding="utf-8", newline="\n")
    assert run("register lines model.npz --tag team=vision --data rows.csv --code-version 4f2a")[0] == 0
    assert run("export-onnx lines latest out.onnx")[0] == 0
    assert run("register lines out.onnx --parent 1")[0] == 0
    with SqliteRegistry("registry") as registry:
        rows = np.random.default_rng(1).normal(size=(5, 3))
        for version in (1, 2):
            assert np.array_equal(registry.load("lines", version).predict_proba(rows), model.predict_proba(rows))
        first = registry.describe("lines", 1)
        assert first.entry.tags == {"team": "vision"} and len(first.entry.data_hash) == 64
        assert first.provenance.code_version == "4f2a" and registry.get("lines", 2).parent == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("promote digits 9", "version_or_alias must be"),
        ("promote letters 1", "name must be one of"),
        ("register ../up scoring_cli:predict", "model_name must be"),
        ("register digits no_such:predict", "target must name a module"),
        ("register digits no.onnx", "ONNX"),
        ("register digits no.npz", "was not done"),
        ("register digits ftp://x/v2/models/y", "url must be http"),
        ("register digits scoring_cli:predict --metric accuracy", "must be NAME=VALUE"),
        ("register digits scoring_cli:predict --metric accuracy=high", "must be NAME=NUMBER"),
        ("register digits scoring_cli:predict --seed -1", "seed must be"),
        ("register digits scoring_cli:predict --data no.csv", "was not done"),
        ("history --at 2026-01-01", "--at must come with a NAME"),
        ("history digits --at soon", "--at must be like"),
        ("history digits --at nan", "moment must be"),
        ("export-onnx digits 1 out.onnx", "version must be a TinyTorch network"),
        ("--folder nowhere list", "--folder must be a registry"),
        ("--actor '' promote digits 1", "actor must not be empty"),
    ],
)
def test_bad_input_is_one_line_and_code_2_and_changes_nothing(filled: Run, line: str, message: str) -> None:
    before = filled("--json history")[1]
    code, said = filled(line)
    assert code == 2 and message in said and said.count("\n") == 1, said
    assert filled("--json history")[1] == before
    assert not Path("nowhere").exists()


def test_a_file_that_is_no_database_is_said_in_one_line(run: Run) -> None:
    Path("registry").mkdir()
    Path("registry/registry.db").write_bytes(b"hello " * 1000)
    code, said = run("list")
    assert code == 2 and "must be a model registry" in said
    assert run("verify")[0] == 1


def test_every_command_of_the_help_is_one(run: Run) -> None:
    lines = [line.split("tinytorch registry ")[1] for line in EPILOG.splitlines() if "tinytorch registry" in line]
    assert {line.split()[0] for line in lines} <= {"register", "promote", "rollback", "history", "verify"}
    with pytest.raises(SystemExit) as left:
        run("--help")
    assert left.value.code == 0
