"""How finished pairs leave: exports, and where they are published."""
