"""``relight forget`` as a user types it."""

import csv

import pytest
from click.testing import CliRunner, Result

from relight_assets.cli.main import main
from relight_assets.dataset.tombstones import FORGOTTEN
from relight_assets_tests.conftest import PORTRAITS, sha256
from relight_assets_tests.forgetting.world import PHOTO, World, assert_forgotten, pairs_of


@pytest.fixture(autouse=True)
def _in_the_project(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world.root)


def relight(*arguments: str) -> Result:
    result = CliRunner().invoke(main, list(arguments), catch_exceptions=False)
    assert "Traceback" not in result.output
    return result


def test_what_went_what_cannot_be_reached_and_the_proof(world: World) -> None:
    photo, made = world.sha256, world.made_of(world.sha256)
    rehearsed = relight("forget", str(world.photos / PHOTO), "--dry-run")
    assert rehearsed.exit_code == 0
    assert "would go from " in rehearsed.output
    assert "nothing was removed" in rehearsed.output
    assert world.made_of(photo) == made
    done = relight("forget", str(world.photos / PHOTO), "--reason", "asked on 1 May")
    assert done.exit_code == 0, done.output
    assert f"gone from {world.layout().folder}: " in done.output
    assert "label rows 2, pictures 6, " in done.output
    assert f"the photo     {world.photos / PHOTO}" in done.output
    assert "Dagster       its database" in done.output
    assert "there is no sha256 that was recorded of them, and no shard has their stems" in done.output
    assert (world.settings.output_root / FORGOTTEN).read_text() == f"sha256,reason\n{photo},asked on 1 May\n"
    assert_forgotten(world, photo, made)
    again = relight("forget")
    assert again.exit_code == 0
    assert "nothing of them was found" in again.output


def test_before_anything_was_ever_forgotten(world: World) -> None:
    before = world.files()
    result = relight("forget")
    assert (result.exit_code, "no photo was ever to be forgotten" in result.output) == (0, True)
    after = world.files()
    assert {name: after[name] for name in before} == before
    assert "data/outputs/forgotten.csv" not in after


def test_several_at_once_one_of_which_is_unknown_forgets_none(world: World) -> None:
    result = relight("forget", world.sha256, "nowhere.png")
    assert (result.exit_code, "nowhere.png: there is no such file" in result.output) == (2, True)
    assert not (world.settings.output_root / FORGOTTEN).exists()


def test_reviews_are_executed_and_exports_leave_them_out_before(world: World) -> None:
    photo = world.photos / PORTRAITS[2]
    made = world.made_of(sha256(photo))
    (world.data / "train_review.csv").write_text(f"image_path,forget\n{photo},yes\n")
    exported = relight("export", "--layout", "jsonl", "--split", "train")
    assert "1 review" in " ".join(exported.output.split())
    assert str(photo) not in pairs_of(world.settings.export_folder / "jsonl")
    assert relight("forget").exit_code == 0
    with (world.settings.output_root / FORGOTTEN).open(encoding="utf-8") as file:
        assert list(csv.DictReader(file)) == [{"sha256": sha256(photo), "reason": "review"}]
    assert_forgotten(world, sha256(photo), made)
    assert relight("forget").exit_code == 0  # the review still names a photo that is gone


def test_a_review_that_is_wrong_keeps_nobody_elses_from_being_executed(world: World) -> None:
    (world.data / "train_review.csv").write_text("image_path,forget\nx.png,yes\n")
    (world.data / "val_review.csv").write_text(f"sha256,forget\n{world.sha256},yes\n")
    result = relight("forget")
    assert (result.exit_code, "has no row with the photo 'x.png'" in result.output) == (2, True)
    assert not world.layout().record(1).exists()


def test_a_folder_of_exports_that_nobody_knows(world: World) -> None:
    moved = world.root / "moved"
    world.elsewhere.rename(moved)
    result = relight("forget", world.sha256, "--out", "moved")
    assert result.exit_code == 0, result.output
    assert f"exports       {world.elsewhere / 'jsonl-x'}, which is not there now" in result.output
    assert str(world.photos / PHOTO) not in pairs_of(moved)
    assert "there is no folder nowhere" in relight("forget", "--out", "nowhere").output
    assert "there is no export in data" in relight("forget", "--out", "data").output


def test_one_export_that_was_moved(world: World) -> None:
    (world.elsewhere / "jsonl-x").rename(world.root / "moved")
    result = relight("forget", world.sha256, "--out", "moved")
    assert result.exit_code == 0, result.output
    assert str(world.photos / PHOTO) not in pairs_of(world.root / "moved")


def test_where_settings_publish_to_is_named(world: World) -> None:
    with (world.root / "config" / "platform.yaml").open("a") as file:
        file.write("publish:\n  - {name: shared, dest: s3://bucket/sets}\n")
    assert (
        "uploads       s3://bucket/sets: `relight publish DEST --check` finds it"
        in relight("forget", world.sha256).output
    )


def test_what_is_left_ends_with_1(world: World) -> None:
    (world.settings.export_folder / "mine.json").write_text(f'{{"photo": "{world.sha256}"}}')
    copy = world.settings.export_folder / "imagefolder" / "notes.txt"
    copy.write_text(f"about {world.sha256}")
    result = relight("forget", world.sha256)
    assert result.exit_code == 1
    assert f"{copy}: a sha256 that is recorded of the photo" in result.output
    assert "call `relight forget` again" in result.output
    copy.unlink()


@pytest.mark.parametrize("reason", ["two\nlines", "x" * 201])
def test_a_reason_is_one_line(world: World, reason: str) -> None:
    result = relight("forget", world.sha256, "--reason", reason)
    assert (result.exit_code, "--reason must be one line" in result.output) == (2, True)


def test_a_damaged_list_is_one_sentence_for_every_command(world: World) -> None:
    (world.settings.output_root / FORGOTTEN).write_text("sha256\n")
    commands = (
        ["run", "--split", "train"],
        ["status"],
        ["export", "--layout", "jsonl", "--split", "train"],
        ["forget"],
    )
    for arguments in commands:
        result = relight(*arguments)
        assert result.exit_code == 2, arguments
        assert "cannot be used: its first line mu" in " ".join(result.output.split()), arguments


def test_other_photos_are_counted_and_stay(world: World) -> None:
    first, second = (sha256(world.photos / name) for name in PORTRAITS[:2])
    assert "2 photos forgotten, 2 of them now" in relight("forget", first, second).output
    assert world.state().row_counts() == {"done": 2, "rejected": 2, "failed": 1}
