"""The color of skin: where light was taken or added it is led to its own, alike on both sides of a mesh's edge."""
