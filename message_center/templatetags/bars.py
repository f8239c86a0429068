"""Bars drawn as SVG: widths are attributes, colours are classes, and what is there is seen."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from message_center.templatetags.states import FILLS

WIDTH = 1000
LEAST = 3.5  # of WIDTH: a part that is not zero is seen
HATCH = "url(#hatch)"  # the pattern that every page carries; unknown is told from colour alone


@dataclass(frozen=True)
class Piece:
    """One rectangle of a bar, in thousandths of its width."""

    x: float
    width: float
    fill: str
    is_hatched: bool = False


def pieces(parts: Sequence[tuple[str, int]]) -> list[Piece]:
    """Return the rectangles for (state, count) pairs, none of them zero, in their order."""
    found, x = [], 0.0
    for (state, _count), width in zip(parts, widths([n for _state, n in parts]), strict=True):
        found.append(Piece(x, width, FILLS[state], is_hatched=state == "unknown"))
        x += width
    return found


def widths(counts: Sequence[int]) -> list[float]:
    """Return widths that add up to WIDTH; small parts are seen and the largest gives way."""
    total = sum(counts)
    if not total:
        return []
    found = [max(LEAST, WIDTH * n / total) for n in counts]
    found[found.index(max(found))] -= sum(found) - WIDTH
    return found


def svg(label: str, height: str, drawn: Sequence[Piece]) -> SafeString:
    """Return the bar; hairlines in the surface's colour part what lies side by side."""
    body = format_html_join("", "{}", ((_rects(piece),) for piece in drawn))
    lines = format_html_join(
        "",
        '<rect x="{}" y="0" width="2" height="10" class="f-surf"/>',
        ((f"{piece.x - 1:.1f}",) for piece in drawn[1:]),
    )
    return format_html(
        '<svg class="{}" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img"'
        ' aria-label="{}">{}{}</svg>',
        f"bar {height}".strip(),
        label,
        body,
        lines,
    )


def swatch(state: str) -> SafeString:
    """Return the small square of a state's colour."""
    square = format_html(
        '<rect width="11" height="11" rx="2.5" class="{}"/>', FILLS.get(state, "f-queue")
    )
    hatch = format_html('<rect width="11" height="11" fill="{}"/>', HATCH)
    return format_html(
        '<svg class="sw" viewBox="0 0 11 11" aria-hidden="true">{}{}</svg>',
        square,
        hatch if state == "unknown" else "",
    )


def _rects(piece: Piece) -> SafeString:
    place = format_html(
        'x="{}" y="0" width="{}" height="10"', f"{piece.x:.1f}", f"{piece.width:.1f}"
    )
    rect = format_html('<rect {} class="{}"/>', place, piece.fill)
    if not piece.is_hatched:
        return rect
    return format_html('{}<rect {} fill="{}"/>', rect, place, HATCH)
