"""The engines there are: what the setting ``engine`` may be, and what makes each."""

from typing import Annotated, Any

from pydantic import BeforeValidator

ENGINES: dict[str, str] = {
    "local": "relight_assets.engine.execution.local:LocalEngine",
    "ray": "relight_assets.engine.execution.ray.engine:RayEngine",
}
"""The dotted name, ``module:attribute``, of each engine's factory; see :mod:`relight_assets.engine.execution.base`.

Names alone, so that whoever reads the settings imports no engine.
"""


def _known(value: Any) -> Any:
    if isinstance(value, str) and value in ENGINES:
        return value
    raise ValueError(f"must be {' or '.join(repr(name) for name in ENGINES)}")


EngineName = Annotated[str, BeforeValidator(_known)]
