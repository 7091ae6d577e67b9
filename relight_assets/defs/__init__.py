"""What Dagster shows.  The only package that imports Dagster."""
