"""The table-driven checks must accept what is right, refuse what is wrong, and say why in words."""

import re
import sys
import warnings
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.checks.cases import (
    PAGE_WIDTH,
    Case,
    CheckFailed,
    check_cases,
    forget_failures,
    if_written,
    own_or_given,
)


def message_of(function, cases, **options):
    with pytest.raises(CheckFailed) as caught:
        check_cases(function, cases, **options)
    assert caught.value.__suppress_context__
    return str(caught.value)


def test_right_answers_print_one_line_and_return_none(capsys):
    assert check_cases(abs, [Case((-1,), 1), Case((2.5,), 2.5)]) is None
    assert capsys.readouterr().out == "abs: right in 2 of 2 cases.\n"


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (2, 2.0),
        (np.float32(0.1), 0.1),
        (np.bool_(True), True),
        ([0.5, 1.0], np.array([0.5, 1.0])),
        (np.array([0.5, np.nan]), np.array([0.5, np.nan])),
        (np.array([], dtype=int), np.array([])),
        (("a", 1.0), ("a", 1.0)),
        (["a", 1.0], ("a", 1.0)),
        (("a", np.array([1.0, 2.0])), ("a", np.array([1.0, 2.0]))),
        ("firing", "firing"),
        (None, None),
        (float("inf"), float("inf")),
    ],
)
def test_the_same_answer_in_another_form_is_accepted(got, expected):
    check_cases(lambda: got, [Case((), expected)])


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (2.001, 2.0),
        (1, True),
        (True, 1),
        ("True", True),
        (None, 0.0),
        (0.0, None),
        (np.array([1.0]), 1.0),
        (1.0, np.array([1.0, 1.0])),
        (np.array([[1.0, 2.0]]), np.array([1.0, 2.0])),
        (("a",), ("a", 1.0)),
        (("b", 1.0), ("a", 1.0)),
        ("resolved", "firing"),
        (float("nan"), 0.0),
        (float("inf"), 1.0),
        ([[1.0], [1.0, 2.0]], 1.0),
    ],
)
def test_another_answer_is_refused(got, expected):
    assert "expected" in message_of(lambda: got, [Case((), expected)])


def test_a_failure_says_the_call_what_was_expected_and_what_came_back():
    def halve(number):
        return number // 2

    assert message_of(halve, [Case((4,), 2.0), Case((3,), 1.5)]) == "halve(3): expected 1.5, got 1."


def test_an_answer_listed_as_a_mistake_is_named_in_place_of_the_hint():
    case = Case((np.array([1.0, 3.0]),), 2.0, hint="look again", mistakes=((4.0, "this is the sum"), (None, "nothing")))
    assert message_of(np.sum, [case]).endswith("got 4. This is the sum.")
    assert message_of(lambda values: 7.0, [case]).endswith("got 7. Look again.")
    check_cases(np.mean, [case])


def test_a_blank_that_is_not_written_fails_with_one_friendly_sentence():
    def blank(values):
        raise NotImplementedError("write this part")

    for _ in range(3):  # running the cell before writing anything is no failed attempt
        said = message_of(blank, [Case(([1],), 1, hint="think of the mean")], hints=["divide"])
        assert said == "blank is not yet written: the numbered steps above it."


def test_an_error_in_the_students_code_is_told_with_its_line():
    def share(part, whole):
        return part / whole

    said = message_of(share, [Case((1, 0), 0.0, hint="think of an empty batch")])
    assert "ZeroDivisionError was raised in the line `return part / whole`" in said
    assert said.endswith("Think of an empty batch.")


def test_an_expected_error_must_be_raised():
    def strict(number):
        if number < 0:
            raise ValueError(f"number must be >= 0, got {number}.")
        return number

    check_cases(strict, [Case((-1,), ValueError), Case((1,), 1)])
    assert "expected a ValueError, got -1" in message_of(lambda number: number, [Case((-1,), ValueError)])
    assert "expected a ValueError, but KeyError" in message_of(lambda number: {}[number], [Case((-1,), ValueError)])


def test_one_more_hint_is_offered_at_each_failure_from_the_second_on_and_success_forgets():
    def tripled(number):
        return tripled.answer

    tripled.answer = 4
    cases, hints = [Case((1,), 3)], ["multiply", "by three"]
    assert "Hint" not in message_of(tripled, cases, hints=hints)
    assert message_of(tripled, cases, hints=hints).endswith("Hint: multiply.")
    assert message_of(tripled, cases, hints=hints).endswith("Hint: multiply. Hint: by three.")
    tripled.answer = 3
    check_cases(tripled, cases, hints=hints)
    tripled.answer = 4
    assert "Hint" not in message_of(tripled, cases, hints=hints)


def test_a_function_that_changes_its_argument_is_refused_and_cannot_spoil_the_next_case():
    table = np.array([3.0, 1.0])

    def largest(values):
        values.sort()
        return values[-1]

    said = message_of(largest, [Case((table,), 3.0)])
    assert "changed its argument" in said
    assert table.tolist() == [3.0, 1.0]


def test_a_generator_as_argument_gives_the_same_draws_at_every_check():
    case = Case((np.random.default_rng(1),), np.random.default_rng(1).random())
    for _ in range(2):
        check_cases(lambda rng: rng.random(), [case])


def test_warnings_and_stderr_of_the_student_are_kept_quiet(capsys):
    def noisy(values):
        warnings.warn("careful", RuntimeWarning, stacklevel=1)
        print("debugging", file=sys.stderr)
        return np.mean(values)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_cases(noisy, [Case(([],), np.nan), Case(([2.0],), 2.0)])
    assert capsys.readouterr().err == ""


def test_a_wrong_shape_and_a_large_wrong_array_are_described_not_printed():
    table = np.zeros((50, 3))
    assert "expected an array of shape (3,), got an array of shape (50,)" in message_of(
        lambda t: t.mean(axis=1), [Case((table,), np.zeros(3))]
    )
    off = np.zeros(30)
    off[7] = 2.0
    assert "expected 0 at [7], got 2." in message_of(lambda t: off, [Case((table,), np.zeros(30))])
    assert "<array of shape (50, 3)>" in message_of(lambda t: off, [Case((table,), np.zeros(30))])


def test_a_call_with_tuples_and_lists_can_be_copied_from_the_message():
    said = message_of(lambda *_: (2.5,), [Case(((1, 3), [4], (), (7,), 2), (1, 2))])
    assert said == "<lambda>((1, 3), [4], (), (7,), 2): expected (1, 2), got (2.5,)."
    assert message_of(lambda: 0.2, [Case((), (0.2, 0.4))]) == "<lambda>(): expected (0.2, 0.4), got 0.2."
    assert "expected (), got ('a',)" in message_of(lambda: ("a",), [Case((), ())])


def test_a_table_stands_on_one_line_and_a_record_is_named_by_its_own_words():
    @dataclass(frozen=True)
    class Flag:
        name: str

        def __str__(self):
            return f"flag {self.name}"

    said = message_of(lambda *_: 0, [Case((np.array([[1.0], [2.0]]), (Flag("x"),)), 1)])
    assert said == "<lambda>([[1], [2]], (<flag x>,)): expected 1, got 0."


def test_empty_tables_of_different_shapes_look_different():
    said = message_of(lambda: (np.zeros((0, 2)),), [Case((), (np.zeros((0,)),))])
    assert said == "<lambda>(): expected ([],), got (<array of shape (0, 2)>,)."


def test_a_comparison_of_whole_arrays_gets_the_sentence_that_helps():
    said = message_of(lambda v: not (v > 1 and v < 3), [Case((np.arange(4),), 1, hint="think again")])
    assert said.endswith("never `and`; `~` turns booleans round.")
    assert ".." not in said
    assert "put brackets round each" in message_of(lambda v: v < 1.0 | v > 3.0, [Case((np.arange(4.0),), 1)])
    assert "round the whole before .mean" in message_of(
        lambda v: (v < 1.0) | (v > 3.0).mean(), [Case((np.arange(4.0),), 1)]
    )


def test_a_random_generator_is_shown_as_rng_and_not_as_an_address_in_memory():
    said = message_of(lambda n_rows, rng: n_rows, [Case((3, np.random.default_rng(0)), 4)])
    assert said == "<lambda>(3, rng): expected 4, got 3."


def test_a_tolerance_can_be_widened_for_one_case():
    check_cases(lambda: 0.12, [Case((), 0.1, tolerance=0.05)])


def test_bad_tables_of_cases_are_refused():
    with pytest.raises(ValueError, match="arguments must be a tuple"):
        Case([1], 2)
    with pytest.raises(ValueError, match="tolerance must be in"):
        Case((1,), 2, tolerance=-1.0)
    with pytest.raises(ValueError, match="at least one case"):
        check_cases(abs, [])


def test_a_notebook_shows_the_sentence_and_no_traceback():
    shown = CheckFailed("share(1): expected 2, got 3.")._render_traceback_()
    assert shown == ["Not yet right. share(1): expected 2, got 3."]
    unwritten = CheckFailed("share is not yet written: steps 1-3 above.")
    assert unwritten._render_traceback_() == ["share is not yet written: steps 1-3 above."]


def test_a_notebook_shows_the_likely_mistake_and_each_hint_on_lines_of_their_own():
    message = "share(1): expected 2, got 3. This counts too many. Hint: begin at 0. Hint: print it."
    (shown,) = CheckFailed(message, "this counts too many")._render_traceback_()
    assert shown.splitlines() == [
        "Not yet right. share(1): expected 2, got 3.", "This counts too many.", "Hint: begin at 0.", "Hint: print it.",
    ]


def test_a_notebook_breaks_a_long_sentence_between_words_and_keeps_every_word():
    sentence = "share(1): expected 2, got 3. " + "This counts the wrong answers, not the right ones. " * 5 + "x" * 150
    (shown,) = CheckFailed(sentence)._render_traceback_()
    assert shown.split() == ["Not", "yet", "right.", *sentence.split()]
    assert max(len(line) for line in shown.splitlines()[:-1]) <= PAGE_WIDTH


def test_an_ungraded_look_prints_a_line_for_a_missing_blank_and_lets_other_errors_through(capsys):
    def blank():
        raise NotImplementedError("write this part")

    with if_written():
        blank()
    assert capsys.readouterr().out.startswith("blank is not yet written: the numbered steps above it")
    with pytest.raises(KeyError), if_written():
        raise KeyError("other")


def test_an_unwritten_blank_is_named_with_the_steps_that_its_comment_names(capsys):
    def blank(number):
        # Your turn: steps 1-3 above.
        raise NotImplementedError("write this part")

    assert message_of(blank, [Case((1,), 2)]) == "blank is not yet written: steps 1-3 above."
    with if_written():
        blank(1)
    assert capsys.readouterr().out == "blank is not yet written: steps 1-3 above.\n"


def test_what_was_written_and_did_not_pass_its_check_is_shown_with_a_warning(capsys):
    def halve(number):
        return number // 2

    forget_failures()
    with pytest.raises(CheckFailed):
        check_cases(halve, [Case((3,), 1.5)])
    capsys.readouterr()
    assert own_or_given(halve, float, 3) == 1
    assert capsys.readouterr().out == (
        "This uses yours, and halve did not pass its check: what follows may be wrong.\n"
    )


def test_many_arguments_stand_with_their_names():
    def weigh(bread, salt, water):
        return bread

    with pytest.raises(CheckFailed, match=re.escape("weigh(bread=1, salt=2, water=3): expected 6, got 1.")):
        check_cases(weigh, [Case((1, 2, 3), 6)])


def test_what_the_student_wrote_is_shown_without_a_word(capsys):
    forget_failures()
    assert own_or_given(abs, float, -2) == 2
    assert capsys.readouterr().out == ""


def test_while_a_blank_is_unfinished_the_given_work_is_shown_and_named(capsys):
    def blank(number):
        # Your turn: steps 1-2 above.
        raise NotImplementedError("write this part")

    assert own_or_given(lambda: [blank(1)], lambda: [10], called="the library's counter") == [10]
    line = "Not yet yours: this is the library's counter (blank is not yet written: steps 1-2 above).\n"
    assert capsys.readouterr().out == line


def test_a_blank_that_raises_something_else_does_not_stop_the_notebook_either(capsys):
    assert own_or_given(lambda: 1 // 0, lambda: 3) == 3
    assert "yours raised ZeroDivisionError: integer division" in capsys.readouterr().out


def test_an_error_of_the_given_work_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        own_or_given(lambda: {}["no"], lambda: 1 // 0)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.integers(0, 29), st.floats(0.01, 10.0))
def test_any_single_wrong_number_in_an_array_is_found(values, place, offset):
    expected = np.array(values)
    wrong = expected.copy()
    wrong[place % len(values)] += offset * (1 + abs(wrong[place % len(values)]))
    check_cases(lambda: expected.copy(), [Case((), expected)])
    message_of(lambda: wrong, [Case((), expected)])


@pytest.mark.parametrize(
    ("function", "written"),
    [
        (lambda numbers: 7, "this is the last number"),
        (lambda numbers: 0, "add them up"),
        (lambda numbers: numbers.append(1), "add them up"),
        (lambda numbers: None, "add them up"),
        (lambda numbers: 1 / 0, "add them up"),
    ],
)
def test_a_failure_carries_the_sentence_that_a_person_wrote(function, written):
    case = Case(([2, 7],), 9, hint="add them up", mistakes=((7, "this is the last number"),))
    with pytest.raises(CheckFailed) as caught:
        check_cases(function, [case], hints=["a general hint"])
    assert caught.value.written == written


def test_expected_and_got_alone_count_as_no_written_sentence():
    for _ in range(3):  # the general hints, which come with every mistake, are none either
        with pytest.raises(CheckFailed) as caught:
            check_cases(lambda: 1, [Case((), 2)], hints=["a general hint"])
        assert caught.value.written == ""
    check_cases(lambda: 2, [Case((), 2)])


def test_a_changed_argument_and_a_missing_return_have_sentences_of_their_own():
    for function, word in ((lambda table: table.sort(), "copy"), (lambda table: None, "return")):
        with pytest.raises(CheckFailed) as caught:
            check_cases(function, [Case((np.array([3, 1]),), np.array([1, 3]))])
        assert word in caught.value.written
