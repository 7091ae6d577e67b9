"""Limits of control groups: on copies of layouts that systemd, Docker and Kubernetes make, and in real groups."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from relight_assets.engine.hardware.cgroups import MemoryLimit, cpu_limit, memory_limit, oom_kills
from relight_assets_tests.control_groups import control_group

MIB = 1 << 20
NO_LIMIT_1 = 9223372036854771712
V2 = "/sys/fs/cgroup"


def machine(root: Path, cgroup: str, mounts: list[str], files: Mapping[str, object]) -> Path:
    """Write /proc/self and the files of groups below ``root``, and return it."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(cgroup)
    lines = [f"{30 + number} 20 0:{26 + number} {mount}" for number, mount in enumerate(mounts)]
    (root / "proc/self/mountinfo").write_text("\n".join(["20 1 8:1 / / rw - ext4 /dev/sda1 rw", *lines]) + "\n")
    for name, text in files.items():
        file = root / name.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")
    return root


def mount_2(group: str = "/", point: str = V2) -> str:
    return f"{group} {point} ro,nosuid,nodev shared:9 - cgroup2 cgroup rw,nsdelegate"


def mount_1(controllers: str, group: str = "/", point: str | None = None) -> str:
    return f"{group} {point or f'{V2}/{controllers}'} ro,nosuid - cgroup cgroup rw,{controllers}"


def memory_2(group: str, most: object, current: int = 0, high: object = "max", stat: str = "") -> dict[str, object]:
    names = {"max": most, "high": high, "current": current, "stat": stat}
    return {f"{group}/memory.{name}": value for name, value in names.items()}


def memory_1(group: str, limit: int, usage: int = 0, stat: str = "") -> dict[str, object]:
    return {
        f"{group}/memory.limit_in_bytes": limit,
        f"{group}/memory.usage_in_bytes": usage,
        f"{group}/memory.use_hierarchy": 1,
        f"{group}/memory.stat": stat,
    }


def found(root: Path, limit: MemoryLimit | None) -> tuple[int, int, str] | None:
    """Limit and use in MiB, and the group."""
    return limit and (limit.limit // MIB, limit.used // MIB, f"/{limit.group.relative_to(root)}")


DOCKER = "/system.slice/docker-4f1c.scope"
POD = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod7.slice"


def test_docker_on_version_2_with_its_own_namespace(tmp_path: Path) -> None:
    files = memory_2(V2, 2048 * MIB, 900 * MIB, stat=f"inactive_file {300 * MIB}\nslab_reclaimable {100 * MIB}")
    root = machine(tmp_path, "0::/\n", [mount_2()], {**files, f"{V2}/cpu.max": "150000 100000"})
    assert found(root, memory_limit(root)) == (2048, 500, V2)
    assert cpu_limit(root) == 1.5


def test_docker_on_version_2_with_the_host_s_namespace(tmp_path: Path) -> None:
    files = memory_2(V2, 1024 * MIB, 100 * MIB)  # only the container's group is mounted
    root = machine(tmp_path, f"0::{DOCKER}\n", [mount_2(DOCKER)], files)
    assert found(root, memory_limit(root)) == (1024, 100, V2)


def test_docker_on_version_1(tmp_path: Path) -> None:
    group = "/docker/4f1c"
    stat = f"inactive_file 1\ntotal_inactive_file {200 * MIB}\nhierarchical_memory_limit {512 * MIB}"
    files = {
        **memory_1(f"{V2}/memory", 512 * MIB, 300 * MIB, stat),
        f"{V2}/cpu,cpuacct/cpu.cfs_quota_us": 50000,
        f"{V2}/cpu,cpuacct/cpu.cfs_period_us": 100000,
    }
    mounts = [mount_1("memory", group), mount_1("cpu,cpuacct", group), mount_1("cpuset", group)]
    root = machine(tmp_path, f"9:memory:{group}\n4:cpu,cpuacct:{group}\n1:name=systemd:{group}\n", mounts, files)
    assert found(root, memory_limit(root)) == (512, 100, f"{V2}/memory")
    assert cpu_limit(root) == 0.5


def test_no_limits_anywhere(tmp_path: Path) -> None:
    files = {
        **memory_1(f"{V2}/memory", NO_LIMIT_1, stat=f"hierarchical_memory_limit {NO_LIMIT_1}"),
        f"{V2}/cpu,cpuacct/cpu.cfs_quota_us": -1,
        f"{V2}/cpu,cpuacct/cpu.cfs_period_us": 100000,
        f"{V2}/unified/user.slice/memory.max": "max",
        f"{V2}/unified/user.slice/cpu.max": "max 100000",
    }
    mounts = [mount_1("memory"), mount_1("cpu,cpuacct"), mount_2(point=f"{V2}/unified")]
    root = machine(tmp_path, "9:memory:/\n4:cpu,cpuacct:/\n0::/user.slice\n", mounts, files)
    assert (memory_limit(root), cpu_limit(root)) == (None, None)


def test_kubernetes_nests_container_pod_and_node(tmp_path: Path) -> None:
    top, pod, own = V2, f"{V2}{POD}", f"{V2}{POD}/cri-9.scope"
    files = {
        **memory_2(f"{top}/kubepods.slice", 8192 * MIB, 8000 * MIB, stat=f"inactive_file {4000 * MIB}"),
        **memory_2(pod, 4096 * MIB, 3900 * MIB, stat=f"inactive_file {10 * MIB}"),
        **memory_2(own, 3000 * MIB, 1000 * MIB),
        f"{own}/cpu.max": "max 100000",
        f"{pod}/cpu.max": "250000 100000",
        f"{top}/kubepods.slice/cpu.max": "1600000 100000",
    }
    root = machine(tmp_path, f"0::{POD}/cri-9.scope\n", [mount_2()], files)
    assert found(root, memory_limit(root)) == (4096, 3890, pod)  # the sidecar's share is gone
    assert cpu_limit(root) == 2.5


def test_a_pod_out_of_sight_shows_in_the_hierarchical_limit(tmp_path: Path) -> None:
    stat = f"hierarchical_memory_limit {1024 * MIB}\ntotal_inactive_file 0"
    files = memory_1(f"{V2}/memory", NO_LIMIT_1, 24 * MIB, stat)
    root = machine(tmp_path, f"9:memory:{POD}/9\n", [mount_1("memory", f"{POD}/9")], files)
    assert found(root, memory_limit(root)) == (1024, 24, f"{V2}/memory")


def test_a_slice_of_systemd_run_and_what_is_throttled(tmp_path: Path) -> None:
    unit = "/user.slice/user-1000.slice/user@1000.service/app.slice/run-r8.scope"
    files = {
        **memory_2(f"{V2}{unit}", 4096 * MIB, 1024 * MIB, high=3072 * MIB),
        f"{V2}/user.slice/user-1000.slice/cpu.max": "400000 100000",
    }
    root = machine(tmp_path, f"0::{unit}\n", [mount_2()], files)
    assert found(root, memory_limit(root)) == (3072, 1024, f"{V2}{unit}")
    assert cpu_limit(root) == 4


def test_version_1_and_2_side_by_side(tmp_path: Path) -> None:
    files = {
        **memory_1(f"{V2}/memory/batch", 2000 * MIB, 500 * MIB),
        **memory_2(f"{V2}/unified/batch", 1000 * MIB, 100 * MIB),  # no kernel has both; the tighter one holds
        f"{V2}/cpu/batch/cpu.cfs_quota_us": 300000,
        f"{V2}/cpu/batch/cpu.cfs_period_us": 100000,
    }
    mounts = [mount_1("memory"), mount_1("cpu"), mount_2(point=f"{V2}/unified")]
    root = machine(tmp_path, "4:memory:/batch\n1:cpu:/batch\n0::/batch\n", mounts, files)
    assert found(root, memory_limit(root)) == (1000, 100, f"{V2}/unified/batch")
    assert cpu_limit(root) == 3


def test_in_version_1_only_a_hierarchy_limits_what_is_below(tmp_path: Path) -> None:
    files = {
        **memory_1(f"{V2}/memory/a", 100 * MIB),
        **memory_1(f"{V2}/memory/a/b", 800 * MIB),
        f"{V2}/memory/a/memory.use_hierarchy": 0,
    }
    root = machine(tmp_path, "4:memory:/a/b\n", [mount_1("memory")], files)
    assert found(root, memory_limit(root)) == (800, 0, f"{V2}/memory/a/b")


def test_what_is_swapped_out_takes_of_the_limit_of_both(tmp_path: Path) -> None:
    group = f"{V2}/memory/a"
    both = {f"{group}/memory.memsw.limit_in_bytes": 1000 * MIB, f"{group}/memory.memsw.usage_in_bytes": 950 * MIB}
    root = machine(tmp_path, "4:memory:/a\n", [mount_1("memory")], {**memory_1(group, 1000 * MIB, 400 * MIB), **both})
    assert found(root, memory_limit(root)) == (1000, 950, group)


def test_pages_that_can_be_dropped_are_not_used_and_mapped_files_are(tmp_path: Path) -> None:
    stat = {"inactive_file": 100, "active_file": 300, "file_mapped": 50, "slab_reclaimable": 20, "anon": 380}
    text = "\n".join(f"{name} {value * MIB}" for name, value in stat.items())
    root = machine(tmp_path, "0::/\n", [mount_2()], memory_2(V2, 1000 * MIB, 900 * MIB, stat=text))
    assert found(root, memory_limit(root)) == (1000, 530, V2)


@pytest.mark.parametrize("path", ["/", "/../elsewhere", "/not/mounted"])
def test_a_path_that_says_nothing_gives_the_group_that_lists_the_process(tmp_path: Path, path: str) -> None:
    files = {
        **memory_2(f"{V2}/jobs", 900 * MIB, 100 * MIB),
        **memory_2(f"{V2}/jobs/mine", 800 * MIB, 100 * MIB),
        **memory_2(f"{V2}/jobs/other", 10 * MIB, 1 * MIB),
        f"{V2}/jobs/mine/cgroup.procs": f"1\n{os.getpid()}",
        f"{V2}/jobs/other/cgroup.procs": "2",
    }
    root = machine(tmp_path, f"0::{path}\n", [mount_2("/../..")], files)
    assert found(root, memory_limit(root)) == (800, 100, f"{V2}/jobs/mine")


def test_a_path_outside_the_mount_leaves_the_mount_s_own_limit(tmp_path: Path) -> None:
    root = machine(tmp_path, "0::/../b\n", [mount_2()], memory_2(V2, 700 * MIB, 0))
    assert found(root, memory_limit(root)) == (700, 0, V2)


def test_a_group_that_was_removed_is_under_those_above_it(tmp_path: Path) -> None:
    files = {**memory_2(f"{V2}/a", 700 * MIB), f"{V2}/a/cpu.max": "100000 100000"}
    root = machine(tmp_path, "0::/a/gone (deleted)\n", [mount_2()], files)
    assert found(root, memory_limit(root)) == (700, 0, f"{V2}/a")


def test_names_with_blanks_colons_and_a_mount_over_another(tmp_path: Path) -> None:
    mounts = [mount_2("/", "/mnt/my\\040groups"), mount_2("/x", "/run/c"), mount_2("/odd:name", "/run/c")]
    files = {**memory_2("/mnt/my groups/odd:name", 300 * MIB), **memory_2("/run/c", 200 * MIB)}
    root = machine(tmp_path, "0::/odd:name\n", mounts, files)
    assert found(root, memory_limit(root)) == (300, 0, "/mnt/my groups/odd:name")


@pytest.mark.parametrize("text", ["", "garbage", "0::", "\0", "9:memory:/a:b:c\n"])
def test_what_cannot_be_read_limits_nothing(tmp_path: Path, text: str) -> None:
    files = {f"{V2}/memory.max": "many", f"{V2}/cpu.max": "100000 0", f"{V2}/memory.stat": "anon\nx y z"}
    root = machine(tmp_path, text, [mount_2(), "broken", "- - -"], files)
    assert (memory_limit(root), cpu_limit(root), oom_kills(root)) == (None, None, None)
    assert (memory_limit(root / "no"), cpu_limit(root / "no"), oom_kills(root / "no")) == (None, None, None)


def test_the_kernel_counts_whom_it_has_ended(tmp_path: Path) -> None:
    two = machine(tmp_path / "2", "0::/\n", [mount_2()], {f"{V2}/memory.events": "oom 7\noom_kill 3"})
    one = {f"{V2}/memory/a/memory.oom_control": "oom_kill_disable 0\noom_kill 2"}
    assert oom_kills(two) == 3
    assert oom_kills(machine(tmp_path / "1", "4:memory:/a\n", [mount_1("memory")], one)) == 2


TELL = """
import os, sys
from relight_assets.engine.hardware.cgroups import cpu_limit, memory_limit
mib = bytes(1 << 20)
with open(sys.argv[1], "wb") as file:
    for _ in range(150):
        file.write(mib)
    os.fsync(file.fileno())
held = mib * 100
found = memory_limit()
print(found.limit, found.used, found.group, cpu_limit())
"""
"""Leaves 150 MiB in the page cache and holds 100 MiB."""


@pytest.fixture
def real_group() -> Iterator[list[Path]]:
    """A group in one of 400 MiB, and one in one of half a core."""
    with (
        control_group("memory", "outer", limit_in_bytes=400 * MIB) as memory,
        control_group("cpu", "outer", cfs_quota_us=50_000) as cpu,
    ):
        inner = [memory / "inner", cpu / "inner"]
        for group in inner:
            group.mkdir()
        yield inner


@pytest.mark.parametrize("namespace", [False, True], ids=["host", "own namespace"])
def test_in_a_group_of_the_kernel_s_own(real_group: list[Path], tmp_path: Path, namespace: bool) -> None:
    joins = "; ".join(f"echo $$ > {group}/cgroup.procs" for group in real_group)
    script = f'{joins}; exec {"unshare --cgroup" if namespace else ""} "$0" -c "$1" "$2"'
    done = subprocess.run(
        ["sh", "-c", script, sys.executable, TELL, str(tmp_path / "cached")],
        env={**os.environ, "LD_PRELOAD": ""},  # the pages must be on the disk
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if namespace and "unshare" in done.stderr:
        pytest.skip(f"no namespace can be made here: {done.stderr}")
    assert done.returncode == 0, done.stderr
    limit, used, group, cores = done.stdout.split()
    assert (int(limit), float(cores)) == (400 * MIB, 0.5)
    assert group in {str(real_group[0]), str(real_group[0].parent)}
    assert 100 * MIB < int(used) < 150 * MIB  # what the process holds; the 150 MiB of cached pages are not counted
