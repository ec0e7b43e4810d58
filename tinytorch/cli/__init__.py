"""Floor 5: the `tinytorch` command. `python -m tinytorch.cli` is the same."""
