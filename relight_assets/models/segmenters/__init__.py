"""Person segmenters: photos in, probabilities out."""
