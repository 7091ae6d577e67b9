"""Forgetting photos: what is theirs is removed from splits, experiments and exports, and does not come back."""
