"""Floor 4: the instructor's tools, over nbgrader. Empty so far: the plain `nbgrader` commands work on `modules/`."""
