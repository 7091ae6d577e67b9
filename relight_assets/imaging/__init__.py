"""From the bytes of a source photo to upright 8-bit sRGB, and to PNG."""
