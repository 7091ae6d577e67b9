"""The command ``relight``, also as ``python -m relight_assets``.

Imports the commands only when it is called: Ctrl-C ends them with 130 while they are still being imported, and the
worker processes, which import this module again, do not import them at all.
"""

import sys

from relight_assets.errors import InterruptedRunError


def main() -> None:
    """Run the command that ``sys.argv`` names."""
    try:
        from relight_assets.cli import main as command  # noqa: PLC0415  (see above)

        command(prog_name="relight")
    except KeyboardInterrupt:
        sys.stderr.write(f"error: {InterruptedRunError()}\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
