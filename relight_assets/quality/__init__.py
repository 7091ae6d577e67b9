"""How good finished pictures are: numbers of each image and of all of them, held against the recipe's thresholds."""
