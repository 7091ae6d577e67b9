"""What a run costs, side by side with the plain peer; docs/benchmarks.md says how each figure is taken."""
