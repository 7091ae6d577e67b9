"""Whether locks hold between machines, by lines of /proc/self/mountinfo as such mounts have them."""

from pathlib import Path

import pytest

from relight_assets.engine.execution.ray.mounts import locks_fault, mount_of

NFS = "41 20 0:35 / {point} rw,relatime shared:9 - {kind} server:/export rw,vers={version},{options}\n"
ROOT = "20 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"


def mountinfo(folder: Path, *lines: str) -> Path:
    path = folder / "mountinfo"
    path.write_text("".join((ROOT, *lines)))
    return path


@pytest.mark.parametrize(
    ("kind", "version", "options", "reported"),
    [
        ("nfs4", "4.2", "hard,local_lock=none,addr=10.0.0.2", None),
        ("nfs", "3", "hard,nolock,addr=10.0.0.2", "(nolock)"),
        ("nfs", "3", "hard,local_lock=all", "(local_lock=all)"),
        ("lustre", "1", "flock,lazystatfs", None),
        ("lustre", "1", "localflock", "(no `flock`)"),
        ("ext4", "1", "nolock", None),
    ],
)
def test_locks_that_hold_on_one_machine_alone_are_named(
    tmp_path: Path, kind: str, version: str, options: str, reported: str | None
) -> None:
    file = mountinfo(tmp_path, NFS.format(point="/data", kind=kind, version=version, options=options))
    fault = locks_fault(Path("/data/outputs"), file)
    assert (fault is None) == (reported is None)
    assert fault is None or (f"/data ({kind})" in fault and reported is not None and reported in fault)
    assert locks_fault(Path("/elsewhere"), file) is None


def test_the_nearest_and_the_latest_mount_counts(tmp_path: Path) -> None:
    given = {"version": 4, "options": ""}
    file = mountinfo(
        tmp_path,
        NFS.format(point="/data", kind="nfs4", **given),
        NFS.format(point="/data/my\\040outputs", kind="lustre", **given),
        NFS.format(point="/data", kind="cifs", **given),
    )
    found = {path: mount_of(Path(path), file) for path in ("/data/x", "/data/my outputs/y", "/")}
    kinds = {path: mount.kind for path, mount in found.items() if mount is not None}
    assert kinds == {"/data/x": "cifs", "/data/my outputs/y": "lustre", "/": "ext4"}
    assert mount_of(Path("/data"), tmp_path / "none") is None
