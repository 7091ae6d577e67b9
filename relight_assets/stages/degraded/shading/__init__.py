"""How light falls on a person: what light families have in common."""
