"""Floor 4: the rooms that touch the outside world, each with its extra: plots, terminal, files, servers, databases."""
