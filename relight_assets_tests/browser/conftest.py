"""A real `relight dev` over two small splits that were run once, and a real headless browser to look at it."""

import csv
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SPLITS = {
    "train": ("collins_close.png", "hopper_square.png", "cat.png"),
    "val": ("collins_head.png", "hopper_tall.png"),
}
LONG_SPLIT = "long"
"""A split of many photos, which is not run: there is time to stop its run."""
LONG = 150
START_S = 120.0
STOP_S = 30.0
CLICK_MS = 60_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    command: str

    @property
    def spawned(self) -> bool:
        """Started by multiprocessing: a run's process or, one level deeper, a relight worker."""
        return "spawn_main" in self.command


@dataclass(frozen=True)
class Ui:
    """A `relight dev` that is up: its address, its data and its processes."""

    url: str
    folder: Path
    session: int

    @property
    def home(self) -> Path:
        return self.folder / ".dagster_home"

    def outputs(self, split: str) -> Path:
        return self.folder / "outputs" / f"data-{split}"

    def processes(self) -> list[Process]:
        return processes_of(self.session)

    def workers(self) -> list[Process]:
        """The relight workers: spawned by a process that was itself spawned, for a run."""
        spawned = {process.pid: process for process in self.processes() if process.spawned}
        return [process for process in spawned.values() if process.parent in spawned]


def processes_of(session: int) -> list[Process]:
    """The living processes of a session, from /proc."""
    found: list[Process] = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile
            state, parent, _, of_session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(of_session) == session and state != "Z":
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found.append(Process(int(folder.name), int(parent), command))
    return found


def eventually(holds: Callable[[], bool], timeout_s: float, every_s: float = 0.1) -> bool:
    """Whether it held at some moment before the time was up."""
    end = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(every_s)
    return True


@pytest.fixture(scope="session")
def chromium_path() -> str:
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"no browser is installed: none of {', '.join(BROWSERS)}")
    return path


@pytest.fixture(scope="session")
def relight(chromium_path: str) -> str:
    if not Path("/proc/self/stat").exists():
        pytest.skip("needs /proc to see the server's processes")
    command = shutil.which("relight", path=str(Path(sys.executable).parent))
    if command is None:
        pytest.skip("the command `relight` is not installed")
    return command


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory, photos: Path, relight: str) -> Path:
    """Two splits, materialized once from the command line."""
    folder = tmp_path_factory.mktemp("ui")
    for split, names in SPLITS.items():
        write_csv(folder, split, [photos / name for name in names])
    (folder / "platform.yaml").write_text(
        "csv_dir: .\noutput_root: outputs\ncpu_workers: 1\nthreads: 1\nwatch: false\n"
    )
    command = [relight, "--platform", str(folder / "platform.yaml"), "run", "--all-splits"]
    ran = subprocess.run(
        command, check=False, cwd=folder, env=_environment(), capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 3, ran.stdout + ran.stderr  # 3: one row, the cat, has no person
    (folder / "copies").mkdir()
    copies = [folder / "copies" / f"{number:03d}.png" for number in range(LONG)]
    copies[0].write_bytes((photos / "collins_close.png").read_bytes())  # links would change the tests' own
    for copy in copies[1:]:
        copy.hardlink_to(copies[0])
    write_csv(folder, LONG_SPLIT, copies)
    return folder


def write_csv(folder: Path, split: str, photos: Iterable[Path]) -> None:
    """Put a split's CSV in its place at once, as somebody who drops it does."""
    temp = folder / f"{split}.tmp"
    with temp.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["image_path"], *([str(photo)] for photo in photos)])
    temp.rename(folder / f"{split}_images.csv")


@pytest.fixture(scope="session")
def ui(data: Path, relight: str) -> Iterator[Ui]:
    port = _free_port()
    command = [relight, "--platform", str(data / "platform.yaml"), "dev", "--port", str(port)]
    log = data / "dev.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, cwd=data, env=_environment(), stdout=output, stderr=output, start_new_session=True
        )
    try:
        url = f"http://127.0.0.1:{port}"
        up = eventually(lambda: server.poll() is not None or _answers(f"{url}/server_info"), START_S)
        assert up, log.read_text()
        assert server.poll() is None, log.read_text()
        yield Ui(url, data, server.pid)
    finally:
        _end(server)
    assert not processes_of(server.pid)


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> "Iterator[Browser]":
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # A launched browser has a new, empty profile.
        browser = playwright.chromium.launch(executable_path=chromium_path, headless=True, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: "Browser", ui: Ui) -> "Iterator[Page]":
    """A page of which every request goes to the server itself, and nowhere else."""
    hosts: set[str] = set()
    with _new_page(browser, ui) as page:
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        yield page
    assert {host for host in hosts if host} <= {ui.url.removeprefix("http://")}


@contextmanager
def _new_page(browser: "Browser", ui: Ui) -> "Iterator[Page]":
    context = browser.new_context(base_url=ui.url, viewport={"width": 1500, "height": 1000})
    context.set_default_timeout(CLICK_MS)
    try:
        yield context.new_page()
    finally:
        context.close()


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("RELIGHT_", "DAGSTER_"))}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(url: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with suppress(OSError), direct.open(url, timeout=5) as answer:
        return bool(answer.status == 200)
    return False


def _end(server: "subprocess.Popen[bytes]") -> None:
    """Ctrl-C to all of the session, as a terminal sends it; then the hard way."""
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGINT)
    eventually(lambda: server.poll() is not None and not processes_of(server.pid), STOP_S)
    for process in processes_of(server.pid):
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
    server.wait(timeout=10)
    eventually(lambda: not processes_of(server.pid), 5.0)
