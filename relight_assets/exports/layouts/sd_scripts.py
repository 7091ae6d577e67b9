"""sd-scripts: the tree and a dataset configuration for ControlNet."""

from collections.abc import Iterable, Iterator

from relight_assets.exports.base import TREE, ExportSpec, IndexInputs
from relight_assets.exports.layouts.sizes import longest_side
from relight_assets.exports.layouts.toml import quoted


def _config(inputs: IndexInputs) -> Iterator[str]:
    side = longest_side(inputs)
    yield f"""[general]
caption_extension = ".txt"
flip_aug = false
color_aug = false
random_crop = false
shuffle_caption = false

[[datasets]]
resolution = [{side}, {side}]
batch_size = 1
enable_bucket = true
bucket_no_upscale = true
bucket_reso_steps = 64
max_bucket_reso = {-(-side // 64) * 64}

  [[datasets.subsets]]
  image_dir = {quoted(inputs.folder / "image")}
  conditioning_data_dir = {quoted(inputs.folder / "conditioning_image")}
  num_repeats = 1
"""


def _indexes(inputs: IndexInputs) -> Iterator[tuple[str, Iterable[str]]]:
    yield "sd-scripts.toml", _config(inputs)


EXPORT = ExportSpec(
    "sd-scripts",
    "sd-scripts (kohya)",
    TREE,
    _indexes,
    "accelerate launch flux_train_control_net.py --dataset_config {folder}/sd-scripts.toml ...",
)
