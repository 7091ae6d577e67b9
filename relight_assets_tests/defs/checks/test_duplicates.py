"""The checks for photos that a split has twice, or shares with another split."""

import cv2
import dagster as dg

from relight_assets_tests.conftest import PORTRAITS, Project
from relight_assets_tests.defs.checks.check_runs import checks, failed, run


def test_a_photo_of_two_splits_is_named_in_the_later_one(instance: dg.DagsterInstance, project: Project) -> None:
    project.write_csv("train", PORTRAITS[:2])
    project.write_csv("val", PORTRAITS[1:3])
    assert not failed(run(instance, "train"))
    result = run(instance, "val")
    assert result.success
    assert failed(result) == {"split_leakage"}
    (example,) = checks(result)["split_leakage"].metadata["examples"].records
    assert example.data["other_split"] == "train"
    assert PORTRAITS[1] in str(example.data["image_path"])


def test_a_bad_csv_beside_a_split_costs_its_checks_nothing_and_is_named(
    instance: dg.DagsterInstance, project: Project
) -> None:
    project.write_csv("train", PORTRAITS[:2])
    project.write_csv("val", PORTRAITS[1:3])
    for name, text in (("my split", "image_path\na.png\n"), ("column", "image\na.png\n")):
        (project.data / f"{name}_images.csv").write_text(text)
    (project.data / "nowhere_images.csv").symlink_to("gone.csv")
    assert not failed(run(instance, "train"))
    result = run(instance, "val")
    assert result.success
    assert failed(result) == {"split_leakage"}
    not_compared = checks(result)["split_leakage"].metadata["not_compared"].value
    assert not_compared == "column, my split, nowhere"


def test_a_photo_that_a_split_has_twice_warns_with_both_numbers(instance: dg.DagsterInstance, project: Project) -> None:
    (project.data / "copy.png").write_bytes((project.photos / PORTRAITS[0]).read_bytes())
    project.write_csv("train", [*PORTRAITS[:2], str(project.data / "copy.png")])
    result = run(instance, "train")
    assert result.success
    assert failed(result) == {"duplicates"}
    warning = checks(result)["duplicates"]
    assert warning.severity is dg.AssetCheckSeverity.WARN
    assert warning.metadata["same"].value == 1
    (example,) = warning.metadata["examples"].records
    assert (example.data["image"], example.data["other_image"]) == (2, 0)


def test_nearly_the_same_photo_in_two_splits_warns_too(instance: dg.DagsterInstance, project: Project) -> None:
    photo = cv2.imread(str(project.photos / PORTRAITS[1]))
    assert photo is not None
    cv2.imwrite(str(project.data / "again.jpg"), photo, [cv2.IMWRITE_JPEG_QUALITY, 85])
    project.write_csv("train", PORTRAITS[:2])
    (project.data / "val_images.csv").write_text("image_path\nagain.jpg\n")
    run(instance, "train")
    result = run(instance, "val")
    assert result.success
    assert failed(result) == {"split_leakage"}
    metadata = checks(result)["split_leakage"].metadata
    assert (metadata["same"].value, metadata["nearly_the_same"].value) == (0, 1)
    assert "of 256 bits" in str(metadata["examples"].records[0].data["differs"])


def test_an_unreadable_record_of_another_split_does_not_stop_this_one(
    instance: dg.DagsterInstance, project: Project
) -> None:
    project.write_csv("train", PORTRAITS[:1])
    (project.data / "outputs" / "data-val" / "00000_metadata.json").mkdir(parents=True)
    result = run(instance, "train")
    assert result.success
    assert not failed(result)
