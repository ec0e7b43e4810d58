"""Floor 5: `tinytorch lab`, the lessons in Jupyter Lab."""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

EXIT_MISSING = 2


def add_lab(commands: Any) -> None:
    """Add `lab` to the command line."""
    parser = commands.add_parser(
        "lab",
        help="open the four lessons in Jupyter Lab",
        description="Open the four lessons in Jupyter Lab. Stop it with Ctrl-C.",
        epilog="example: tinytorch lab --modules modules",
    )
    parser.add_argument("--modules", type=Path, default=Path("modules"), help="folder of the lessons (%(default)s)")
    parser.set_defaults(run=run_lab)


def run_lab(options: argparse.Namespace) -> int:
    """Start Jupyter Lab on the lessons and wait until it is stopped."""
    if not options.modules.is_dir():
        raise ValueError(f"--modules must be a folder with the lessons, got {str(options.modules)!r}.")
    if importlib.util.find_spec("jupyterlab") is None:
        print('Jupyter Lab is not installed: pip install "tinytorch-mlops[course]"', file=sys.stderr)
        return EXIT_MISSING
    print(f"Jupyter Lab on {options.modules}: begin with 15a_monitoring/15a_monitoring.ipynb")
    return subprocess.call([sys.executable, "-m", "jupyterlab", str(options.modules)])
