"""The checks, each run in a process of its own."""
