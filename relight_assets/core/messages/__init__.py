"""What is said to people: exit codes, crash reports, and the wording of counts."""
