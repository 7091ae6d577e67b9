"""What is made of a split's outputs to be looked at, and may be made anew at any time."""
