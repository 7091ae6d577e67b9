"""Everything that touches files: the CSVs, the pictures, the records and their names."""
