"""A run of a split: what is out of date is planned, computed by worker processes, and committed."""
