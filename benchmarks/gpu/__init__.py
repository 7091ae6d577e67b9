"""What SAM3 and the whole pipeline do on a GPU, in one command (docs/gpu.md)."""
