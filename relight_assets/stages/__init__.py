"""The image science: pure functions over arrays.  No files, no Dagster, no processes, no networks."""
