"""JPEG: where its parts are, and a decoder that notices what is missing between them (ISO/IEC 10918-1, annex B).

libjpeg fills up what is missing with gray, skips what is too much, and tells nobody but its log, which Pillow does not
show.  So the decoder is fed here piece by piece: it must want the last byte before each marker, and no byte after it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any

from PIL import Image, JpegImagePlugin

from relight_assets.errors import ImageCorruptError, ImageFormatError

MAX_SCANS = 100
"""Scans in one file.  Encoders write 20 at most; each costs a pass over all blocks, and libtiff stops at 100 too."""
MAX_SEGMENTS = 10_000
"""Marker segments between the scans.  The longest metadata there is (extended XMP) takes some 1,500."""
MAX_CHECKED = 1 << 16
"""Restart intervals in one file of which each is looked at; with more of them Pillow decodes it whole, unchecked.  An
interval for each row of blocks, as cameras have it, is 2,048 at most in a scan."""
MAX_JUNK = 1 << 16
"""Bytes between segments that belong to none.  libjpeg skips them one by one, and so does Pillow."""

# In a scan 0xFF is data when 00 follows, and a fill when FF does.
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xff]")
_EOI, _SOS, _DRI, _RESTARTS = 0xD9, 0xDA, 0xDD, range(0xD0, 0xD8)
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # without DHT, JPG and DAC
_HUFFMAN = frozenset({0xC0, 0xC1, 0xC2})
_PROGRESSIVE = 0xC2
_WITHOUT_CONTENT = frozenset({0x00, 0x01, *range(0xD0, 0xD9), 0xFF})
_COEFFICIENTS = 64
_FRAME_HEADER = 6
"""Bytes of it that give precision, height, width and the number of components."""
_BLOCK = 1 << 16
_AHEAD = 7
"""Bytes that libjpeg reads ahead at most before it goes on: its bit buffer wants 57 bits, and one is there."""
_FILL, _OTHER_FILLS = b"\0", (b"\x55", b"\xff\0")
_PADDING = (b"\0\0", b"\xff\0")
"""What some cameras write between the last coded byte and a marker; it shifts nothing."""


@dataclass(frozen=True)
class JpegParts:
    """Where the parts of a JPEG's first image are."""

    data: bytes
    segments: list[tuple[int, int]]
    """Start and end of the coded bytes between two markers: of a scan, or of a restart interval in it."""
    end: int
    """Where the image ends: behind EOI, or with the last byte."""
    ended: bool
    """Whether EOI is there."""
    resumable: bool
    """Huffman coded, so that libjpeg can go on in the middle, and of no more intervals than ``MAX_CHECKED``."""
    refined: bool
    """Whether the scans give every coefficient of every component to its last bit."""


def parts_of(data: bytes, check_size: Callable[[tuple[int, int]], None] = lambda _: None) -> JpegParts:
    """Find the parts of the first image in a file; its pixels are not looked at.

    Args:
        data: the file.
        check_size: is given width and height, before anything is made for so many pixels, and may raise.

    Raises:
        ImageCorruptError: it is cut off before its last scan, or has more restart intervals than blocks.
        ImageFormatError: over ``MAX_SCANS`` or ``MAX_SEGMENTS``.
    """
    return _Survey(data, check_size).parts()


class _Survey:
    """One pass over the markers."""

    def __init__(self, data: bytes, check_size: Callable[[tuple[int, int]], None]) -> None:
        self._data, self._check_size = data, check_size
        self._unchecked = False
        self._segments: list[tuple[int, int]] = []
        self._frame, self._scans, self._markers, self._junk, self._interval = 0, 0, 0, 0, 0
        self._size = (0, 0)
        self._sampling: dict[int, tuple[int, int]] = {}
        """By component: how many blocks across and down a coded unit has."""
        self._missing: dict[int, list[int]] = {}
        """By component: for each of 64 coefficients, the bits that no scan gave yet."""

    def parts(self) -> JpegParts:
        data, position, before = self._data, 2, 2
        while (position := data.find(b"\xff", position)) >= 0 and position + 1 < len(data):
            marker = data[position + 1]
            self._junk += position - before
            if marker == _EOI:
                return self._found(position + 2, ended=True)
            if marker in _WITHOUT_CONTENT:  # a fill, or nothing
                before, position = position, position + (1 if marker == 0xFF else 2)
            else:
                before = position = self._segment(marker, position + 2)
            if self._junk > MAX_JUNK:
                raise ImageCorruptError("The JPEG is damaged: there is too much between its segments.")
            if marker == _SOS and position == len(data):
                break
        if not self._scans:
            raise ImageCorruptError("The JPEG is cut off before its pixels begin.")
        return self._found(len(data), ended=False)

    def _found(self, end: int, *, ended: bool) -> JpegParts:
        refined = bool(self._missing) and not any(any(bits) for bits in self._missing.values())
        resumable = self._frame in _HUFFMAN and not self._unchecked
        return JpegParts(self._data, self._segments, end, ended, resumable, refined)

    def _segment(self, marker: int, position: int) -> int:
        """Take in one marker segment, and the scan behind it; where the next marker is."""
        self._markers += 1
        if self._markers > MAX_SEGMENTS:
            raise ImageFormatError(f"The JPEG has more than {MAX_SEGMENTS:,} segments; no camera writes so many.")
        after = position + max(2, int.from_bytes(self._data[position : position + 2], "big"))
        content = self._data[position + 2 : after]
        if marker in _FRAMES:
            self._begin_frame(marker, content)
        if marker == _DRI:
            self._interval = int.from_bytes(content[:2], "big")
        if marker != _SOS:
            return after
        self._scans += 1
        if self._scans > MAX_SCANS:
            raise ImageFormatError(
                f"The JPEG has more than {MAX_SCANS} scans, which no encoder writes and which take minutes to decode. "
                f"Save it again."
            )
        components = content[1 : 1 + 2 * content[0] : 2] if content else b""
        self._refine(components, content[1 + 2 * len(components) :])
        return self._scan(after, self._intervals(components))

    def _begin_frame(self, marker: int, content: bytes) -> None:
        if len(content) < _FRAME_HEADER:
            raise ImageCorruptError("The JPEG is cut off before its pixels begin.")
        self._frame = marker
        height, width = (int.from_bytes(content[start : start + 2], "big") for start in (1, 3))
        self._size = width, height
        self._check_size(self._size)
        self._sampling = {
            number: (max(1, both >> 4), max(1, both & 15))
            for number, both in zip(content[6::3], content[7::3], strict=False)
        }
        self._missing = {component: [1] * _COEFFICIENTS for component in self._sampling}

    def _refine(self, components: bytes, spectrum: bytes) -> None:
        first, last, low = 0, _COEFFICIENTS - 1, 0
        if self._frame == _PROGRESSIVE and len(spectrum) >= 3:
            first, last, low = spectrum[0], spectrum[1], spectrum[2] & 15
        for component in components:
            bits = self._missing.get(component, [])
            bits[first : last + 1] = [low] * len(bits[first : last + 1])

    def _intervals(self, components: bytes) -> int:
        """How many restart intervals a scan has (annex A.2 and B.2.4.4)."""
        if not self._interval or not self._sampling:
            return 1
        most = [max(sides) for sides in zip(*self._sampling.values(), strict=True)]
        # Alone, a component is coded block by block, and else in units of all.
        own = self._sampling.get(components[0], (1, 1)) if len(components) == 1 else most
        edge = 8 if len(components) == 1 else 0
        across, down = (
            ceil(ceil(side * each / largest) / (edge or 8 * each))
            for side, each, largest in zip(self._size, own, most, strict=True)
        )
        return max(1, ceil(across * down / self._interval))

    def _scan(self, start: int, intervals: int) -> int:
        """Take in the coded bytes from ``start`` on; where the marker behind them is, or the end of the file."""
        found: list[tuple[int, int]] = []
        room, count = MAX_CHECKED - len(self._segments), 0
        for match in _MARKER_IN_SCAN.finditer(self._data, start):
            count, last = count + 1, (start, match.start())
            found += [last] * (count <= room)
            number = self._data[match.start() + 1] - _RESTARTS[0]
            if number not in range(8):
                end = match.start()
                break
            if number != (count - 1) % 8 or count > intervals:
                raise ImageCorruptError("The JPEG is damaged: a restart marker is not the one that belongs there.")
            start = match.end()
        else:
            count, last = count + 1, (start, len(self._data))
            found += [last] * (count <= room)
            end = len(self._data)
        if count == intervals + 1 and last[0] == last[1]:  # some encoders mark the end too
            count -= 1
            del found[count:]
        if count != intervals:
            raise ImageCorruptError("The JPEG is cut off: restart intervals are missing.")
        self._segments += found
        self._unchecked = self._unchecked or len(found) < count
        return end


def load(image: JpegImagePlugin.JpegImageFile, parts: JpegParts) -> None:
    """Decode all pixels of an image that was opened from ``parts.data``, as its own ``load`` would.

    Raises:
        ImageCorruptError: pixels are missing, or bytes are missing or too many before a marker, as they are where a
            byte was altered.  Of single bits altered in ten portraits, nine in ten of those that libjpeg warns of are
            found, and none of the others; what is not found moves the codes by fewer than 8 bytes.
    """
    if not parts.ended and not parts.refined:
        raise ImageCorruptError("The JPEG is cut off: its last scans are missing.")
    if not parts.resumable:
        return  # arithmetic coding: Pillow decodes it whole, or not
    tile, image.tile = image.tile, []  # nothing is left for Pillow to do
    image.im = _decoded(image, tile, parts, _FILL)
    if not parts.ended:
        found = image.tobytes()
        for fill in _OTHER_FILLS:
            image.im = _decoded(image, tile, parts, fill)
            if image.tobytes() != found:
                # What stands for bytes that may be missing makes a difference, so they are missing.
                raise ImageCorruptError("The JPEG is cut off: its last pixels are missing.")


def _decoded(image: JpegImagePlugin.JpegImageFile, tile: Any, parts: JpegParts, fill: bytes) -> Any:
    """The pixels, in Pillow's own form, with ``fill`` for what is missing before a marker."""
    ((name, extents, _, args),) = tile
    pixels = Image.core.new(image.mode, image.size)  # type: ignore[attr-defined]
    decoder = Image._getdecoder(image.mode, name, args, image.decoderconfig)  # noqa: SLF001  (as `load` does)
    try:
        decoder.setimage(pixels, extents)
        _feed(decoder, parts, fill)
    finally:
        decoder.cleanup()
    return pixels


def _feed(decoder: Any, parts: JpegParts, fill: bytes) -> None:
    """Give the decoder the file with ``fill`` behind each segment, where it counts as nothing, and look what it takes.

    A decoder that is not through leaves a byte at one of any two ends that are one byte apart: it takes what it reads
    ahead whole, or not at all.
    """
    feeder = _Feeder(decoder, *_filled(parts, fill))
    for start, end in feeder.segments:
        if end - start > 1 and feeder.is_through(end - 1) and feeder.data[end - 2 : end] not in _PADDING:
            raise ImageCorruptError("The JPEG is damaged: bytes were altered, and parts of the image are shifted.")
        if fill == _FILL and not feeder.is_through(end + _AHEAD):
            raise ImageCorruptError("The JPEG is damaged or cut off: coded bytes are missing from it.")
    feeder.give(len(feeder.data))
    if not feeder.finished:
        raise ImageCorruptError("The JPEG is cut off: its last pixels are missing.")


def _filled(parts: JpegParts, fill: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    """The file with bytes behind each segment, and where the segments are in it."""
    pieces: list[bytes] = []
    segments: list[tuple[int, int]] = []
    length = position = 0
    for start, stop in parts.segments:
        end = start + len(parts.data[start:stop].rstrip(b"\xff"))  # fills of the marker that follows
        pieces += [parts.data[position:end], fill * (_AHEAD + 1)]
        segments.append((length + start - position, length + end - position))
        length += end - position + len(pieces[-1])
        position = end
    pieces.append(parts.data[position : parts.end] if parts.ended else b"\xff\xd9")
    return b"".join(pieces), segments


class _Feeder:
    """Gives a decoder the bytes of a file in pieces."""

    def __init__(self, decoder: Any, data: bytes, segments: list[tuple[int, int]]) -> None:
        self.data, self.segments = data, segments
        self._decoder, self._view, self._taken = decoder, memoryview(data), 0
        self.finished = False

    def is_through(self, end: int) -> bool:
        """Whether the bytes up to ``end`` are all that it wanted of the segment; it is given one more."""
        return not [left for left in (self.give(end), self.give(end + 1)) if left]

    def give(self, end: int) -> int:
        """Give it the bytes up to ``end``; how many it leaves for later."""
        stop = self._taken
        while not self.finished and stop < end:
            stop = min(end, stop + _BLOCK)
            taken, error = self._decoder.decode(self._view[self._taken : stop])
            if error < 0:
                raise ImageCorruptError("The JPEG cannot be decoded: the file is damaged.")
            self.finished = taken < 0
            self._taken += max(0, taken)
        return 0 if self.finished else end - self._taken
