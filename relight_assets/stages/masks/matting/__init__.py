"""From a coarse person probability to a cut-out: alpha, and the colours of both layers."""
