"""The families of light, which do not know each other."""
