"""The bounds on a wrong answer hold, and leave the process as it was."""

from __future__ import annotations

import sys

import pytest

from tinytorch.course.limits import RanTooLong, limited_memory, limited_steps


def endless() -> None:
    while True:
        try:
            sum(range(10))
        except Exception:  # what an answer catches must not hold the bound back
            continue


def test_an_endless_loop_stops_though_it_catches_every_exception() -> None:
    before = sys.gettrace()
    with pytest.raises(RanTooLong, match="more than 1000 lines"), limited_steps(__file__, most_steps=1000):
        endless()
    assert sys.gettrace() is before


def test_lines_of_other_files_are_not_counted() -> None:
    with limited_steps("another file", most_steps=1):
        lines = [number + 1 for number in range(1000)]
    assert lines[-1] == 1000


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
def test_memory_is_bounded_inside_and_free_outside() -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(MemoryError), limited_memory(2**20):
        bytearray(2**28)
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    assert len(bytearray(2**28)) == 2**28
