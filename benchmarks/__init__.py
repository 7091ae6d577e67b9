"""What the pipeline costs and how good its pictures are, measured from a checkout; not in the wheel."""
