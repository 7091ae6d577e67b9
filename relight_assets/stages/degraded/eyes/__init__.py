"""Eyes mirror lamps: the photo's own catch-lights go, and those of the drawn light come."""
