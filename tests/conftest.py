"""For every test: the same examples on every run and every machine, and never a deadline."""

from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True, database=None)
settings.load_profile("steady")
