"""The files that SAM3 needs: what they must be, said before minutes are spent on loading them.

The package ``sam3`` takes any file for its checkpoint and goes on with random numbers for whatever that lacks; it also
leaves its vocabulary out of its wheel.  So both are checked here.
"""

import importlib.util
import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from relight_assets.core.hashing import file_sha256
from relight_assets.errors import ConfigError, ModelFileError

VOCABULARY = "bpe_simple_vocab_16e6.txt.gz"
VOCABULARY_SHA256 = "924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a"
"""Of the file in the official repository of SAM3, which is CLIP's; ``open_clip_torch`` ships the same."""
INSTALL = (
    "install relight_assets with its extra `sam3` (in a checkout: pip install -c constraints-sam3.txt -e '.[sam3]'); "
    "docs/sam3.md"
)
"""Not a name to ask an index for: nobody vouches for what it would send."""
LONGEST_PROMPT = 32
"""Tokens, the two at its ends included."""
_SHOWN = 3


def vocabulary() -> Path:
    """The vocabulary of the text prompt, out of an installed package.

    Raises:
        ModelFileError: no package has it, or it is another file.
    """
    spec = importlib.util.find_spec("open_clip")  # found, not imported: its own models are not needed
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / VOCABULARY
        if path.is_file():
            if (found := file_sha256(path)) != VOCABULARY_SHA256:
                raise ModelFileError(
                    f"{path} has sha256 {found}, expected {VOCABULARY_SHA256}; reinstall open_clip_torch"
                )
            return path
    raise ModelFileError(f"no installed package has {VOCABULARY}; pip install open_clip_torch")


def require_all(
    expected: Mapping[str, Sequence[int]],
    found: Mapping[str, Sequence[int]],
    file: Path,
    computed: Collection[str] = (),
) -> None:
    """See that a file holds every tensor of a network, in the right shape.

    Args:
        expected: shapes of the network's tensors by name.
        found: shapes of the file's.
        file: for the message.
        computed: names that may be missing, because they follow from the network's sizes and were not learned.

    Raises:
        ModelFileError: says how many are missing or of another shape, and names some.
    """
    missing = [name for name in expected if name not in found and name not in computed]
    wrong = [name for name in expected if name in found and tuple(found[name]) != tuple(expected[name])]
    if not missing and not wrong:
        return
    faults = []
    if missing:
        faults.append(f"lacks {len(missing)} of {len(expected)} tensors ({_some(missing)})")
    if wrong:
        shapes = [f"{name} {tuple(found[name])} in place of {tuple(expected[name])}" for name in wrong[:_SHOWN]]
        faults.append(f"has {len(wrong)} tensors of another shape ({_some(shapes, len(wrong))})")
    raise ModelFileError(
        f"{file} {' and '.join(faults)}: it is no checkpoint of this network; docs/sam3.md says which is"
    )


def require_finite(tensors: Mapping[str, Any], file: Path) -> None:
    """See that weights are numbers: with one NaN among them nobody would ever be found, without a word.

    Args:
        tensors: of torch, by name; those that are not of floating point are left out.
        file: for the message.

    Raises:
        ModelFileError: says how many hold NaN or infinity, and names some.
    """
    broken = [
        name
        for name, tensor in tensors.items()
        if tensor.is_floating_point() and not math.isfinite(float(tensor.detach().float().sum()))
    ]
    if broken:
        raise ModelFileError(
            f"{file}: {len(broken)} of {len(tensors)} tensors hold NaN or infinity ({_some(broken)}): it is damaged; "
            f"download it again"
        )


def require_prompt(prompt: str, tokens: int) -> None:
    """See that a text prompt fits into the network; one package cuts a longer one off, the other breaks down.

    Args:
        prompt: for the message.
        tokens: how many it takes, the two at its ends included.

    Raises:
        ConfigError: it does not.
    """
    if tokens > LONGEST_PROMPT:
        raise ConfigError(
            f"sam3.text_prompt takes {tokens} tokens and the network reads {LONGEST_PROMPT}; "
            f"make it shorter: {prompt!r}"
        )


def _some(names: list[str], count: int | None = None) -> str:
    more = (count or len(names)) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
