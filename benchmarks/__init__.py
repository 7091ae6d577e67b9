"""What the pipeline costs and how good its images are, measured from a checkout; not in the wheel."""
