"""The gallery of a split: one page that shows every pair, sorts and filters them, and takes a person's decisions."""
