"""`python -m tinytorch.cli`, for places where no script is on the path."""

import sys

from tinytorch.cli.main import main

sys.exit(main())
