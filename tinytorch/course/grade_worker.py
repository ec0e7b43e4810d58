"""Floor 4, the examination room: a process of its own, in which a student's cells run and answer calls.

It is started by `grade_student.py` on a copy of the package that holds no solution. What it is told comes pickled from
the grader, which it trusts; what it answers is plain JSON, because the grader does not trust it. No expected answer
ever enters it.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import linecache
import os
import pickle
import struct
import sys
import sysconfig
import traceback
import warnings
from pathlib import Path
from typing import Any, BinaryIO

from tinytorch.course.grade_codec import content_of, to_plain
from tinytorch.course.grade_walls import Limits, forbid_calls, limit_resources, lock_files

# Of a message, or of a line of code, more helps nobody.
LONGEST_TEXT = 400
DEFINITIONS = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
)
"""What is taken from a cell that a student added: a loop or a plot in it has nothing to do with a blank."""
# Where programs written in C find the libraries they are linked with.
SYSTEM_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib")
SYSTEM_FILES = ("/etc/ld.so.cache", "/dev/urandom")
MAY_HOLD_SOLUTIONS = ("tinytorch", "__editable__", "site-packages", "dist-packages", "python")


def main(stage: Path, packages: Path, limits: Limits) -> None:
    """Build the walls, then run cells and answer calls until the grader hangs up."""
    requests, answers = _take_the_pipes()
    readable, listed = reach(stage, packages)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        locked = lock_files(readable, listed)
    limit_resources(limits)
    forbid_calls(readable, listed)
    _send(answers, {"locked": locked})
    namespace: dict[str, Any] = {"__name__": "__main__"}
    while (request := _receive(requests)) is not None:
        with warnings.catch_warnings(), contextlib.redirect_stdout(_Nowhere()), contextlib.redirect_stderr(_Nowhere()):
            warnings.simplefilter("ignore")
            answer = run_cell(namespace, **request[1]) if request[0] == "cell" else call(namespace, *request[1])
        _send(answers, answer)


def start() -> None:
    """Read the arguments: the folder of the copy, the folder of the packages, seconds, MiB."""
    stage, packages, seconds, memory_mb = sys.argv[1:]
    main(Path(stage), Path(packages), Limits(float(seconds), int(memory_mb)))


def run_cell(namespace: dict[str, Any], cell_id: str, source: str, definitions_only: bool) -> dict[str, Any]:
    """Run a cell statement by statement; one that fails does not keep the next from running, as in a later cell."""
    place = f"<{cell_id}>"
    linecache.cache[place] = (len(source), None, source.splitlines(keepends=True), place)
    try:
        statements = _parse(source, place)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        return {"problem": f"cannot be read in line {line}: {getattr(error, 'msg', error)}"[:LONGEST_TEXT]}
    problem = None
    for statement in statements:
        if definitions_only and not isinstance(statement, DEFINITIONS):
            continue
        try:
            exec(compile(ast.Module([statement], []), place, "exec"), namespace)
        except BaseException as error:  # a student's cell may raise anything, SystemExit included
            problem = problem or f"failed in line {statement.lineno}: {type(error).__name__}: {error}"[:LONGEST_TEXT]
    return {"problem": problem}


def call(namespace: dict[str, Any], name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """Call a student's function; say what it returned or raised, and which of its arguments it changed."""
    if name not in namespace:
        return {"missing": name}
    before = [content_of(value) for value in arguments]
    try:
        returned = namespace[name](*arguments, **named)
    except BaseException as error:  # as above
        return {"raised": _describe_error(error)}
    after = [content_of(value) for value in arguments]
    changed = [[k, now] for k, (was, now) in enumerate(zip(before, after, strict=True)) if was != now]
    return {"returned": to_plain(returned), "changed": changed}


def _describe_error(error: BaseException) -> dict[str, Any]:
    """Everything in texts: the classes it belongs to, the message, and the line of the student's code."""
    try:
        said = str(error)[:LONGEST_TEXT]
    except Exception:  # a student's exception class may fail even here
        said = ""
    places = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith("<")]
    line = (places[-1].line or "")[:LONGEST_TEXT] if places else ""
    return {"classes": [kind.__name__[:LONGEST_TEXT] for kind in type(error).__mro__], "said": said, "line": line}


def _parse(source: str, place: str) -> list[ast.stmt]:
    """Parse a cell as a notebook does: lines for the shell or for IPython itself are left out."""
    try:
        return ast.parse(source, place).body
    except SyntaxError:
        lines = ["" if line.lstrip().startswith(("%", "!")) else line for line in source.splitlines()]
        if lines == source.splitlines():
            raise
        return ast.parse("\n".join(lines), place).body


def reach(stage: Path, packages: Path) -> tuple[list[Path], list[Path]]:
    """Return what the process may read, and the folders of which it may see the names.

    Python, the libraries of the system, the installed packages and the copy. An installed `tinytorch` would hold the
    solutions, so folders that may hold packages are opened child by child.
    """
    standard = [Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")]
    libraries = [Path(name) for name in SYSTEM_LIBRARIES]
    children = [child for folder in (packages, *standard, *libraries) for child in _children_of_others(folder)]
    return [stage, *map(Path, SYSTEM_FILES), *children], [packages, *standard]


def _children_of_others(folder: Path) -> list[Path]:
    """What stands in a folder, but for our package, links to it, and whatever may hold either."""
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in found if not path.name.lower().startswith(MAY_HOLD_SOLUTIONS)]


def _take_the_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the grader's pipes and leave nothing behind in their place: what students print goes nowhere."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    return requests, answers


def _receive(requests: BinaryIO) -> Any:
    """The next request, or None when the grader has hung up."""
    size = requests.read(8)
    return pickle.loads(requests.read(struct.unpack("!Q", size)[0])) if len(size) == 8 else None


def _send(answers: BinaryIO, answer: dict[str, Any]) -> None:
    content = json.dumps(answer).encode("utf-8")
    answers.write(struct.pack("!Q", len(content)) + content)
    answers.flush()


class _Nowhere(io.TextIOBase):
    """Takes any amount of text and keeps none."""

    def write(self, text: str) -> int:
        return len(text)
