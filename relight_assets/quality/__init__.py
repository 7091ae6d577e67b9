"""How good finished pictures are, image by image and over a split."""
