"""Floor 4, the walls around a student's process: limits, a filesystem it can hardly see, and calls it may not make.

Built inside that process before any of the student's code runs; none of it can be taken down again from Python.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if sys.platform != "win32":
    import resource

# Numbers of the Linux interface, the same on every processor: linux/landlock.h, asm-generic/unistd.h, linux/prctl.h.
LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446
LANDLOCK_ASK_VERSION = 1
LANDLOCK_PATH_BENEATH = 1
PR_SET_NO_NEW_PRIVS = 38
READ_FILE, READ_DIR = 1 << 2, 1 << 3
# How many rights over files each version of the interface knows; to name an unknown one is an error.
FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
NEWEST_FILE_RIGHTS = 16
VERSION_WITH_NETWORK, VERSION_WITH_SIGNALS = 4, 6
NETWORK_RIGHTS = 0b11  # bind and connect over TCP
SIGNALS_AND_SOCKETS = 0b11  # abstract sockets and signals that reach outside

# Nothing a lesson asks for needs one of these. Prefixes of the names of audit events (PEP 578).
FORBIDDEN = (
    "os.fork", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "os.startfile", "os.kill", "os.remove",
    "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod", "os.chown", "os.truncate", "os.chdir",
    "os.utime", "os.setxattr", "subprocess.", "pty.", "socket.", "ctypes.", "sqlite3.", "shutil.",
    "signal.pthread_kill", "resource.", "syslog.", "gc.get_", "mmap.", "fcntl.", "webbrowser.",
)  # fmt: skip
# The events that carry a path which is looked at, and from.
LOOKED_AT = ("open", "os.listdir", "os.scandir", "os.walk", "glob.glob")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass(frozen=True)
class Limits:
    """What a student's process may use.

    Attributes
    ----------
    seconds : float
        For one call of a blank, and for running one cell.
    memory_mb : int
        Of address space, in MiB.

    Examples
    --------
    >>> Limits().memory_mb
    1024
    """

    # A right answer takes milliseconds: only a loop without an end, or a busy computer, needs more.
    seconds: float = 5.0
    # numpy takes 200 of them.
    memory_mb: int = 1024


def limit_resources(limits: Limits) -> None:
    """Bound memory, files and time on the processor for the rest of this process."""
    memory = limits.memory_mb * 2**20
    with contextlib.suppress(*(ValueError, OSError) if sys.platform == "darwin" else ()):  # macOS does not know it
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def lock_files(readable: Iterable[Path], listed: Iterable[Path]) -> bool:
    """Let this process read below `readable`, list the folders `listed`, and no more: no writing, program or network.

    Returns whether the kernel could: it takes Linux 5.13 or newer with Landlock, which most distributions switch on.
    """
    if not sys.platform.startswith("linux"):
        return False
    kernel = ctypes.CDLL(None, use_errno=True)
    version = kernel.syscall(LANDLOCK_CREATE, None, 0, LANDLOCK_ASK_VERSION)
    if version < 1:
        return False
    attributes = _ruleset(version)
    rules = kernel.syscall(LANDLOCK_CREATE, attributes, len(attributes), 0)
    for path in readable:
        _allow(kernel, rules, path, READ_FILE | READ_DIR if path.is_dir() else READ_FILE)
    for path in listed:
        _allow(kernel, rules, path, READ_DIR)
    kernel.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    locked = rules >= 0 and kernel.syscall(LANDLOCK_RESTRICT, rules, 0) == 0
    os.close(rules)
    return bool(locked)


def forbid_calls(readable: Iterable[Path], listed: Iterable[Path]) -> None:
    """From now on refuse, with PermissionError, to start processes, open sockets, write files or look elsewhere."""
    is_outside = _make_place_test([*readable], [*listed])
    # Bound here: what a student's code does to this module changes nothing.
    writing, forbidden, looked_at = WRITING, FORBIDDEN, LOOKED_AT

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        """Raise at an event that is forbidden; the interpreter then does not carry it out."""
        if event.startswith(forbidden):
            raise PermissionError(f"{event} is not allowed while grading")
        if event in looked_at and ((event == "open" and (arguments[2] or 0) & writing) or is_outside(arguments[0])):
            raise PermissionError("files cannot be reached while grading")

    sys.addaudithook(refuse)


def _make_place_test(readable: list[Path], listed: list[Path]) -> Callable[[Any], bool]:
    """Return what tells whether a path leads elsewhere. It uses methods of texts alone, which cannot be replaced."""
    trees = [*map(str, readable), *map(os.path.realpath, readable)]
    exact = frozenset([*trees, *map(str, listed), *map(os.path.realpath, listed)])
    inside = tuple(f"{tree}/" for tree in trees)

    def is_outside(path: Any) -> bool:
        """Tell whether a path, a text or bytes, may not be looked at."""
        place = path.decode() if isinstance(path, bytes) else path
        if not isinstance(place, str):  # a file that is open already
            return False
        return "/.." in place or not (place in exact or place.startswith(inside))

    return is_outside


def _ruleset(version: int) -> bytes:
    """The rights that are taken away, as far as this version of the interface knows them."""
    attributes = struct.pack("Q", (1 << FILE_RIGHTS.get(version, NEWEST_FILE_RIGHTS)) - 1)
    if version >= VERSION_WITH_NETWORK:
        attributes += struct.pack("Q", NETWORK_RIGHTS)
    if version >= VERSION_WITH_SIGNALS:
        attributes += struct.pack("Q", SIGNALS_AND_SOCKETS)
    return attributes


def _allow(kernel: Any, rules: int, path: Path, rights: int) -> None:
    """Give rights back below one path; a path that is not there needs none."""
    with contextlib.suppress(OSError):
        place = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        rule = struct.pack("=Qi", rights, place)
        kernel.syscall(LANDLOCK_ADD, rules, LANDLOCK_PATH_BENEATH, rule, 0)
        os.close(place)
