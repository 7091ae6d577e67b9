"""Turn CSVs of portrait photos into training pairs for lighting-transformation models."""

__version__ = "0.2.0"
