"""Panoramas of the light around a person, and what they do to it."""
