"""A photo whose own light stays in its albedo is turned away: under every new light it would look the same."""

import cv2

from relight_assets.config.recipe.masks import ANY_OWN_LIGHT, PhotoQa
from relight_assets.core.arrays import Points, Rgba8
from relight_assets.errors import OwnLightError
from relight_assets.stages.masks.photo_filters import measure_photo


def require_own_light_removed(left: float | None, wanted: PhotoQa, foreground: Rgba8, face: Points | None) -> None:
    """Turn a photo away by the share of its light that is left.

    Raises:
        OwnLightError: rejected.
    """
    if left is None or left <= wanted.max_own_light:
        return
    error = OwnLightError(
        f"{left:.3f} of the photo's own light on the face is left in its albedo, more than photo_qa.max_own_light "
        f"{wanted.max_own_light:g}, so every new light would look like it: take a photo in softer light, or raise "
        f"photo_qa.max_own_light ({ANY_OWN_LIGHT:g} takes every photo)"
    )
    alpha, rgb = cv2.extractChannel(foreground, 3), cv2.cvtColor(foreground, cv2.COLOR_RGBA2RGB)
    error.skin_lightness = measure_photo(rgb, alpha, face).skin_lightness
    raise error
