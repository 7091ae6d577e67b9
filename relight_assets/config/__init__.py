"""The recipe, the settings, and reading them from their files and the environment."""
