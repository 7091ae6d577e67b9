"""How good an albedo is, as numbers: what of the photo's light is left in it, and what it did to the person."""
