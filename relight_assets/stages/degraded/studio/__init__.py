"""The lights of a studio, one module for each kind: how its lamps stand, and what they do to a person."""
