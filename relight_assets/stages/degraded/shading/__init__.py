"""How light falls on a person: what the families of light have in common."""
