"""The CSVs: read strictly, watched, and written back as mapping and failures."""
