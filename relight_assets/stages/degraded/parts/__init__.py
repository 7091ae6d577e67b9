"""A drawn light taken apart, so that it can be kept."""
