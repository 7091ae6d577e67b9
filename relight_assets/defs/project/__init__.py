"""The definitions of one project: under names of its own, and as a component of somebody else's project."""
