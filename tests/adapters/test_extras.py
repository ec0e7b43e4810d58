"""What someone reads who has not installed an extra."""

import sys

import pytest

from tinytorch.adapters.extras import MissingExtraError, require_extra


def test_nothing_happens_when_everything_is_there() -> None:
    require_extra("plots", ("json", "html"))


def test_the_message_is_the_line_that_installs_it() -> None:
    with pytest.raises(MissingExtraError) as caught:
        require_extra("plots", ("no_such_package", "json"))
    assert str(caught.value) == 'plots need no_such_package and json: pip install "tinytorch-mlops[plots]"'


def test_the_subject_need_not_be_the_extra() -> None:
    with pytest.raises(MissingExtraError, match=r"^HTTP services need no_such_package: "):
        require_extra("serve", ("no_such_package",), "HTTP services")


def test_a_module_blocked_by_the_interpreter_counts_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "json", None)
    with pytest.raises(MissingExtraError, match="json"):
        require_extra("plots", ("json",))
