"""Floor 4: the instructor's tools, over real nbgrader. Empty so far: the plain `nbgrader` commands work on `modules/`."""
