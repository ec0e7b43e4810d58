"""Floor 4: the rooms that touch the outside world, each with its extra: so far the page of plots and the terminal."""
