"""``relight bench``: what a run costs, side by side with the plain peer; how each figure is taken is in docs/."""
