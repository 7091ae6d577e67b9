"""The asset ``degraded``: the person under another light than the photo's."""
