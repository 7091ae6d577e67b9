"""The card of an export: README.md, as people and hubs of data sets read it."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TypeVar

from relight_assets.exports.base import IndexInputs
from relight_assets.exports.cards.counts import Counts, ordered
from relight_assets.exports.cards.front_matter import front_matter
from relight_assets.exports.cards.markdown import code, number, plain, table
from relight_assets.exports.cards.origin import making
from relight_assets.exports.cards.sides import MASK, condition_of, size_of, target_of, task_of

_T = TypeVar("_T")
README = "README.md"
_MOST = 30
"""Rows of a table of counts; the rest is summed up."""


def card(inputs: IndexInputs, counts: Counts, licence_column: str | None) -> str:
    """The text of README.md.

    Args:
        inputs: of the files beside the pairs.
        counts: over all pairs.
        licence_column: of the CSV, that licences were read from; None: it has none.
    """
    return front_matter(inputs, counts) + "\n" + "\n\n".join(_sections(inputs, counts, licence_column)) + "\n"


def _sections(inputs: IndexInputs, counts: Counts, licence_column: str | None) -> Iterator[str]:
    yield f"# Relighting pairs, split {code(inputs.split)}"
    yield (
        f"{_counted(counts.pairs, 'pair')} of pictures, made of {_counted(counts.photos, 'photo')} of people by "
        f"relight_assets. A model that is given the condition learns to produce the target: to "
        f"{task_of(inputs.options)}."
    )
    yield _sides(inputs, counts)
    yield "## Loading"
    yield from _loading(inputs)
    yield "## Licences"
    yield from _licences(counts, licence_column)
    yield "## Counts"
    yield from _counts(counts)
    yield from making(counts)
    yield "## Files"
    yield (
        "`samples.csv` has one row for each pair with every label and metric, `manifest.json` the options of the "
        "export, `files.csv` the sha256 of each file."
    )


def _sides(inputs: IndexInputs, counts: Counts) -> str:
    made = " or ".join(sorted(counts.backgrounds))
    options, files = inputs.options, inputs.paths(inputs.pairs[0])
    rows = [
        ("**target**", code(files["target"]), target_of(options, made)),
        ("**condition**", code(files["condition"]), condition_of(options, made)),
        ("mask", code(files["mask"]), MASK),
    ]
    where = "file" if inputs.spec.shards is None else "name in the shards"
    return f"{table(('', f'{where} of the first pair', 'shows'), rows)}\n\n{size_of(options)}, all three alike."


def _loading(inputs: IndexInputs) -> Iterator[str]:
    yield "`FOLDER` is the folder of this file."
    yield f"```python\n{inputs.spec.load.format(folder='FOLDER')}\n```"
    yield f"For {plain(inputs.spec.reader)}:"
    yield f"```\n{inputs.spec.start.format(folder='FOLDER')}\n```"


def _licences(counts: Counts, licence_column: str | None) -> Iterator[str]:
    yield table(("licence", "pairs", "photos"), _rows(plain, counts.licences, counts.photos_by_licence))
    if licence_column is None:
        yield "The CSV of the photos has no column of licences: find out under which terms each photo may be used."
    else:
        yield (
            f"As the column {code(licence_column)} of the CSV gives them; nobody has checked them here. Licences that "
            f"are joined by + all hold. Each pair is made of its photo: treat it under the licence of the photo."
        )
    yield "The photos show people. The licence of a photo is not the consent of the person in it."


def _counts(counts: Counts) -> Iterator[str]:
    yield table(("family of the drawn light", "pairs"), _rows(code, counts.families))
    yield table(
        ("direction of the light", "drawn light, pairs", "the photo's own light, pairs"),
        [
            (plain(word), number(counts.directions[word]), number(counts.photo_directions[word]))
            for word in sorted({*counts.directions, *counts.photo_directions})
        ],
    )
    yield (
        "Left and right are those of the picture. The photo's own light is measured on the face, and given where the "
        "measurement is reliable."
    )
    yield _skins(counts)
    yield "Lightness (CIE L\\*) is measured on the skin of the face, in the light of the photo."
    yield table(("width x height", "pairs"), _rows(lambda size: f"{size[0]} x {size[1]}", counts.sizes))
    yield table(("captions come from", "pairs"), _rows(plain, counts.captions))


def _skins(counts: Counts) -> str:
    thirds = counts.skin_thirds()
    names = iter(("darkest third", "middle third", "lightest third"))
    families = sorted(counts.families)
    rows = []
    for third in thirds:
        name, lightness = (
            ("no face", "") if not third.has_skin else (next(names), f"{third.low:.1f} to {third.high:.1f}")
        )
        cells = (number(third.families[family]) for family in families)
        rows.append((name, lightness, number(third.families.total()), *cells))
    return table(("skin", "lightness", "pairs", *map(code, families)), rows)


def _rows(name: Callable[[_T], str], counts: Counter[_T], *more: Counter[_T]) -> list[tuple[str, ...]]:
    """Names and their counts, the most frequent of the first first; those beyond ``_MOST`` in one row."""
    values = [value for value, _ in ordered(counts)]
    shown, rest = values[:_MOST], values[_MOST:]
    rows = [(name(value), *(number(each[value]) for each in (counts, *more))) for value in shown]
    if rest:
        rows.append(
            (f"{number(len(rest))} others", *(number(sum(each[value] for value in rest)) for each in (counts, *more)))
        )
    return rows


def _counted(count: int, what: str) -> str:
    return f"{number(count)} {what if count == 1 else f'{what}s'}"
