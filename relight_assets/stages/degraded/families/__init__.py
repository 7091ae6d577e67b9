"""The light families, which do not know each other."""
