"""How good albedo and alpha are, measured against ground truth."""
