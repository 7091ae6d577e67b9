"""The pairs that leave a split, and what is said of each."""
