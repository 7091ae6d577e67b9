"""The asset ``light_maps``: the light of each degraded picture itself, for those who mix light of their own."""
