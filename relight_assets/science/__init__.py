"""How good the albedo is, measured where the truth is known."""
