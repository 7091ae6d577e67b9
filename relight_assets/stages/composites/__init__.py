"""The asset ``composites``: the degraded person on gray, or on the photo's own background."""
