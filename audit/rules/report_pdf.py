"""The report for paper: the same as the page, with fewer of the entries.

The typeface covers Latin, Greek and Cyrillic; what it lacks is shown as an escape.
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from reportlab import rl_config
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

from audit.rules.report import NO_APPROVALS, Approvals, Line, Report, Shown, Table

MOST_ENTRIES = 100
MOST_APPROVALS = 40
LONGEST_CELL = 2_000
PLAIN, BOLD = "Evidence", "Evidence-Bold"
_INK, _QUIET, _RULE = (
    colors.HexColor("#15202b"),
    colors.HexColor("#44505e"),
    colors.HexColor("#dde2e8"),
)
_SIDE = 18 * mm
_WIDTH = A4[0] - 2 * _SIDE
# What a column needs beside one of 1: a digest in a narrow cell takes the page.
_NEEDS = {"Entry": 0.68, "Chain": 0.6, "Recorded": 0.9, "Details": 1.9}
# What reportlab pads a frame with: without it the text would stand further in than the tables.
_PADDING = 6
_CELL_SIZE, _LEADING = 7.2, 1.35
_CELL_GAP = 5
_GRID = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, _RULE),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), _CELL_GAP),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
    ]
)
# For cells that are no paragraphs, so that they look like one.
_PLAIN_GRID = TableStyle(
    [
        ("FONT", (0, 1), (-1, -1), PLAIN, _CELL_SIZE, _CELL_SIZE * _LEADING),
        ("TEXTCOLOR", (0, 1), (-1, -1), _INK),
    ],
    parent=_GRID,
)


def pdf_report(report: Report, fonts: Path) -> bytes:
    """Return the PDF. `fonts` is the folder of the typeface."""
    _load(fonts)
    target = io.BytesIO()
    # No time and no random name in the file: the same report gives the same bytes.
    document = SimpleDocTemplate(
        target,
        pagesize=A4,
        leftMargin=_SIDE - _PADDING,
        rightMargin=_SIDE - _PADDING,
        topMargin=16 * mm,
        bottomMargin=16 * mm,
        title=report.title,
        author="",
        invariant=1,
    )
    document.build(list(_story(report)), onFirstPage=_foot(report), onLaterPages=_foot(report))
    return target.getvalue()


@cache
def _load(fonts: Path) -> None:
    rl_config.invariant = 1
    pdfmetrics.registerFont(TTFont(PLAIN, str(fonts / "DejaVuSans.ttf")))
    pdfmetrics.registerFont(TTFont(BOLD, str(fonts / "DejaVuSans-Bold.ttf")))


@cache
def _style(name: str) -> ParagraphStyle:
    sizes = {
        "title": 16,
        "h2": 12.5,
        "h3": 10,
        "text": 9,
        "quiet": 8,
        "cell": _CELL_SIZE,
        "head": _CELL_SIZE,
    }
    size = sizes[name]
    is_bold = name in {"title", "h2", "h3", "head"}
    return ParagraphStyle(
        name,
        fontName=BOLD if is_bold else PLAIN,
        fontSize=size,
        leading=size * _LEADING,
        textColor=_QUIET if name in {"quiet", "head"} else _INK,
        spaceBefore={"h2": 14, "h3": 9}.get(name, 2),
        spaceAfter=3,
        splitLongWords=1,
        keepWithNext=1 if name in {"h2", "h3"} else 0,
    )


def _text(text: str, style: str = "text") -> Paragraph:
    return Paragraph(escape(_covered(text)).replace("\n", "<br/>"), _style(style))


def _covered(text: str) -> str:
    """Return the text with what the typeface lacks as escapes."""
    face: Any = getattr(pdfmetrics.getFont(PLAIN), "face", None)
    glyphs: Mapping[int, int] = face.charToGlyph
    return "".join(
        one if one == "\n" or ord(one) in glyphs else f"\\u{ord(one):04x}" for one in text
    )


def _story(report: Report) -> Iterator[Flowable]:
    yield _text(report.title, "title")
    yield _pairs(report.facts)
    for text in (*report.statement, *report.cut):
        yield _text(text)
    yield from _counts(report)
    yield _text("Who approved what", "h2")
    if not report.approvals:
        yield _text(NO_APPROVALS)
    for one in report.approvals[:MOST_APPROVALS]:
        yield from _approvals(one)
    if len(report.approvals) > MOST_APPROVALS:
        left = len(report.approvals) - MOST_APPROVALS
        yield _text(f"{left:,} more are in report.html.", "quiet")
    for table in report.tables:
        yield from _table(table)
    yield _text("Entries", "h2")
    yield _text(f"{report.entries_note} This file shows the last {MOST_ENTRIES}.", "quiet")
    yield from _lines(report.entries[-MOST_ENTRIES:])


def _counts(report: Report) -> Iterator[Flowable]:
    yield _text("What was done, counted", "h2")
    rows = [
        (one.op, one.did, f"{one.ok:,}", f"{one.denied:,}", f"{one.failed:,}")
        for one in report.counts
    ]
    heads = ("Operation", "In words", "Done", "Refused", "Failed")
    yield _grid(heads, rows, (0.25, 0.39, 0.12, 0.12, 0.12))


def _approvals(one: Approvals) -> Iterator[Flowable]:
    yield _text(f"{one.kind.capitalize()} {one.title} ({one.id})", "h3")
    yield _text(one.verdict)
    yield from _lines(one.steps)
    for version in one.versions:
        yield from _version(version)


def _version(version: Shown) -> Iterator[Flowable]:
    yield _text(version.title, "quiet")
    yield _pairs(version.facts)
    if version.digest:
        yield _text(f"Digest {version.digest}, the SHA-256 of {version.file}", "quiet")


def _table(table: Table) -> Iterator[Flowable]:
    yield _text(table.title, "h2")
    yield _text(table.note, "quiet")
    if table.rows:
        yield _grid(table.heads, table.rows, _shares(table.heads))
    else:
        yield _text(table.empty)


def _lines(lines: Sequence[Line]) -> Iterator[Flowable]:
    if lines:
        heads = ("Entry", "Recorded", "Who", "What", "About", "Note", "Details")
        rows = [
            (str(one.seq), one.at, one.who, one.what, one.about, one.why, one.details)
            for one in lines
        ]
        yield _grid(heads, rows, _shares(heads))


def _shares(heads: Sequence[str]) -> tuple[float, ...]:
    """Return which part of the page's width each column takes."""
    needs = [_NEEDS.get(head, 1.0) for head in heads]
    return tuple(need / sum(needs) for need in needs)


def _pairs(pairs: Sequence[tuple[str, str]]) -> Flowable:
    cells = [[_text(name, "quiet"), _text(value, "quiet")] for name, value in pairs]
    if not cells:
        return Spacer(0, 0)
    return LongTable(cells, colWidths=[_WIDTH * 0.27, _WIDTH * 0.73], style=_GRID)


def _grid(heads: Sequence[str], rows: Sequence[Sequence[str]], shares: Sequence[float]) -> Flowable:
    widths = [_WIDTH * share for share in shares]
    cells: list[list[Paragraph | str]] = [[_text(head, "head") for head in heads]]
    cells += [[_cell(*one) for one in zip(row, widths, strict=True)] for row in rows]
    return LongTable(cells, colWidths=widths, style=_PLAIN_GRID, repeatRows=1, splitInRow=1)


def _cell(text: str, width: float) -> Paragraph | str:
    """Return a text broken into lines, which a table draws as they are: a paragraph costs many
    times as much and is needed only to break a word that is longer than a line.
    """
    covered, room = _covered(text[:LONGEST_CELL]), width - _CELL_GAP
    lines = [
        part
        for line in covered.split("\n")
        for part in simpleSplit(line, PLAIN, _CELL_SIZE, room) or [""]
    ]
    if any(pdfmetrics.stringWidth(line, PLAIN, _CELL_SIZE) > room for line in lines):
        return _text(covered, "cell")
    return "\n".join(lines)


def _foot(report: Report) -> Callable[[Canvas, SimpleDocTemplate], None]:
    def draw(canvas: Canvas, document: SimpleDocTemplate) -> None:
        canvas.setFont(PLAIN, 7)
        canvas.setFillColor(_QUIET)
        canvas.drawString(_SIDE, 9 * mm, _covered(report.title))
        canvas.drawRightString(A4[0] - _SIDE, 9 * mm, str(canvas.getPageNumber()))

    return draw
