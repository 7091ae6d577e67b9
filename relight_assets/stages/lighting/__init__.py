"""Synthetic light: geometry from a portrait, and the three families of light that fall on it."""
