"""What an export says of itself: README.md for people, croissant.json for machines."""
