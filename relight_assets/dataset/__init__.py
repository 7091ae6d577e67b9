"""A split on the disk: its CSV, the numbers of its images, the names of its files, its records."""
