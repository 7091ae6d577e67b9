"""How good finished images are, image by image and over a split."""
