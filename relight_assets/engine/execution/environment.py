"""The environment of worker processes, the same under every engine."""

import os

WORKER_ENVIRONMENT = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"), "1"),
    # Images are a few megabytes each: given back to the system after each use, half of the time of the masks
    # and of the albedo goes into page faults.  One arena for all threads, because the others' heaps of 64 MiB are
    # given back as soon as they are empty.  glibc reads these at start-up; elsewhere they mean nothing.
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 32),
    "MALLOC_ARENA_MAX": "1",
    # Pages of 2 MiB where the system leaves them to be asked for: a processor has places for few addresses of 4 KiB.
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
"""What every worker process finds in its environment."""


class environment:  # noqa: N801  (reads as a statement)
    """The environment of a child, in place while it is spawned; the parent's is restored."""

    def __init__(self, values: dict[str, str]):
        self._values = values

    def __enter__(self) -> None:
        self._before = {name: os.environ.get(name) for name in self._values}
        os.environ.update(self._values)

    def __exit__(self, *_: object) -> None:
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
