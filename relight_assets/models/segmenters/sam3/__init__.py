"""SAM3 by a text prompt, from its authors' package or from ``transformers``."""
