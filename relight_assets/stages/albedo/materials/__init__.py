"""Light taken out material by material: skin within skin, everything else within clusters of one colour."""
