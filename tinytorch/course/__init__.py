"""Floor 4, the course office: the students' kit, check and doctor; release and grading; the audit of the checks."""
