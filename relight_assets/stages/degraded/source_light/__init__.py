"""The photo's own light, as its shading on the face and the catch-lights in the eyes tell it."""
