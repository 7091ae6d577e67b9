"""The assets of a split, and its partitions."""
