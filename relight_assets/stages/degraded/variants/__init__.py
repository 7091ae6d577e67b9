"""Further pictures of one portrait: mixes with the photo, and lights that differ from the first in one attribute."""
