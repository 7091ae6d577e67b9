"""The captions of a user's program, put on the pairs that have no better one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from relight_assets.config.datasets.exports import ExportOptions
from relight_assets.exports.base import Pair
from relight_assets.exports.pictures.pair_pictures import shown_file
from relight_assets.exports.rows.caption_command import CaptionCommand, Question
from relight_assets.exports.rows.captions import triggered
from relight_assets.exports.rows.pairs import PairSource

SHOWN = 20
"""Pairs without an answer that a manifest names."""


@dataclass(frozen=True)
class Answers:
    """What a program said of pictures, by the sha256 of their files."""

    texts: Mapping[str, str] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    """Why there is no caption."""

    def applied(self, pairs: tuple[Pair, ...], source: PairSource) -> tuple[Pair, ...]:
        """The pairs with these captions, where they have none of the column's."""
        return tuple(self._captioned(pair, source) for pair in pairs) if self.texts else pairs

    def _captioned(self, pair: Pair, source: PairSource) -> Pair:
        options = source.options
        text = self.texts.get(shown_file(pair, options).sha256) if _wants(pair, options) else None
        return source.with_caption(pair, triggered(options, text, "command")) if text is not None else pair

    def missing(self, pairs: Iterable[Pair], options: ExportOptions) -> list[dict[str, str]]:
        """The first pairs of which the program said nothing, and why."""
        asked = ((pair, shown_file(pair, options).sha256) for pair in pairs if _wants(pair, options))
        return [{"stem": pair.stem, "reason": self.failed[of]} for pair, of in asked if of in self.failed][:SHOWN]


def ask(pairs: Iterable[Pair], options: ExportOptions, folder: Path) -> Answers:
    """Ask the caption command of the options, if there is one, for what it has not said yet.

    Args:
        pairs: those that are to leave.
        options: of the export.
        folder: where the answers are kept.

    Raises:
        UserError, OutputFolderError: as :meth:`CaptionCommand.answers`.
    """
    if options.caption_command is None:
        return Answers()
    questions = []
    for pair in pairs:
        if _wants(pair, options):
            file = shown_file(pair, options)
            questions.append(Question(file.sha256, file.path.absolute(), pair.image_path, pair.caption.text))
    return Answers(*CaptionCommand(options.caption_command, options.caption_timeout_s, folder).answers(questions))


def _wants(pair: Pair, options: ExportOptions) -> bool:
    return options.caption in {"auto", "command"} and pair.caption.source != "column"
