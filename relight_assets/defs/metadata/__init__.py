"""What a materialization says of its run."""
