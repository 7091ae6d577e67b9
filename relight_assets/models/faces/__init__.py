"""Faces: where they are, and their meshes."""
