"""The shape that the light falls on, and what follows from it."""
