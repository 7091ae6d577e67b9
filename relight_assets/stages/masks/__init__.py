"""The asset ``masks``: the person of a photo, cut out, and the photos that are rejected."""
