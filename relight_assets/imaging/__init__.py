"""From the bytes of a source picture to upright 8-bit sRGB, and to PNG."""
