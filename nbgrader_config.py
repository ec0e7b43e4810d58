"""Settings for whoever runs nbgrader's own commands in this folder; `tinytorch release` and `grade` need none of it.

nbgrader generate_assignment 15a_monitoring, collect into grading/submitted, nbgrader autograde 15a_monitoring,
nbgrader generate_feedback 15a_monitoring: all on `modules/`. INSTRUCTORS.md says what `tinytorch grade` does better.
"""

from pathlib import Path

# The gradebook's folder must be there before nbgrader opens it.
Path("grading").mkdir(exist_ok=True)
c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "tinytorch"
# The notebooks with the solutions are the source; whatever nbgrader makes goes into one folder that git ignores.
c.CourseDirectory.source_directory = "modules"
c.CourseDirectory.release_directory = "grading/release"
c.CourseDirectory.submitted_directory = "grading/submitted"
c.CourseDirectory.autograded_directory = "grading/autograded"
c.CourseDirectory.feedback_directory = "grading/feedback"
c.CourseDirectory.db_url = "sqlite:///grading/gradebook.db"
c.ClearSolutions.code_stub = {"python": 'raise NotImplementedError("write this part")'}
c.OverwriteCells.add_missing_cells = True
# A lesson runs in less than a minute, its slowest cell in a few seconds.
c.Execute.timeout = 30
