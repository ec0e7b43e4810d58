"""Progress bars show for people and stay silent for files."""

from __future__ import annotations

import sys

from tinytorch.adapters.terminal import training_progress
from tinytorch.mlops.networks import EpochProgress


def report(epoch: int) -> EpochProgress:
    return EpochProgress(epoch, 2, train_loss=0.5)


def test_nothing_is_written_when_nobody_watches(capsys):
    with training_progress("training") as on_epoch_end:
        on_epoch_end(report(1))
    assert capsys.readouterr() == ("", "")


def test_a_person_at_a_terminal_sees_the_epoch_and_the_loss(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with training_progress("training") as on_epoch_end:
        on_epoch_end(report(1))
        on_epoch_end(report(2))
    shown = capsys.readouterr()
    assert "training" in shown.err
    assert "epoch 2 of 2, loss 0.500" in shown.err
    assert shown.out == ""
