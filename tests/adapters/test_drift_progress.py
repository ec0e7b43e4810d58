"""The bar while files are read: there when somebody watches and waits, silent otherwise."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tinytorch.adapters import progress
from tinytorch.adapters.progress import reading_progress
from tinytorch.adapters.read_table import read_raw


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text("a\n" + "1\n" * 500, encoding="utf-8")
    return path


def test_nobody_watching_or_a_small_file_means_no_bar(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with reading_progress([table]) as move:
        assert move is None
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with reading_progress([table]) as move:
        assert move is None


def test_large_files_move_the_bar_to_its_end(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rich_progress = pytest.importorskip("rich.progress")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(progress, "SMALLEST_SHOWN_BYTES", 10)
    seen: list[float] = []
    update = rich_progress.Progress.update

    def note(self: object, task: object, **values: float) -> None:
        seen.append(values["advance"])
        update(self, task, **values)

    monkeypatch.setattr(rich_progress.Progress, "update", note)
    with reading_progress([table, table]) as move:
        assert move is not None
        for _ in range(2):
            read_raw(table, "table", progress=move)
    header = len("a\n")
    assert seen == [1000, 1000]
    assert table.stat().st_size == 1000 + header
