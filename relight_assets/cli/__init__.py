"""``relight``: the command line."""
