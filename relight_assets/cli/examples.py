"""Examples of every command, which ``--help`` shows at its end."""

import click

_EXAMPLES: dict[str, tuple[str, ...]] = {
    "check": ("relight check --split train", "relight check --all-splits --check failure_rate"),
    "demo": ("relight demo", "relight demo --dir /tmp/demo"),
    "dev": ("relight dev", "relight dev --port 3001 --read-only"),
    "doctor": ("relight doctor",),
    "export": ("relight export --split train --layout ai-toolkit", "relight export --list"),
    "forget": ("relight forget photos/00017.jpg --dry-run",),
    "gallery": ("relight gallery --split train --open", "relight gallery --all-splits"),
    "init": ("relight init my_portraits",),
    "models": ("relight models list",),
    "models fetch": ("relight models fetch",),
    "models list": ("relight models list",),
    "prune": ("relight prune --split train",),
    "publish": ("relight publish s3://bucket/portraits --dry-run",),
    "replay": ("relight replay data/outputs/data-train/00017_metadata.json",),
    "run": (
        "relight run --split train",
        "relight run --all-splits --dry-run",
        "relight run --split train --num-samples 20 --config config/other.yaml --experiment other",
    ),
    "runs": ("relight runs list",),
    "runs list": ("relight runs list",),
    "runs release": ("relight runs release 1a107284-ad8a-4e5a-b3fe-8aae2dddce02",),
    "status": ("relight status", "relight status --watch"),
    "try": ("relight try photos/00017.jpg", "relight try photos --lights 6 --open"),
    "verify": ("relight verify --split train", "relight verify --all-splits --sample 200 --json report.json"),
    "withdraw": ("relight withdraw s3://bucket/portraits", "relight withdraw s3://bucket/portraits imagefolder/train"),
}
"""By the name of the command."""


def add_examples(command: click.Command, group: str = "") -> None:
    """Have the help of a command, and of the commands in it, end with examples.

    Args:
        command: of ``relight`` or of a group of its commands.
        group: the name of that group.
    """
    full = f"{group} {command.name}".strip()
    if lines := _EXAMPLES.get(full):
        command.epilog = "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
    for each in command.commands.values() if isinstance(command, click.Group) else ():
        add_examples(each, full)
