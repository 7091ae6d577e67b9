"""What of a split is current: digests, scan, plan, and whose photos the images were made of."""
