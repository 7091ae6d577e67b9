"""The asset ``degraded``: the person under a light that the photo was not taken in."""
