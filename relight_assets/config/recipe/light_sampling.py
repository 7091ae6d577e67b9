"""The recipe's section ``light_sampling``: where lights may stand."""

from typing import Annotated, Literal

from relight_assets.config.recipe.family_options import LightElevations
from relight_assets.config.recipe.types import Interval, Part, Unit, ends, number


class LightSampling(Part):
    """Where lights may stand.  Elevation 90 is toward the camera, 0 in the image plane."""

    method: Literal["hemisphere_uniform"] = "hemisphere_uniform"
    """Uniform over the sphere, not over degrees."""
    elevation_range: LightElevations = (10.0, 80.0)
    azimuth_range: Annotated[Interval, ends(0, 360)] = (0.0, 360.0)
    """Around the face, degrees; 0 = right, 90 = up."""
    from_below: Unit = 0.35
    """How often a light from below the face is accepted."""
    min_light_angle: Annotated[float, number(0, 90)] = 45.0
    """Nearest that a key light may stand to the photo's own, degrees, where that one is known; 0 = anywhere."""

    def elevations(self, family: Interval) -> Interval:
        """The part of a family's elevation range that this range allows, degrees."""
        return max(self.elevation_range[0], family[0]), min(self.elevation_range[1], family[1])
