"""The command ``relight``, also as ``python -m relight_assets``.

Names of files are UTF-8, as they are in CSVs, whatever the locale says.

Imports the commands only when it is called: Ctrl-C ends them with 130 while they are still being imported, and the
worker processes, which import this module again, do not import them at all.
"""

import os
import sys

from relight_assets.errors import InterruptedRunError


def main() -> None:
    """Run the command that ``sys.argv`` names."""
    try:
        _use_utf8()
        from relight_assets.cli.main import main as command  # noqa: PLC0415  (see above)

        command(prog_name="relight")
    except KeyboardInterrupt:
        sys.stderr.write(f"error: {InterruptedRunError()}\n")
        sys.exit(130)


def _use_utf8() -> None:
    """Start again in Python's UTF-8 mode where the locale has another encoding, in which some names cannot be said.

    What is printed stays in the encoding of the terminal.
    """
    if sys.getfilesystemencoding() == "utf-8" or "utf8" in sys._xoptions:  # noqa: SLF001  (documented)
        return
    os.environ["PYTHONUTF8"] = "1"  # for what this command starts
    os.environ.setdefault("PYTHONIOENCODING", f"{getattr(sys.stdout, 'encoding', 'ascii')}:backslashreplace")
    os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606


if __name__ == "__main__":
    main()
