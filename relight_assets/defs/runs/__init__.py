"""A run of Dagster: started from the command line, locked, and its errors in one sentence."""
