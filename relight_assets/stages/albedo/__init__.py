"""The asset ``albedo``: the person without the photo's own light."""
