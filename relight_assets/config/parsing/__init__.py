"""YAML that people write: read, checked, and refused in sentences."""
