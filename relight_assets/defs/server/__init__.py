"""``relight dev``: Dagster's servers, with a guard before the web server."""
