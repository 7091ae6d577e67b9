"""Images of a split: contact sheets and charts."""
