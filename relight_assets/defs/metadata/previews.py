"""Images as metadata that the UI shows."""

import base64

import dagster as dg

from relight_assets.core.atomic_io import write_atomic
from relight_assets.defs.dagster_internals import captured_address, captured_file


def inline(preview: bytes, kind: str, instance: dg.DagsterInstance, run_id: str, name: str) -> dg.MarkdownMetadataValue:
    """An image as metadata that the UI shows; ``kind``: jpg or png.

    The UI folds Markdown over 1,000 characters behind a click, so an image inside the text is never seen at
    once.  The webserver serves whatever lies beside the captured logs; the image is put there, and a short
    text points to it.  Where logs are not kept in local files, the image goes into the text.
    """
    key = ("relight_previews", run_id, name)
    path = captured_file(instance, key, kind)
    if path is None:
        data = base64.b64encode(preview).decode("ascii")
        return dg.MetadataValue.md(f"![{name}](data:image/{'jpeg' if kind == 'jpg' else kind};base64,{data})")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, preview)
    return dg.MetadataValue.md(f"![{name}]({captured_address(key, kind)})")
