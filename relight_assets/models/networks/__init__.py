"""Networks of a user's own: albedo, depth, normals."""
