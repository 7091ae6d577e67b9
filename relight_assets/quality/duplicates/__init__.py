"""Photos that are there twice, or nearly: within a split and across splits."""
