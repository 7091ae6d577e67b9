"""The files of a split: written whole or not at all, read without waiting."""
