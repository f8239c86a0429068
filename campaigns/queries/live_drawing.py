"""A campaign's chart as the page's script draws it (docs/pages.md, "Charts")."""

from typing import Any

from django.utils.translation import gettext as _

from campaigns.queries.live_chart import Chart
from campaigns.queries.pace import about

# Two words at lines nearer than this share of the chart would cover each other.
CLOSEST_WORDS = 0.1


def as_json(chart: Chart) -> dict[str, Any]:
    """Return data, series, lines and marks; `every` is in seconds, 0 when nothing will change."""
    points = chart.points
    rates = [
        [_rounded(point.sent) for point in points],
        [_rounded(point.planned) for point in points],
        [_rounded(point.forecast) for point in points],
    ]
    lines = _lines(chart)
    highest = max([0.0, *(rate for row in rates for rate in row if rate), *(x["y"] for x in lines)])
    return {
        "data": [[round(point.at.timestamp()) for point in points], *rates],
        "ymax": float(f"{highest * 1.2:.2g}") or 1,
        "series": [
            {"label": _("Sent"), "color": "d-wait", "fill": 1, "alpha": "55", "width": 1.6},
            {"label": _("Plan"), "color": "d-plan", "width": 1.5, "dash": [6, 4]},
            {"label": _("Forecast"), "color": "d-wait", "width": 1.6, "dash": [2, 3]},
        ],
        "h": lines,
        "v": _verticals(chart),
        "shade": [[from_, until, "sunken"] for from_, until in chart.closed],
        "every": chart.every,
    }


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 4)


def _lines(chart: Chart) -> list[dict[str, Any]]:
    lines = []
    if chart.catch_up is not None:
        rate = {"rate": about(chart.catch_up)}
        label, short = _("Catch-up limit %(rate)s/s (1.25 × plan)"), _("Limit %(rate)s/s")
        words = {"label": label % rate, "short": short % rate}
        lines.append({"y": chart.catch_up, **words, "color": "ink-3", "dash": [2, 3]})
    if chart.by_hand is not None:
        label = _("Slowed by hand to %(rate)s/s") % {"rate": about(chart.by_hand)}
        lines.append({"y": chart.by_hand, "label": label, "color": "warn", "dash": [4, 3]})
    return lines


def _verticals(chart: Chart) -> list[dict[str, Any]]:
    """Return the lines of moments, the newest last; a word that would cover another is left out."""
    first = chart.points[0].at
    room = (chart.points[-1].at - first) * CLOSEST_WORDS
    wanted = sorted(chart.marks, key=lambda mark: mark[0], reverse=True)
    next_at, found = chart.now, []
    if chart.now is not None:
        found.append({"x": round(chart.now.timestamp()), "label": _("Now"), "color": "accent"})
    for at, word, colour in wanted:
        is_near = next_at is not None and next_at - at < room
        line = {"x": round(at.timestamp()), "label": "", "color": colour, "dash": [3, 3]}
        if not is_near:
            line["label"], next_at = word, at
        elif next_at == chart.now and at - first > room:
            line |= {"label": word, "short": "", "align": "right"}
            next_at = at - room
        found.append(line)
    return found[::-1]
