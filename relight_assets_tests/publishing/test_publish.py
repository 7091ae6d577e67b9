"""Publishing a tree to a real S3 server by way of a proxy that fails: what lies in the bucket afterwards."""

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from relight_assets.config.datasets.publish import Destination
from relight_assets.errors import ChangedOutputError, DestinationError, PublishStoppedError, RelightError
from relight_assets.publishing.export_trees import ExportedSplit
from relight_assets.publishing.publish import Progress, Published, PublishOptions, publish_tree
from relight_assets.publishing.stores import StoreOptions
from relight_assets.publishing.trees import PART
from relight_assets_tests.publishing.buckets import TestBucket
from relight_assets_tests.publishing.fault_proxy import HALF, RESET, FaultProxy, Refusal
from relight_assets_tests.publishing.s3 import PAIRS, SECRET, TOKEN, assert_manifest_fits, export_of

PREFIX = "some/prefix/pairs/train/"
Publish = Callable[..., Published]


@pytest.fixture
def publish(exported: ExportedSplit, destination: Destination, store: StoreOptions) -> Publish:
    """Publishes the export: ``publish(delete=True)``."""

    def run(export: ExportedSplit = exported, **options: bool) -> Published:
        return publish_tree(export.tree(), destination, PublishOptions(store, **options))

    return run


def again(exported: ExportedSplit, **changed: bytes) -> ExportedSplit:
    """A newer snapshot with other files; one that is given as empty is gone."""
    before = {
        path.relative_to(exported.link).as_posix(): path.read_bytes()
        for path in exported.link.rglob("*")
        if path.is_file() and path.name not in {"manifest.json", "files.csv"}
    }
    files = {path: data for path, data in {**before, **changed}.items() if data}
    return export_of(exported.link.parent, files)


def test_all_lies_there_with_its_sha256_beside_it(
    publish: Publish, bucket: TestBucket, exported: ExportedSplit
) -> None:
    did = publish()
    assert (did.objects, len(did.uploaded), did.unchanged, did.changed) == (23, 22, 0, True)
    assert_manifest_fits(bucket, PREFIX)
    assert set(bucket.names(PREFIX)) == {*PAIRS, "metadata.jsonl", "files.csv", "manifest.json", "uploads.csv"}
    for key in bucket.names(PREFIX):
        assert bucket.sha256(PREFIX + key) == hashlib.sha256(bucket.read(PREFIX + key)).hexdigest()
    assert bucket.client.head_object(Bucket=bucket.name, Key=f"{PREFIX}image/000001.png")["ContentType"] == "image/png"
    assert bucket.read(f"{PREFIX}manifest.json") == (exported.link / "manifest.json").read_bytes()


def test_the_second_time_one_listing_and_three_reads_say_that_nothing_is_to_do(
    publish: Publish, proxy: FaultProxy
) -> None:
    publish()
    proxy.forget()
    did = publish()
    assert (did.uploaded, did.unchanged, did.changed) == ([], 22, False)
    assert proxy.methods == {"GET": 2, "HEAD": 1}  # the listing and uploads.csv; the manifest's sha256


def test_the_manifest_comes_last(publish: Publish, proxy: FaultProxy) -> None:
    publish()
    assert [path.rpartition("/")[2] for path in proxy.paths("PUT")[-2:]] == ["uploads.csv", "manifest.json"]


def test_only_what_changed_goes_and_the_manifest_is_away_meanwhile(
    publish: Publish, proxy: FaultProxy, bucket: TestBucket, exported: ExportedSplit
) -> None:
    publish()
    changed = {"image/000003.png": b"c" * 1000, "image/000099.png": b"n" * 1000}  # of one size with the one before
    newer = again(exported, **changed)
    proxy.forget()
    there: list[tuple[str, bool]] = []

    def look(method: str, path: str, _: int) -> None:
        if method == "PUT":
            there.append((path.rpartition("/")[2], "manifest.json" in bucket.names(PREFIX)))

    proxy.choose = look
    did = publish(newer)
    assert (sorted(did.uploaded), did.replaced) == (["files.csv", *sorted(changed)], 2)
    assert there[0] == ("000099.png", True)  # a new object harms no reader of the old manifest
    assert dict(there[1:]) == dict.fromkeys(("000003.png", "files.csv", "uploads.csv", "manifest.json"), False)
    assert_manifest_fits(bucket, PREFIX)


def test_objects_that_the_export_has_no_more_stay_until_they_are_to_go(
    publish: Publish, bucket: TestBucket, exported: ExportedSplit
) -> None:
    publish()
    bucket.put(f"{PREFIX}notes of a person.txt", b"mine")
    bucket.put("some/prefix/pairs/train-old/a.txt", b"another tree", sha256="x")
    newer = again(exported, **{"image/000005.png": b"", "image/000006.png": b""})
    did = publish(newer)
    assert did.left == ["image/000005.png", "image/000006.png", "notes of a person.txt"]
    dry = publish(newer, delete=True, dry_run=True)
    assert (dry.removed, dry.left) == (["image/000005.png", "image/000006.png"], ["notes of a person.txt"])
    assert "image/000005.png" in bucket.names(PREFIX)
    did = publish(newer, delete=True)
    assert (did.removed, did.left) == (["image/000005.png", "image/000006.png"], ["notes of a person.txt"])
    assert "image/000005.png" not in bucket.names(PREFIX)
    assert bucket.read(f"{PREFIX}notes of a person.txt") == b"mine"
    assert bucket.names("some/prefix/pairs/train-old/") == ["a.txt"]
    assert_manifest_fits(bucket, PREFIX)


def test_a_dry_run_writes_nothing(publish: Publish, proxy: FaultProxy, bucket: TestBucket) -> None:
    did = publish(dry_run=True)
    assert (len(did.uploaded), did.changed) == (22, True)
    assert set(proxy.methods) == {"GET"}
    assert bucket.names() == []


@pytest.mark.parametrize("fault", [Refusal(503, "SlowDown"), Refusal(429, "TooManyRequests"), RESET, Refusal(500, "X")])
def test_passing_faults_cost_a_pause_and_no_object(
    publish: Publish, proxy: FaultProxy, bucket: TestBucket, fault: Refusal | str
) -> None:
    proxy.choose = lambda method, _, count: fault if method == "PUT" and count in {0, 5, 6, 15} else None
    assert len(publish().uploaded) == 22
    assert_manifest_fits(bucket, PREFIX)
    assert proxy.methods["PUT"] == 24 + 4


EXPIRED = Refusal(400, "ExpiredToken", f"<Token-0>{TOKEN}</Token-0>")


@pytest.mark.parametrize(
    ("fault", "kind", "message"),
    [
        (Refusal(403, "AccessDenied"), DestinationError, "no permission to write"),
        (Refusal(503, "SlowDown"), PublishStoppedError, "asks for fewer requests"),
        (Refusal(500, "InternalError"), PublishStoppedError, r"answers with errors \(500\)"),
        (RESET, PublishStoppedError, "the connection broke several times"),
        (EXPIRED, PublishStoppedError, "the credentials have expired; renew them"),
        (Refusal(403, "InvalidAccessKeyId", SECRET), DestinationError, "does not accept the credentials"),
        (Refusal(301, "PermanentRedirect"), DestinationError, "give --region"),
        (Refusal(409, "OperationAborted", TOKEN), PublishStoppedError, r"refused to write \(OperationAborted\)"),
    ],
)
def test_what_lasts_ends_in_one_sentence_without_a_manifest_and_goes_on_from_there(
    publish: Publish,
    proxy: FaultProxy,
    bucket: TestBucket,
    caplog: pytest.LogCaptureFixture,
    fault: Refusal | str,
    kind: type[RelightError],
    message: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    proxy.choose = lambda method, _, count: fault if method == "PUT" and count >= 8 else None
    with pytest.raises(kind, match=message) as raised:
        publish()
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
    for hidden in (SECRET, TOKEN):
        assert hidden not in f"{raised.value}{caplog.text}"
    there = set(bucket.names(PREFIX))
    assert len(there) == 8
    assert "manifest.json" not in there
    proxy.forget()
    did = publish()
    assert len(did.uploaded) == 22 - 8
    assert did.unchanged == 8
    assert not there & set(did.uploaded)
    assert_manifest_fits(bucket, PREFIX)


def test_credentials_that_expire_in_the_middle_are_asked_for_anew(
    publish: Publish, proxy: FaultProxy, bucket: TestBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def expired(method: str, _: str, count: int) -> Refusal | None:
        if method == "PUT" and count == 8:  # somebody logs in again
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIARENEWED")
        old = "AKIAEXAMPLE" in proxy.headers[-1].get("authorization", "")
        return EXPIRED if method == "PUT" and count >= 8 and old else None

    proxy.choose = expired
    assert len(publish().uploaded) == 22
    assert_manifest_fits(bucket, PREFIX)


def test_an_object_of_which_half_arrived_is_noticed_before_the_manifest(
    publish: Publish, proxy: FaultProxy, bucket: TestBucket
) -> None:
    proxy.choose = lambda method, path, _: HALF if method == "PUT" and "000004.png" in path else None
    with pytest.raises(PublishStoppedError, match=r"1 objects are not there .* such as pairs/train/image/000004.png"):
        publish()
    assert "manifest.json" not in bucket.names(PREFIX)
    proxy.forget()
    assert publish().uploaded == ["image/000004.png"]
    assert_manifest_fits(bucket, PREFIX)


def test_somebody_who_writes_there_meanwhile_is_noticed(
    publish: Publish, proxy: FaultProxy, bucket: TestBucket
) -> None:
    def write(method: str, path: str, count: int) -> None:
        if (method, count) == ("PUT", 21):
            bucket.put(f"{PREFIX}image/000002.png", b"other" * 200)

    proxy.choose = write
    with pytest.raises(PublishStoppedError, match="something else writes there"):
        publish()
    assert "manifest.json" not in bucket.names(PREFIX)
    assert "image/000002.png" in publish().uploaded
    assert_manifest_fits(bucket, PREFIX)


def test_of_a_long_publication_that_was_interrupted_few_objects_are_asked(
    publish: Publish, proxy: FaultProxy, bucket: TestBucket, exported: ExportedSplit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relight_assets.publishing.publish._NOTED_FROM", 10)
    larger = again(exported, **{f"image/{n:06d}.png": bytes([n]) * 900 for n in range(60)})
    proxy.choose = lambda method, _, count: Refusal(403, "AccessDenied") if method == "PUT" and count >= 50 else None
    with pytest.raises(DestinationError):
        publish(larger)
    there = set(bucket.names(PREFIX)) - {"uploads.csv"}
    assert "manifest.json" not in there
    noted = {line.partition(",")[0] for line in bucket.read(f"{PREFIX}uploads.csv").decode().splitlines()[1:]}
    assert noted < there
    assert len(noted) >= 20
    proxy.forget()
    did = publish(larger)
    assert did.unchanged == len(there)
    assert proxy.methods["HEAD"] == len(there - noted)
    assert_manifest_fits(bucket, PREFIX)


def test_a_file_that_changes_underneath_is_never_uploaded(
    exported: ExportedSplit, destination: Destination, store: StoreOptions, bucket: TestBucket
) -> None:
    tree = exported.tree()
    (exported.link / "image" / "000007.png").write_bytes(b"e" * 1000)
    with pytest.raises(ChangedOutputError, match=r"000007.png has other bytes"):
        publish_tree(tree, destination, PublishOptions(store))
    assert not {"image/000007.png", "manifest.json"} & set(bucket.names(PREFIX))


@pytest.fixture
def large(tmp_path: Path) -> ExportedSplit:
    data = bytes(range(256)) * (3 * PART // 256) + b"end"
    return export_of(tmp_path / "exports" / "shards", {"train-000000.tar": data, "pairs.jsonl": b"{}\n"})


def test_a_large_file_goes_in_parts(
    large: ExportedSplit, destination: Destination, store: StoreOptions, proxy: FaultProxy, bucket: TestBucket
) -> None:
    proxy.choose = lambda _, path, count: RESET if "partNumber" in path and count == 2 else None
    publish_tree(large.tree(), destination, PublishOptions(store))
    assert_manifest_fits(bucket, "some/prefix/shards/train/")
    data = (large.link / "train-000000.tar").read_bytes()
    assert bucket.sha256("some/prefix/shards/train/train-000000.tar") == hashlib.sha256(data).hexdigest()
    assert len({path for _, path in proxy.requests if "partNumber" in path}) == 4
    assert publish_tree(large.tree(), destination, PublishOptions(store)).uploaded == []


@pytest.mark.parametrize("how", ["edited", "longer", "shorter"])
def test_a_large_file_that_changes_underneath_leaves_no_object(
    large: ExportedSplit, destination: Destination, store: StoreOptions, bucket: TestBucket, how: str
) -> None:
    tree = large.tree()
    path = large.link / "train-000000.tar"
    data = path.read_bytes()
    path.write_bytes({"edited": b"x" + data[1:], "longer": data + b"x", "shorter": data[:-5]}[how])
    with pytest.raises(ChangedOutputError, match="has other bytes"):
        publish_tree(tree, destination, PublishOptions(store))
    assert not {"train-000000.tar", "manifest.json"} & set(bucket.names("some/prefix/shards/train/"))
    assert bucket.uploads_under_way() == []


def test_progress_is_of_what_is_uploaded(
    exported: ExportedSplit, destination: Destination, store: StoreOptions, proxy: FaultProxy
) -> None:
    seen: list[Progress] = []
    publish_tree(exported.tree(), destination, PublishOptions(store), seen.append)
    assert [now.files for now in seen] == list(range(1, 23))
    assert seen[-1].all_files == 22
    assert seen[-1].size == seen[-1].all_size == sum(file.size for file in exported.tree().files)


# -- a folder ------------------------------------------------------------------------------------------------------


def test_a_folder_is_published_to_in_the_same_way(exported: ExportedSplit, tmp_path: Path) -> None:
    target = tmp_path / "disk" / "sets"
    to = Destination.parse(str(target))
    assert publish_tree(exported.tree(), to, PublishOptions(dry_run=True)).changed
    assert not target.exists()
    assert len(publish_tree(exported.tree(), to, PublishOptions()).uploaded) == 22
    copied = target / "pairs" / "train"
    assert (copied / "image" / "000003.png").read_bytes() == PAIRS["image/000003.png"]
    assert (copied / "manifest.json").read_bytes() == (exported.link / "manifest.json").read_bytes()
    assert publish_tree(exported.tree(), to, PublishOptions()).changed is False
    newer = again(exported, **{"image/000003.png": b"c" * 1000, "image/000004.png": b""})
    did = publish_tree(newer.tree(), to, PublishOptions(delete=True))
    assert (sorted(did.uploaded), did.removed) == (["files.csv", "image/000003.png"], ["image/000004.png"])
    assert (copied / "image" / "000003.png").read_bytes() == b"c" * 1000


def test_a_folder_that_was_copied_to_half_is_read_not_written_again(exported: ExportedSplit, tmp_path: Path) -> None:
    folder = tmp_path / "disk" / "pairs" / "train" / "image"
    folder.mkdir(parents=True)
    (folder / "000001.png").write_bytes(PAIRS["image/000001.png"])
    (folder / "000002.png").write_bytes(b"x" * 1000)
    did = publish_tree(exported.tree(), Destination.parse(str(tmp_path / "disk")), PublishOptions())
    assert (did.unchanged, did.replaced) == (1, 1)
    assert (folder / "000002.png").read_bytes() == PAIRS["image/000002.png"]


def test_a_folder_that_cannot_be_written_is_one_sentence(exported: ExportedSplit, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in ("file", "file/below"):
        with pytest.raises(DestinationError, match=r"is no folder|cannot be made: (Not a directory|File exists)"):
            publish_tree(exported.tree(), Destination.parse(str(tmp_path / place)), PublishOptions())


def test_what_stands_in_the_way_in_a_folder_is_named(exported: ExportedSplit, tmp_path: Path) -> None:
    (tmp_path / "disk" / "pairs" / "train" / "image" / "000001.png" / "below").mkdir(parents=True)
    with pytest.raises(DestinationError, match=r"cannot write there: .*[Dd]irectory"):
        publish_tree(exported.tree(), Destination.parse(str(tmp_path / "disk")), PublishOptions())
    assert not (tmp_path / "disk" / "pairs" / "train" / "manifest.json").exists()
