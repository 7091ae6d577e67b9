"""What is asked for: the recipe, the settings, and the files they are read from."""
