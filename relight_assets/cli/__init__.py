"""The command line: the commands, what they print, and running splits through Dagster."""
