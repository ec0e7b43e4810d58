"""Floor 5: `tinytorch lab`, the lessons in Jupyter Lab."""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

EXIT_MISSING = 2
FIRST_LESSON = "15a_monitoring/15a_monitoring.ipynb"


def add_lab(commands: Any) -> None:
    """Add `lab` to the command line."""
    parser = commands.add_parser(
        "lab",
        help="open the four lessons in Jupyter Lab",
        description="Open the four lessons in Jupyter Lab, in your browser. Stop it with Ctrl-C.",
        epilog="example: tinytorch lab --no-browser --port 8899",
    )
    parser.add_argument("--modules", type=Path, default=Path("modules"), help="folder of the lessons (%(default)s)")
    parser.add_argument("--no-browser", action="store_true", help="print the address and open no browser")
    parser.add_argument("--port", type=int, help="where to listen (a free one near 8888)")
    parser.add_argument("--allow-root", action="store_true", help="start although you are root, as in a container")
    parser.set_defaults(run=run_lab)


def run_lab(options: argparse.Namespace) -> int:
    """Start Jupyter Lab on the lessons and wait until it is stopped."""
    if not options.modules.is_dir():
        raise ValueError(f"--modules must be a folder with the lessons, got {str(options.modules)!r}.")
    if importlib.util.find_spec("jupyterlab") is None:
        print('Jupyter Lab is not installed: pip install "tinytorch-mlops[course]"', file=sys.stderr)
        return EXIT_MISSING
    print(f"Jupyter Lab on {options.modules}: begin with {FIRST_LESSON}. Stop it with Ctrl-C.", flush=True)
    return subprocess.call([sys.executable, "-m", "jupyterlab", *lab_arguments(options)])


def lab_arguments(options: argparse.Namespace) -> list[str]:
    """Return the arguments of Jupyter Lab.

    It shows the folder above the lessons, so that their links into the library work, and opens the first lesson.

    Examples
    --------
    >>> options = argparse.Namespace(modules=Path("modules"), port=None, no_browser=True, allow_root=False)
    >>> lab_arguments(options)[-1]
    '--no-browser'
    """
    modules = options.modules.resolve()
    first = FIRST_LESSON if (modules / FIRST_LESSON).is_file() else ""
    arguments = [f"--ServerApp.root_dir={modules.parent}", f"--LabApp.default_url=/lab/tree/{modules.name}/{first}"]
    if options.port is not None:
        arguments.append(f"--ServerApp.port={options.port}")
    arguments += ["--allow-root"] if options.allow_root else []
    return [*arguments, "--no-browser"] if options.no_browser else arguments
