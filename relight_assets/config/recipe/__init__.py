"""The recipe, which decides every pixel: one module per section."""
