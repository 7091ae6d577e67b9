"""Where a split stands, by the recipe and the settings: no image is computed, and no worker's code is loaded."""

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.core.messages.steps import Watch, unwatched
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.dataset.tombstones import read_tombstones
from relight_assets.engine.state.digests import Digests
from relight_assets.engine.state.image_state import NO_HASHES, Hashes
from relight_assets.engine.state.scan import SplitState, scan_split
from relight_assets.errors import OutputFolderError
from relight_assets.models.files import ModelFiles
from relight_assets.storage.base import Storage
from relight_assets.storage.local import LOCAL


def digests_of(recipe: Recipe, settings: Settings) -> Digests:
    """The digests under a recipe, the models that belong to this version, and the weights that the settings name.

    Raises:
        ModelFileError: weights that the recipe needs are not there.
    """
    return Digests(recipe, ModelFiles.of(settings).sha256_of)


def load_split_state(
    split: SplitCsv,
    recipe: Recipe,
    settings: Settings,
    experiment: str | None = None,
    *,
    hashes: Hashes = NO_HASHES,
    storage: Storage = LOCAL,
    trust: bool = False,
    watch: Watch = unwatched,
) -> SplitState:
    """Where a split stands, without touching anything.

    ``hashes`` are the stamps of files that somebody has hashed just now; with ``trust``, nobody looks at the photos and
    files of images that the state beside the records has as finished; ``watch`` is told how many images are scanned.

    Raises:
        OutputFolderError: the folder, or the list of the photos that were forgotten, cannot be read.
    """
    layout = SplitLayout(split_folder(settings.output_root, split.split, experiment), storage)
    try:
        return scan_split(
            split,
            layout,
            digests_of(recipe, settings),
            settings.photo_root,
            tombstones=read_tombstones(settings.output_root, storage),
            hashes=hashes,
            trust=trust,
            watch=watch,
        )
    except OSError as error:
        raise OutputFolderError(f"{layout.folder} cannot be read: {error}") from error
