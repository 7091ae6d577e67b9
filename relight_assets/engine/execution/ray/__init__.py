"""The engine of a Ray cluster: workers are actors on its nodes."""
