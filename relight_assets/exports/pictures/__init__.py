"""The pictures of pairs: cut, composed, and compared with each other."""
