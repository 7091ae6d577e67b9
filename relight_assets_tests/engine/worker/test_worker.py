"""What a worker makes of its images, and how it tells what is wrong.  (faults/ kills it at every write.)"""

import threading
from pathlib import Path
from typing import Any

import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset import index as lasting_index
from relight_assets.dataset.records import read_failure
from relight_assets.dataset.tombstones import Tombstones
from relight_assets.engine.execution.messages import ImageResult, WorkItem
from relight_assets.engine.worker import worker as worker_module
from relight_assets.engine.worker.image_task import ImageTask
from relight_assets.engine.worker.worker import ImageWorker
from relight_assets.errors import ModelFileError, OutputFolderError
from relight_assets.imaging.decode import size_of
from relight_assets.models.files import ModelFiles
from relight_assets.stages.albedo import albedo
from relight_assets.stages.registry import stage_names
from relight_assets.storage.files import FileStamp, source_token
from relight_assets.storage.local import LocalStorage
from relight_assets_tests.conftest import ALL_FILES, PORTRAITS, Bench, assert_records_tell_the_truth, sha256

GRAY = Recipe()


def process(bench: Bench, recipe: Recipe, **options: Any) -> None:
    worker = ImageWorker(folder=bench.layout.folder, recipe=recipe, max_pixels=10**7, threads=1, **options)
    photo = str(bench.photos / PORTRAITS[0])
    list(worker.process([WorkItem(0, photo, photo, stage_names())]))


@pytest.fixture
def one(bench: Bench) -> Bench:
    bench.write_csv(PORTRAITS[:1])
    bench.layout.folder.mkdir(parents=True)
    lasting_index.extend(bench.layout, [str(bench.photos / PORTRAITS[0])])
    return bench


def test_a_fault_in_the_code_is_recorded_with_its_traceback(one: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("one over nothing")

    monkeypatch.setattr(albedo, "extract", broken)
    process(one, GRAY)
    failure = read_failure(one.layout.failure(0))
    assert failure is not None
    assert (failure.code, failure.stage) == ("internal", "albedo")
    assert "ZeroDivisionError: one over nothing" in failure.message
    assert "broken" in (failure.traceback or "")
    assert sorted(path.name for path in one.layout.folder.glob("*.png")) == [
        "00000_background.png",
        "00000_foreground.png",
        "00000_input.png",
    ]


def test_a_disk_that_takes_nothing_ends_the_worker_with_one_sentence(
    one: Bench,
) -> None:
    class Full(LocalStorage):
        def put_stamped(self, *_: object, **__: object) -> FileStamp:
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputFolderError, match="No space left on device"):
        process(one, GRAY, storage=Full())
    assert_records_tell_the_truth(one.layout)


def test_outputs_never_carry_exif(one: Bench) -> None:
    process(one, GRAY)
    images = list(one.layout.folder.glob("*.png"))
    assert len(images) == len(ALL_FILES)
    for path in images:
        data = path.read_bytes()
        assert not any(kind in data for kind in (b"eXIf", b"tEXt", b"iCCP", b"zTXt", b"iTXt")), path.name


def test_the_model_folder_can_be_chosen(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="relight models fetch"):
        ImageWorker(folder=tmp_path, recipe=GRAY, max_pixels=1, threads=1, models=ModelFiles(model_dir=tmp_path))


def processed(bench: Bench, folder: Path, **options: Any) -> dict[str, str]:
    """sha256 of every image of the portraits, made by one worker in this process."""
    worker = ImageWorker(folder=folder, recipe=GRAY, max_pixels=10**7, **options)
    folder.mkdir()
    photos = [str(bench.photos / name) for name in PORTRAITS]
    results = list(worker.process([WorkItem(n, photo, photo, stage_names()) for n, photo in enumerate(photos)]))
    assert sorted(result.index for result in results if isinstance(result, ImageResult)) == [0, 1, 2, 3]
    return {path.name: sha256(path) for path in sorted(folder.glob("*.png"))}


@pytest.mark.parametrize(
    "options",
    [{"threads": 1}, {"threads": 4, "batch": 8}, {"threads": 9, "batch": 1}, {"threads": 3, "memory_bytes": 1}],
)
def test_threads_batch_and_memory_do_not_change_a_byte(
    bench: Bench, finished: Bench, tmp_path: Path, options: dict[str, int]
) -> None:
    assert processed(bench, tmp_path / "made", **options) == finished.png_hashes()


def test_no_more_images_are_on_their_way_than_there_is_memory_for(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive, most, lock = 0, 0, threading.Lock()

    class Counted(ImageTask):
        def read_ahead(self) -> None:
            nonlocal alive, most
            with lock:
                alive += 1
                most = max(most, alive)
            super().read_ahead()

        def run(self) -> ImageResult:
            nonlocal alive
            result = super().run()
            with lock:
                alive -= 1
            return result

    monkeypatch.setattr(worker_module, "ImageTask", Counted)
    processed(bench, tmp_path / "little", threads=4, memory_bytes=1 << 20)
    assert most == 1
    alive, most = 0, 0
    processed(bench, tmp_path / "much", threads=4, memory_bytes=1 << 30)
    assert most > 1


def test_a_downscaled_image_counts_by_what_it_is_made_of_and_by_what_comes_out(bench: Bench, tmp_path: Path) -> None:
    photo = bench.photos / PORTRAITS[0]
    width, height = size_of(photo)
    item = WorkItem(0, "", str(photo), stage_names())

    def need(recipe: Recipe, max_pixels: int = 10**8) -> int:
        return ImageWorker(folder=tmp_path, recipe=recipe, max_pixels=max_pixels, threads=1).need(item)

    whole = need(GRAY)
    assert whole == width * height * (worker_module.DECODE_BYTES_PER_PIXEL + worker_module.BYTES_PER_PIXEL)
    half = need(Recipe(image_size=max(width, height) // 2))
    assert width * height * worker_module.DECODE_BYTES_PER_PIXEL < half < whole / 2
    assert need(GRAY, max_pixels=100) == 0  # it is refused before it is decoded
    kept, without = (need(Recipe(keep_light=on, variants=2)) for on in (True, False))
    assert kept - without == 2 * worker_module.LIGHT_BYTES


def test_of_a_photo_that_was_forgotten_nothing_is_made_and_its_sha256_is_not_kept(one: Bench) -> None:
    photo = one.photos / PORTRAITS[0]
    tombstones = Tombstones({sha256(photo): ""})
    process(one, GRAY, tombstones=tombstones)
    failure = read_failure(one.layout.failure(0))
    assert failure is not None
    assert (failure.code, failure.rejected, failure.source) == ("forgotten", True, None)
    status = photo.stat()
    assert tombstones.sealed(failure.digest, status.st_size, source_token(status))
    assert [path.name for path in one.layout.folder.glob("00000_*")] == ["00000_failure.json"]
    assert sha256(photo) not in one.layout.failure(0).read_text()


def test_what_was_made_of_it_before_goes(one: Bench) -> None:
    process(one, GRAY)
    assert len(list(one.layout.folder.glob("00000_*"))) == 7
    process(one, GRAY, tombstones=Tombstones({sha256(one.photos / PORTRAITS[0]): ""}))
    assert [path.name for path in one.layout.folder.glob("00000_*")] == ["00000_failure.json"]
