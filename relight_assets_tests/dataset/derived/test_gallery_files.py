"""The files of a gallery, and nobody else's."""

from relight_assets.dataset.derived.gallery_files import INDEX, SPRITES, gallery_files, remove_gallery, sprite_name
from relight_assets_tests.conftest import Bench


def test_a_gallery_goes_and_what_others_have_put_there_stays(own: Bench) -> None:
    assert gallery_files(own.layout) == []
    folder = own.layout.gallery
    (folder / SPRITES).mkdir(parents=True)
    mine = [folder / INDEX, folder / SPRITES / sprite_name("0123456789ab", 3)]
    notes = [folder / "notes.txt", folder / SPRITES / "other.js"]
    for path in (*mine, *notes):
        path.write_text("x")
    assert gallery_files(own.layout) == mine
    remove_gallery(own.layout)
    assert gallery_files(own.layout) == []
    assert all(path.is_file() for path in notes)
