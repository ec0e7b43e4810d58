"""Floor 4, the course office: run a student's code in a process of its own, with a time limit.

The parent hands over a job as JSON and reads back one line of JSON a task; whatever the code prints is dropped, and
wherever it hangs, ends the process or crashes, the parent knows the task that it was at.
"""

from __future__ import annotations

import faulthandler
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEFAULT_TIME_LIMIT_S = 10.0
"""For one task. A check takes milliseconds; on a busy machine a hundred times as long."""
_START_S = 30.0
"""For starting Python and importing numpy, on a machine that is busy with other things."""

_JOB, _RESULTS, _HANGING = "job.json", "results.jsonl", "hanging.txt"
_FRAME = re.compile(r'File "([^"]*)", line (\d+) in (.*)')


@dataclass(frozen=True)
class Frame:
    """One line of code that was running: its file (or cell), its number and its function.

    Examples
    --------
    >>> Frame("<cell share>", 3, "share").line
    3
    """

    file: str
    line: int
    function: str


@dataclass(frozen=True)
class ChildOutcome:
    """What a child process did.

    Attributes
    ----------
    results : tuple of dict
        What it reported, one for each finished task.
    late : bool
        A task took longer than its limit.
    exit_code : int
        Negative for the number of a signal; 0 if all went well.
    running : tuple of Frame
        Where it was when its time was up, the innermost call first.

    Examples
    --------
    >>> ChildOutcome((), late=False, exit_code=0, running=()).late
    False
    """

    results: tuple[dict[str, Any], ...]
    late: bool
    exit_code: int
    running: tuple[Frame, ...]


def run_child(module: str, tasks: Sequence[dict[str, Any]], root: Path, **job: Any) -> ChildOutcome:
    """Run `python -m module` on some tasks and return what it reported.

    Parameters
    ----------
    module : str
        Its `main` calls `child_job` and then `ChildReport`.
    tasks : sequence of dict
        What JSON can hold.
    root : Path
        The folder of the package `tinytorch` that the child imports.
    job : object
        Whatever else the child must know; `limit_s` is the time for one task.
    """
    limit_s = job.setdefault("limit_s", DEFAULT_TIME_LIMIT_S)
    with tempfile.TemporaryDirectory(prefix="tinytorch-") as name:
        folder = Path(name)
        text = json.dumps({**job, "tasks": list(tasks)})
        (folder / _JOB).write_text(text, encoding="utf-8", newline="\n")
        late, exit_code = _wait_for([sys.executable, "-m", module, name], root, _START_S + limit_s * len(tasks))
        lines = _read_if_there(folder / _RESULTS).splitlines()
        running = tuple(
            Frame(file, int(line), to) for file, line, to in _FRAME.findall(_read_if_there(folder / _HANGING))
        )
    return ChildOutcome(tuple(_whole_lines(lines)), late or bool(running), exit_code, running)


def child_job() -> tuple[dict[str, Any], ChildReport]:
    """Return, inside the child, its job and what it reports to."""
    folder = Path(sys.argv[1])
    job: dict[str, Any] = json.loads((folder / _JOB).read_text(encoding="utf-8"))
    return job, ChildReport(folder, job["limit_s"])


class ChildReport:
    """The child's side: reports each finished task, and ends the process if one takes too long.

    Parameters
    ----------
    folder : Path
    limit_s : float
        For each task.
    """

    def __init__(self, folder: Path, limit_s: float) -> None:
        self._results = (folder / _RESULTS).open("w", encoding="utf-8", newline="\n")
        self._hanging = (folder / _HANGING).open("w", encoding="utf-8", newline="\n")
        self._limit_s = limit_s

    def begin(self) -> None:
        """Begin a task; the clock runs in a thread of C, which an endless loop does not stop."""
        faulthandler.dump_traceback_later(self._limit_s, exit=True, file=self._hanging)

    def finish(self, **result: Any) -> None:
        """Report what came of the task."""
        faulthandler.cancel_dump_traceback_later()
        self._results.write(json.dumps(result) + "\n")
        self._results.flush()

    def leave(self) -> None:
        """End the process at once, whatever threads the code has left running."""
        os._exit(0)


def _wait_for(command: list[str], root: Path, limit_s: float) -> tuple[bool, int]:
    """Run the command without a terminal; return whether it took too long, and its exit code."""
    paths = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    # Small matrices gain nothing from more threads, and several children share the machine.
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    environment = {**os.environ, **threads, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUTF8": "1"}
    quiet = subprocess.DEVNULL
    try:
        done = subprocess.run(
            command, env=environment, cwd=root, stdin=quiet, stdout=quiet, stderr=quiet, timeout=limit_s, check=False
        )
    except subprocess.TimeoutExpired:
        return True, -1
    return False, done.returncode


def _read_if_there(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _whole_lines(lines: list[str]) -> list[dict[str, Any]]:
    """Read the results; the last line may be cut where the process ended."""
    results = []
    for line in lines:
        try:
            results.append(json.loads(line))
        except ValueError:
            break
    return results
