"""Floor 4, the examiner's desk: bounds on what a wrong answer can cost, in this process.

It touches the tracing and, on Linux, the memory limit of the process, and puts both back.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

if sys.platform == "linux":
    import resource

# Lines that an answer may execute in one check cell: twice what the slowest right answer needs (a loop in a loop over
# coins), and reached in seconds. Counting lines, not seconds, gives the same verdict on a slow machine.
MOST_STEPS = 4_000_000
# Bytes that it may ask for on top of what the process holds: no right answer needs a tenth of it.
MOST_MEMORY = 512 * 2**20


class RanTooLong(BaseException):
    """Too many lines were executed. Not an `Exception`: nothing that an answer catches may hold it back.

    Examples
    --------
    >>> issubclass(RanTooLong, Exception)
    False
    """


@contextlib.contextmanager
def limited_steps(file: str, most_steps: int = MOST_STEPS) -> Iterator[None]:
    """Stop functions that are defined in `file` after so many lines: an endless loop must not stop the audit.

    Raises
    ------
    RanTooLong
        From within the function.

    Examples
    --------
    >>> def endless():
    ...     while True:
    ...         pass
    >>> with limited_steps(endless.__code__.co_filename, most_steps=100):
    ...     endless()
    Traceback (most recent call last):
    ...
    tinytorch.course.limits.RanTooLong: more than 100 lines were executed.
    """
    steps = 0

    def on_line(frame: FrameType, event: str, argument: Any) -> Any:
        """Count one line, and stop the code at one too many."""
        nonlocal steps
        steps += 1
        if steps > most_steps:
            raise RanTooLong(f"more than {most_steps} lines were executed.")
        return on_line

    def on_call(frame: FrameType, event: str, argument: Any) -> Any:
        """Count the lines of functions of this file alone."""
        return on_line if frame.f_code.co_filename == file else None

    before = sys.gettrace()
    sys.settrace(on_call)
    try:
        yield
    finally:
        sys.settrace(before)


@contextlib.contextmanager
def limited_memory(most_memory: int = MOST_MEMORY) -> Iterator[None]:
    """On Linux, let a request for much more memory raise MemoryError; elsewhere do nothing.

    Examples
    --------
    >>> with limited_memory():
    ...     small = bytes(10)
    """
    if sys.platform != "linux":
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    wanted = pages * resource.getpagesize() + most_memory
    limits = [limit for limit in (wanted, soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
