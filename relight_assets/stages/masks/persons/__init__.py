"""Who is in a photo: what shows that there is a person, how the head stands, and which of two persons a pixel is of."""
