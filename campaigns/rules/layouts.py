"""What a file looks like: its separator, its header, the column with the numbers."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from campaigns.rules.encodings import WIDE, mark_length
from campaigns.rules.faults import Fault, FileFault
from campaigns.rules.numbers import normalise
from campaigns.rules.spreadsheets import DELIMITERS, Layout, Position, Row, first_rows

LOOKED_AT_ROWS = 50
MOST_COLUMNS = 200
_DECLARED = re.compile(r'"?sep=(.)"?[\r\n]+', re.IGNORECASE)
_DIGITS_OF_A_NUMBER = 6
_TITLES = ("msisdn", "phone", "mobile", "number", "tel", "номер", "телефон", "raqam")


@dataclass(frozen=True)
class Look:
    """A file as its first rows show it.

    `header` has a title for each column: those of the file, or the spreadsheet's letters. `rows`
    are data rows. `number_column` counts from 0 and is None when no column has numbers.
    """

    layout: Layout
    start: Position
    has_header: bool
    header: Sequence[str]
    rows: Sequence[Row]
    number_column: int | None


@dataclass(frozen=True)
class Wish:
    """What a person corrected about the look of a file; None and '' leave it to us."""

    delimiter: str = ""
    has_header: bool | None = None


def look(head: bytes, encoding: str, country: str, wish: Wish | None = None) -> Look | FileFault:
    """Say what a file looks like from its first bytes, or why it is no list."""
    wish = wish or Wish()
    layout, start = _layout(head, encoding)
    if wish.delimiter in DELIMITERS:
        layout = replace(layout, delimiter=wish.delimiter)
    rows = first_rows(head, layout, start, LOOKED_AT_ROWS + 1)
    if not rows.rows:
        return FileFault.BROKEN if rows.broken else FileFault.EMPTY
    found = list(rows.rows)
    width = max(len(cells) for _, cells in found)
    if width > MOST_COLUMNS:
        return FileFault.TOO_MANY_COLUMNS
    is_header = _is_header(found[0][1]) if wish.has_header is None else wish.has_header
    if is_header and len(found) == 1 and rows.is_last and not rows.broken:
        return FileFault.ONLY_HEADER
    titles = _titles(found[0][1] if is_header else [], width)
    data = found[1:] if is_header else found
    return Look(
        layout=layout,
        start=Position(start, 1),
        has_header=is_header,
        header=titles,
        rows=data[:LOOKED_AT_ROWS],
        number_column=_number_column(data, titles, country),
    )


def _layout(head: bytes, encoding: str) -> tuple[Layout, int]:
    """Return the layout and the byte where the first row begins."""
    start = mark_length(encoding)
    layout = Layout(encoding, ",")
    text = head[start:].decode(layout.codec, "replace")
    if encoding not in WIDE and "\n" not in text and "\r" in text:
        layout = replace(layout, line_end="\r")
    declared = _DECLARED.match(text)
    if declared and declared[1] in DELIMITERS:
        size = len(declared[0].encode(layout.codec))
        return replace(layout, delimiter=declared[1]), start + size
    return replace(layout, delimiter=_delimiter(head, layout, start)), start


def _delimiter(head: bytes, layout: Layout, start: int) -> str:
    """Return the separator that cuts most rows into the same number of cells, above one."""
    best, score = DELIMITERS[0], 0
    for delimiter in DELIMITERS:
        rows = first_rows(head, replace(layout, delimiter=delimiter), start, LOOKED_AT_ROWS).rows
        widths = [len(cells) for _, cells in rows]
        most = max(set(widths), key=widths.count, default=1)
        agreeing = widths.count(most) if most > 1 else 0
        if agreeing > score:
            best, score = delimiter, agreeing
    return best


def _is_header(cells: Sequence[str]) -> bool:
    """Say whether a first row names columns: it has words, and nothing in it is like a number."""
    has_number = any(sum(map(str.isdigit, cell)) >= _DIGITS_OF_A_NUMBER for cell in cells)
    return not has_number and any(any(map(str.isalpha, cell)) for cell in cells)


def _titles(cells: Sequence[str], width: int) -> list[str]:
    """Return a title for each column; one without gets the spreadsheet's letter."""
    named = [" ".join(cell.split()) for cell in cells] + [""] * (width - len(cells))
    return [title or column_letter(index) for index, title in enumerate(named)]


def column_letter(index: int) -> str:
    """Return the spreadsheet's letters of a column: 0 is A, 26 is AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _number_column(rows: Sequence[Row], titles: Sequence[str], country: str) -> int | None:
    counts = [
        sum(
            not isinstance(normalise(cells[column], country), Fault)
            for _, cells in rows
            if column < len(cells)
        )
        for column in range(len(titles))
    ]
    named = [any(word in title.casefold() for word in _TITLES) for title in titles]
    best = max(range(len(titles)), key=lambda column: (counts[column], named[column]))
    return best if counts[best] or named[best] else None


_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LETTERS = str.maketrans(
    dict(
        zip(
            "абвгдезийклмнопрстуфхыэіўқғҳәөүұң",
            "abvgdezijklmnoprstufhyeiuqghaouun",
            strict=True,
        )
    )
    | {"ё": "yo", "ж": "zh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sch", "ю": "yu", "я": "ya"}
    | {"ъ": "", "ь": "", "ʻ": "", "ʼ": "", "'": "", "’": "", "‘": "", "ß": "ss"}
)


def placeholder_names(titles: Sequence[str]) -> list[str]:
    """Return a placeholder name for each title: `First name` becomes first_name.

    Names are unique; a title that leaves nothing becomes column_<number>.
    """
    names: list[str] = []
    for index, title in enumerate(titles, 1):
        wanted = _slug(title) or f"column_{index}"
        name, count = wanted, 1
        while name in names:
            count += 1
            name = f"{wanted[:36]}_{count}"
        names.append(name)
    return names


def is_placeholder_name(name: str) -> bool:
    """Say whether {{name}} can stand in a text: a-z, 0-9 and _, a letter first, 40 at the most."""
    return _NAME.fullmatch(name) is not None


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title.casefold().translate(_LETTERS))
    kept = "".join(mark for mark in plain if not unicodedata.combining(mark))
    words = re.findall(r"[a-z0-9]+", kept)
    return "_".join(words).lstrip("0123456789_")[:40].rstrip("_")
