"""Each wall holds by itself: the kernel's where Python's is left out, and Python's where the kernel has none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="grading needs POSIX")

BEGIN = """
import os, sys
from pathlib import Path
from tinytorch.course import grade_walls as walls
secret, shared = Path(sys.argv[1]), Path(sys.argv[2])
readable = [shared, *map(Path, sys.path), Path("/lib"), Path("/usr/lib"), Path("/lib64")]
def refused(act):
    try:
        act()
    except OSError:
        return True
    return False
"""
TRY = """
print(refused(lambda: secret.read_text()), refused(lambda: secret.write_text("changed")))
print(refused(lambda: os.listdir(secret.parent)), refused(lambda: (shared / "new").write_text("x")))
print((shared / "file").read_text())
"""


def run(code: str, tmp_path: Path) -> list[str]:
    """Run code in a process with a file that it must not reach and a folder that it may read."""
    (tmp_path / "hidden").mkdir()
    (tmp_path / "shared").mkdir()
    (tmp_path / "hidden" / "gradebook.db").write_text("as it was", encoding="utf-8", newline="\n")
    (tmp_path / "shared" / "file").write_text("open", encoding="utf-8", newline="\n")
    command = [sys.executable, "-c", BEGIN + code, str(tmp_path / "hidden" / "gradebook.db"), str(tmp_path / "shared")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "hidden" / "gradebook.db").read_text(encoding="utf-8") == "as it was"
    return done.stdout.split("\n")


def test_the_kernel_alone_keeps_files_away(tmp_path: Path) -> None:
    said = run(f"print(walls.lock_files(readable, []))\n{TRY}", tmp_path)
    if said[0] == "False":
        pytest.skip("this kernel has no Landlock")
    assert said[1:4] == ["True True", "True True", "open"]


def test_the_kernel_alone_keeps_the_grader_alive_and_programs_and_the_network_away(tmp_path: Path) -> None:
    code = """
import ctypes, socket
kernel = ctypes.CDLL(None)
version = kernel.syscall(walls.LANDLOCK_CREATE, None, 0, walls.LANDLOCK_ASK_VERSION)
server = socket.create_server(("127.0.0.1", 0))
print(walls.lock_files(readable, []) and version)
print(refused(lambda: os.kill(os.getppid(), 0)))
print(refused(lambda: socket.create_connection(server.getsockname(), timeout=5)))
print(refused(lambda: os.execv(sys.executable, [sys.executable, "-c", "0"])))
"""
    version, kill, connect, execute, _ = run(code, tmp_path)
    if version == "False" or int(version) < 6:
        pytest.skip("this kernel's Landlock knows no signals")
    assert (kill, connect, execute) == ("True", "True", "True")


def test_python_alone_keeps_files_away(tmp_path: Path) -> None:
    assert run(f"walls.forbid_calls(readable, [])\n{TRY}", tmp_path)[:3] == ["True True", "True True", "open"]


def test_python_alone_refuses_programs_sockets_and_what_would_take_the_wall_down(tmp_path: Path) -> None:
    code = """
import ctypes, gc, posixpath, socket, subprocess
walls.forbid_calls(readable, [])
walls.FORBIDDEN, walls.LOOKED_AT, walls.WRITING = (), (), 0
posixpath.realpath = os.path.realpath = lambda path: str(shared)
print(refused(lambda: subprocess.run(["true"])), refused(lambda: os.system("true")), refused(os.fork))
print(refused(lambda: socket.socket()), refused(lambda: os.kill(os.getppid(), 0)), refused(lambda: ctypes.CDLL(None)))
print(refused(gc.get_objects), refused(lambda: (shared / ".." / "hidden" / "gradebook.db").read_text()))
"""
    assert set(" ".join(run(code, tmp_path)).split()) == {"True"}


def test_memory_and_files_have_a_limit(tmp_path: Path) -> None:
    code = """
walls.limit_resources(walls.Limits(memory_mb=600))
try:
    bytearray(2**30)
except MemoryError:
    print("no memory")
print(refused(lambda: (shared / "file").open("ab", buffering=0).write(b"more")))
"""
    assert run(f"import signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n{code}", tmp_path)[:2] == [
        "no memory",
        "True",
    ]
