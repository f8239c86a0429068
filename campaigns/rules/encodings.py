"""How the bytes of a list become text: decided over the whole file, not guessed from its head."""

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, field

from campaigns.rules.faults import FileFault


def gettext_noop(text: str) -> str:
    """Mark a sentence for translation; the page translates it."""
    return text


_ = gettext_noop

UTF_8 = "utf-8"
UTF_8_MARKED = "utf-8-sig"
UTF_16_LITTLE = "utf-16-le"
UTF_16_BIG = "utf-16-be"
CYRILLIC = "cp1251"
WESTERN = "cp1252"

NAMES: Mapping[str, str] = {
    UTF_8: _("UTF-8"),
    UTF_8_MARKED: _("UTF-8 with BOM"),
    UTF_16_LITTLE: _("UTF-16"),
    UTF_16_BIG: _("UTF-16, big end first"),
    CYRILLIC: _("Windows Cyrillic (1251)"),
    WESTERN: _("Windows Western (1252)"),
}
# These were not told by the file; the page says so and shows the first rows.
GUESSED = frozenset({CYRILLIC, WESTERN})
WIDE = frozenset({UTF_16_LITTLE, UTF_16_BIG})

_MARKS = (
    (codecs.BOM_UTF8, UTF_8_MARKED),
    (codecs.BOM_UTF16_LE, UTF_16_LITTLE),
    (codecs.BOM_UTF16_BE, UTF_16_BIG),
)
_WORKBOOKS = (b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0")
_BINARIES = (b"%PDF", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"{\\rtf")
_CYRILLIC_LETTERS = bytes([*range(0xC0, 0x100), 0xA8, 0xB8, 0xB2, 0xB3, 0xAF, 0xBF, 0xAA, 0xBA])
HEAD_BYTES = 256 * 1024


def mark_length(encoding: str) -> int:
    """Return how many bytes the byte-order mark takes at the start of a file in this encoding."""
    return next((len(mark) for mark, name in _MARKS if name == encoding), 0)


@dataclass
class Inspection:
    """Fed a whole file in blocks, tells its encoding, or why it is no text."""

    head: bytearray = field(default_factory=bytearray)
    _decoder: codecs.IncrementalDecoder = field(
        default_factory=codecs.getincrementaldecoder("utf-8")
    )
    _is_utf_8: bool = True
    _has_nul: bool = False
    _high_count: int = 0
    _pair_count: int = 0

    def feed(self, block: bytes) -> None:
        """Look at the next bytes of the file."""
        if len(self.head) < HEAD_BYTES:
            self.head += block[: HEAD_BYTES - len(self.head)]
        self._has_nul = self._has_nul or b"\0" in block
        if self._is_utf_8:
            self._decode(block, final=False)
        if not self._is_utf_8:
            self._count_high(block)

    def finish(self) -> str | FileFault:
        """Return the encoding of what was fed, or what is wrong with it."""
        head = bytes(self.head)
        if head.startswith(_WORKBOOKS):
            return FileFault.WORKBOOK
        if head.startswith(_BINARIES):
            return FileFault.BINARY
        marked = next((name for mark, name in _MARKS if head.startswith(mark)), "")
        if marked in WIDE:
            return marked
        if self._has_nul:
            return FileFault.BINARY
        self._decode(b"", final=True)
        if self._is_utf_8:
            return marked or UTF_8
        # In Russian or Kazakh nearly every high byte stands beside another; in French few do.
        return CYRILLIC if self._pair_count * 2 > self._high_count else WESTERN

    def _decode(self, block: bytes, *, final: bool) -> None:
        try:
            self._decoder.decode(block, final)
        except UnicodeDecodeError:
            self._is_utf_8 = False

    def _count_high(self, block: bytes) -> None:
        """Count letters of the upper half, and those with another one before them."""
        letters = block.translate(_IS_CYRILLIC)
        self._high_count += letters.count(b"\1")
        self._pair_count += letters.count(b"\1\1") * 2


_IS_CYRILLIC = bytes(1 if byte in _CYRILLIC_LETTERS else 0 for byte in range(256))
