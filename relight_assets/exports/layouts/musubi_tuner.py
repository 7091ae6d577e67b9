"""musubi-tuner: the tree and a dataset configuration."""

from collections.abc import Iterable, Iterator

from relight_assets.exports.base import TREE, ExportSpec, IndexInputs
from relight_assets.exports.layouts.sizes import longest_side
from relight_assets.exports.layouts.toml import quoted


def _config(inputs: IndexInputs) -> Iterator[str]:
    side = longest_side(inputs)
    yield f"""[general]
resolution = [{side}, {side}]
caption_extension = ".txt"
batch_size = 1
enable_bucket = true
bucket_no_upscale = true

[[datasets]]
image_directory = {quoted(inputs.folder / "image")}
control_directory = {quoted(inputs.folder / "conditioning_image")}
cache_directory = {quoted(inputs.folder / "cache")}
num_repeats = 1
"""


def _indexes(inputs: IndexInputs) -> Iterator[tuple[str, Iterable[str]]]:
    yield "musubi-tuner.toml", _config(inputs)


EXPORT = ExportSpec(
    "musubi-tuner",
    "musubi-tuner",
    TREE,
    _indexes,
    "python src/musubi_tuner/flux_kontext_cache_latents.py --dataset_config {folder}/musubi-tuner.toml --vae ...",
)
