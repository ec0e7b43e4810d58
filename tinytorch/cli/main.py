"""Floor 5: reads the command line and hands over to one file a subcommand."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

import tinytorch
from tinytorch.cli.demo import add_demo
from tinytorch.cli.lab import add_lab

EXIT_BAD_INPUT = 2
# What a shell reports of a program whose reader has left: 128 and the number of SIGPIPE.
EXIT_BROKEN_PIPE = 141
DESCRIPTION = """\
Keep a model alive in production: watch it, see drift, retrain it, ship it.

see it all:   demo     a model on real digits goes once round the whole loop
learn:        lab      open the four lessons in Jupyter Lab
"""
EPILOG = "first step: tinytorch demo"


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line.

    Examples
    --------
    >>> build_parser().parse_args(["demo", "--drift", "blur"]).drift
    'blur'
    """
    parser = argparse.ArgumentParser(
        prog="tinytorch",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tinytorch-mlops {tinytorch.__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    add_demo(commands)
    add_lab(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; bad input is one line on stderr and code 2.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process when not given.
    """
    options = build_parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except BrokenPipeError:  # the reader has left, as `head` does; nothing more can be said, not even at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except ValueError as error:
        print(f"tinytorch {options.command}: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    return code
