"""What a worker process does: an image through the stages, each committed."""
