"""The board of rules: each change is said once, silence is kept, and a refused call moves nothing."""

from __future__ import annotations

import pytest

from tinytorch.mlops.monitor import AlertBoard, ThresholdRule


def a_board() -> AlertBoard:
    return AlertBoard(
        [ThresholdRule("errors", fire_above=0.05, clear_below=0.02), ThresholdRule("rows", fire_below=10.0, for_s=60.0)]
    )


def said(board: AlertBoard, now: float, **values: float | None) -> list[tuple[str, str]]:
    return [(alert.rule, alert.state) for alert in board.update(values, now, model_version=1)]


def test_an_alert_that_goes_on_firing_is_said_once() -> None:
    board = a_board()
    assert said(board, 0.0, errors=0.1) == [("errors", "firing")]
    assert said(board, 60.0, errors=0.2) == []
    assert [alert.value for alert in board.firing()] == [0.1]
    assert said(board, 120.0, errors=0.01) == [("errors", "resolved")]
    assert board.firing() == ()


def test_several_rules_are_followed_at_once() -> None:
    board = a_board()
    assert said(board, 0.0, errors=0.1, rows=3.0) == [("errors", "firing")]
    assert (board.state("errors"), board.state("rows")) == ("firing", "pending")
    assert said(board, 60.0, errors=0.1, rows=3.0) == [("rows", "firing")]


def test_a_silenced_rule_says_afterwards_what_still_holds() -> None:
    board = a_board()
    board.silence("errors", until=100.0)
    assert said(board, 0.0, errors=0.1) == []
    assert board.state("errors") == "firing"
    assert said(board, 100.0, errors=0.1) == [("errors", "firing")]


def test_what_came_and_went_during_a_silence_is_never_said() -> None:
    board = a_board()
    board.silence("errors", until=100.0)
    assert said(board, 0.0, errors=0.1) == []
    assert said(board, 60.0, errors=0.0) == []
    assert said(board, 120.0, errors=0.0) == []


def test_an_alert_that_ends_without_a_value_is_resolved_with_the_last_one() -> None:
    board = a_board()
    said(board, 0.0, errors=0.1)
    (alert,) = board.update({}, 60.0, model_version=2)
    assert (alert.state, alert.value, alert.model_version) == ("resolved", 0.1, 2)


def test_a_value_that_is_no_number_is_no_value() -> None:
    assert said(a_board(), 0.0, errors=float("nan")) == []


@pytest.mark.parametrize(
    ("values", "now", "message"),
    [
        ({"errors": 0.1, "mistakes": 0.2}, 60.0, "name must be one of errors, rows, got 'mistakes'."),
        ({"errors": 0.1, "rows": "many"}, 60.0, "must be in .*, got 'many'."),
        ({"errors": 0.1, "rows": float("inf")}, 60.0, "must be in .*, got inf."),
        ({"errors": 0.1}, -60.0, "now must be >= 0.0, the moment of the last values, got -60.0."),
    ],
)
def test_a_refused_call_moves_no_rule(values: dict, now: float, message: str) -> None:
    board = a_board()
    said(board, 0.0, errors=0.0)
    with pytest.raises(ValueError, match=message):
        board.update(values, now, model_version=1)
    assert board.state("errors") == "inactive"
    assert said(board, 0.0, errors=0.0) == []
    assert said(board, 0.0, errors=0.1) == [("errors", "firing")]


def test_rules_without_a_name_of_their_own_are_refused() -> None:
    with pytest.raises(ValueError, match=r"rules must be distinct, got 'r' twice\."):
        AlertBoard([ThresholdRule("r", fire_above=1.0), ThresholdRule("r", fire_below=0.0)])
    with pytest.raises(ValueError, match=r"rules must hold at least one rule, got none\."):
        AlertBoard([])


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ([(0.0, 0.2), (60.0, None)], "there is no value"),
        ([(0.0, 0.2), (60.0, 0.03)], "0.03 is above 0.02"),
        ([(0.0, 0.2), (60.0, 0.01)], "0.01 is no longer above 0.02, the alert is kept firing"),
        ([(0.0, 0.2), (60.0, 0.2)], "0.2 is above 0.05"),
    ],
)
def test_an_alert_that_a_silence_held_back_says_what_is_true_now(
    series: list[tuple[float, float | None]], message: str
) -> None:
    rule = ThresholdRule("errors", fire_above=0.05, clear_below=0.02, keep_firing_s=300.0)
    board = AlertBoard([rule])
    board.silence("errors", until=60.0)
    changes = [board.update({"errors": value}, now, model_version=1) for now, value in series]
    assert changes[0] == ()
    assert changes[1][0].state == "firing"
    assert changes[1][0].message.startswith(message)


def test_an_alert_that_cleared_in_a_silence_and_waits_again_is_resolved_with_the_reason() -> None:
    board = AlertBoard([ThresholdRule("errors", fire_above=0.05, for_s=60.0)])
    for now in (0.0, 60.0):
        board.update({"errors": 0.2}, now, model_version=1)
    board.silence("errors", until=180.0)
    board.update({"errors": 0.0}, 120.0, model_version=1)
    (alert,) = board.update({"errors": 0.2}, 180.0, model_version=1)
    assert (alert.state, alert.message) == ("resolved", "0.2 is above 0.05, not yet for long enough")
