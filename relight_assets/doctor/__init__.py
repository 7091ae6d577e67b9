"""What a run will find on this machine."""
