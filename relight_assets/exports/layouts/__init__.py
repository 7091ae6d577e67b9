"""The layouts: one module for each, which do not know each other."""
