"""What knows nothing of portraits: colour, random numbers, files that are safely opened, errors for people."""
