"""The image science, one package per asset: pure functions over arrays."""
