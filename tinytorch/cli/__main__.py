"""`python -m tinytorch.cli`, for places where no script is on the path."""

import sys
from importlib.util import find_spec

if find_spec("numpy") is None:  # most often it is the system's Python, outside the environment of the course
    sys.exit(
        f"{sys.executable} has no numpy. Start the Python of the course's environment (.venv/bin/python), or install: "
        'python -m pip install -e ".[course]"'
    )

from tinytorch.cli.main import main

sys.exit(main())
