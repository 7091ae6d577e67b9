"""How good albedo and alpha are, measured where the truth is known."""
