"""Floor 4, the grader's side of the hatch: starts a student's process, hands it cells and calls, and outlives it."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import select
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

import numpy as np

from tinytorch.course.grade_answer import StudentStopped, raise_what_was_raised
from tinytorch.course.grade_codec import from_plain, put_content
from tinytorch.course.grade_walls import Limits

# To start Python and import numpy, on a machine that is busy with other things.
START_SECONDS = 60.0
# No answer to a blank is longer; a student's process could otherwise fill the grader's memory.
LONGEST_ANSWER = 2**26
# More than a whole number of MOST_BITS has.
LONGEST_NUMBER = 2000
NOT_DEFINED = "is not defined"
_HEAD = struct.Struct("!Q")
_PIECE = 2**16


class StudentProcess:
    """One student's cells in a process of their own, started when it is first needed and again after it was lost.

    Parameters
    ----------
    stage : Path
        Holds the copy of the package that the process imports, see `build_stage`.
    limits : Limits
        For each call and each cell, and for the process.
    """

    def __init__(self, stage: Path, limits: Limits) -> None:
        self._stage = stage
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._home = tempfile.TemporaryDirectory(prefix="tinytorch-student-")
        self._cells: list[dict[str, Any]] = []
        self.locked = False

    def __enter__(self) -> StudentProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        self._home.cleanup()

    def run_cell(self, cell_id: str, source: str, definitions_only: bool = False) -> str | None:
        """Run a cell; say what it did wrong ("failed in line 3: ..."), or None.

        One that loses the process is not run again.
        """
        cell = {"cell_id": cell_id, "source": source, "definitions_only": definitions_only}
        try:
            problem = self._ask(("cell", cell)).get("problem")
        except StudentStopped as error:
            return str(error)
        self._cells.append(cell)
        return None if problem is None else str(problem)

    def call(self, name: str, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
        """Return what the student's function `name` returns, raise what it raises, and change what it changes.

        Raises
        ------
        StudentStopped
            If no cell defines it, or it gives no answer, or one that cannot be read.
        """
        answer = self._ask(("call", (name, tuple(arguments), named)))
        if "missing" in answer:
            raise StudentStopped(NOT_DEFINED)
        if "raised" in answer:
            raise_what_was_raised(answer["raised"])
        try:
            for place, content in answer["changed"]:
                put_content(arguments[place], content)
            return from_plain(answer["returned"])
        except (ValueError, LookupError, TypeError) as error:
            raise StudentStopped(f"gave an answer that cannot be read ({error})") from None

    def start(self) -> None:
        """Start the process, if it is not running, and run again what ran before; then `locked` is known."""
        if self._process is not None:
            return
        packages = Path(np.__file__).parents[1]
        code = "import sys; sys.path[:0] = sys.argv[1:3]; from tinytorch.course import grade_worker as w; w.start()"
        # -I and -S: no variable, no folder of the user and no installed link leads to the solved package.
        command = [sys.executable, "-I", "-S", "-B", "-X", "utf8", "-c", code, str(self._stage), str(packages)]
        self._process = subprocess.Popen(
            [*command, str(self._limits.seconds), str(self._limits.memory_mb)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._home.name,
            env={"HOME": self._home.name, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "LANG": "C.UTF-8"},
            start_new_session=True,
        )
        self.locked = bool(self._receive(START_SECONDS).get("locked"))
        for cell in self._cells:
            self._exchange(("cell", cell))

    def _ask(self, request: tuple[str, Any]) -> dict[str, Any]:
        self.start()
        return self._exchange(request)

    def _exchange(self, request: tuple[str, Any]) -> dict[str, Any]:
        content = pickle.dumps(request)
        self._send(_HEAD.pack(len(content)) + content)
        return self._receive(self._limits.seconds)

    def _send(self, content: bytes) -> None:
        """Write all of it; a process that has died, or reads nothing, is lost."""
        assert self._process is not None and self._process.stdin is not None
        pipe, deadline = self._process.stdin.fileno(), time.monotonic() + START_SECONDS
        os.set_blocking(pipe, False)
        while content:
            if not select.select([], [pipe], [], max(0.0, deadline - time.monotonic()))[1]:
                self._give_up("stopped listening")
            try:
                content = content[os.write(pipe, content[:_PIECE]) :]
            except BrokenPipeError:
                self._give_up("ended the whole process: a function ends with `return`")

    def _receive(self, seconds: float) -> dict[str, Any]:
        """Read one answer before the time is up."""
        deadline = time.monotonic() + seconds
        (size,) = _HEAD.unpack(self._read(_HEAD.size, deadline))
        if size > LONGEST_ANSWER:
            self._give_up(f"gave an answer that is too long ({size} bytes)")
        with contextlib.suppress(ValueError, RecursionError):
            answer = json.loads(self._read(size, deadline), parse_int=_short_number)
            if isinstance(answer, dict):
                return answer
        self._give_up("gave an answer that cannot be read")

    def _read(self, size: int, deadline: float) -> bytes:
        assert self._process is not None and self._process.stdout is not None
        pipe, content = self._process.stdout.fileno(), bytearray()
        while len(content) < size:
            if not select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
                self._give_up(f"gave no answer within {self._limits.seconds:g} s (is there a loop that never ends?)")
            piece = os.read(pipe, min(size - len(content), _PIECE))
            if not piece:
                self._give_up("ended the whole process: a function ends with `return`")
            content += piece
        return bytes(content)

    def _give_up(self, reason: str) -> NoReturn:
        self._stop()
        raise StudentStopped(reason)

    def _stop(self) -> None:
        """End the process and close its pipes; a process that is gone already is no error."""
        if self._process is None:
            return
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()
        self._process = None


def _short_number(digits: str) -> int:
    """Refuse a number that takes minutes to read."""
    if len(digits) > LONGEST_NUMBER:
        raise ValueError(f"a number must have at most {LONGEST_NUMBER} digits, got {len(digits)}.")
    return int(digits)
