"""The packages that hold model files: which bytes they have, and how they are downloaded."""
