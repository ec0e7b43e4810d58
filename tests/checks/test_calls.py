"""The sentences of the contract checks."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from tinytorch.checks.calls import ContractError, in_words, must_refuse, require, require_unchanged, watch
from tinytorch.checks.trigger import accuracy_alert


def blank(value):
    raise NotImplementedError("write this part")


class Part:
    """Something with a method for every way to go wrong."""

    def unfinished(self, value):
        return blank(value)

    def stumble(self, value):
        return len(value)

    def refuse(self, value):
        raise ValueError(f"value must be > 0, got {value}.")

    def refuse_silently(self, value):
        raise ValueError

    @property
    def broken(self):
        return blank(1)

    def answer(self, value):
        return value


@pytest.fixture
def part():
    return watch(Part(), "part")


def test_an_unfinished_blank_is_named_with_the_call_that_needs_it(part):
    with pytest.raises(ContractError, match=r"^not yet written: blank, which part\.unfinished\(7\) needs\.$"):
        part.unfinished(7)
    with pytest.raises(ContractError, match=r"^not yet written: blank, which part\.broken needs\.$"):
        part.broken  # noqa: B018


def test_an_error_names_the_call_the_line_and_what_was_said(part):
    expected = (
        r"^part\.stumble\(7\): expected an answer, but TypeError was raised in the line `return len\(value\)`: .*\.$"
    )
    with pytest.raises(ContractError, match=expected):
        part.stumble(7)


def test_a_missing_method_is_named(part):
    with pytest.raises(ContractError, match=r"part\.observe: .*has no attribute 'observe'"):
        part.observe(7)


def test_a_right_answer_comes_through(part):
    value = np.arange(3)
    assert part.answer(value) is value


def test_a_refusal_must_be_a_value_error_with_a_message(part):
    must_refuse(partial(part.refuse, -1), "part.refuse(-1)")
    with pytest.raises(ContractError, match=r"^a bad call: expected a ValueError, but TypeError was raised: "):
        must_refuse(partial(part.stumble, 7), "a bad call")
    with pytest.raises(ContractError, match=r"^a bad call: expected a ValueError, got 7\.$"):
        must_refuse(partial(part.answer, 7), "a bad call")
    with pytest.raises(ContractError, match="expected a ValueError that says which rule was broken"):
        must_refuse(partial(part.refuse_silently, 7), "a bad call")


def test_an_unfinished_blank_is_no_refusal(part):
    with pytest.raises(ContractError, match=r"^not yet written: blank"):
        must_refuse(partial(part.unfinished, 7), "a bad call")


def test_require_says_nothing_when_all_is_well():
    require(True, "a call", "an answer", None)
    with pytest.raises(ContractError, match=r"^a call: expected an answer, got None\.$"):
        require(False, "a call", "an answer", None)


def test_arrays_that_were_changed_are_noticed():
    before = np.array([1.0, np.nan])
    require_unchanged(before.copy(), before, "a call")
    for now in (np.array([1.0, 2.0]), np.array([1.0])):
        with pytest.raises(ContractError, match="a call changed the array it was given"):
            require_unchanged(now, before, "a call")


def test_values_are_shown_short():
    assert in_words((accuracy_alert(),)) == "(accuracy_low firing (critical): 0.8 is below 0.9)"
    assert in_words(np.zeros((40, 2))) == "an array of shape (40, 2)"
    assert in_words(np.array([1, 2])) == "[1, 2]"
    assert len(in_words(list(range(1000)))) < 60


def test_a_notebook_shows_the_sentence_alone():
    assert ContractError("monitor: expected an alert.")._render_traceback_() == [
        "Not yet right. monitor: expected an alert."
    ]
