"""Tags of our pages: icons, chips, bars, fields.

One table of states, one way to draw each thing (docs/pages.md).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.forms import BaseForm, BoundField, CheckboxInput, Select
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join, json_script
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

register = template.Library()

# state -> (icon, colour class, word). Colour is the third signal: the word and the icon come first.
CHIPS: Mapping[str, tuple[str, str, str | Promise]] = {
    "draft": ("pencil", "out", gettext_lazy("Draft")),
    "building": ("loader", "out", gettext_lazy("Building")),
    "ready": ("check", "ok", gettext_lazy("Ready")),
    "in_review": ("eye", "warn", gettext_lazy("In review")),
    "returned": ("arrow-back-up", "warn", gettext_lazy("Returned")),
    "rejected": ("x", "bad", gettext_lazy("Rejected")),
    "approved": ("check", "ok", gettext_lazy("Approved")),
    "scheduled": ("calendar", "", gettext_lazy("Scheduled")),
    "sending": ("player-play", "info", gettext_lazy("Sending")),
    "open": ("bolt", "info", gettext_lazy("Open for triggers")),
    "paused": ("player-pause", "warn", gettext_lazy("Paused")),
    "held": ("hand-stop", "bad", gettext_lazy("Held")),
    "completed": ("circle-check", "ok", gettext_lazy("Completed")),
    "cancelled": ("ban", "", gettext_lazy("Cancelled")),
    "expired": ("clock-x", "", gettext_lazy("Expired")),
    "failed": ("x", "bad", gettext_lazy("Failed")),
    "archived": ("archive", "", gettext_lazy("Archived")),
    "withdrawn": ("arrow-back-up", "", gettext_lazy("Withdrawn")),
    "replaced": ("history", "", gettext_lazy("Replaced")),
    "uploading": ("cloud-upload", "out", gettext_lazy("Uploading")),
    "uploaded": ("file-spreadsheet", "warn", gettext_lazy("Needs columns")),
    "importing": ("loader", "info", gettext_lazy("Importing")),
    "queued": ("clock", "", gettext_lazy("Queued")),
    "suppressed": ("user-off", "", gettext_lazy("Suppressed")),
    "submitted": ("send", "info", gettext_lazy("Accepted")),
    "deferred": ("clock", "warn", gettext_lazy("Deferred")),
    "refused": ("x", "bad", gettext_lazy("Refused")),
    "unknown": ("help-circle", "unk", gettext_lazy("Unknown")),
    "delivered": ("check", "ok", gettext_lazy("Delivered")),
    "undelivered": ("message-off", "bad", gettext_lazy("Not delivered")),
    "no_receipt": ("clock-x", "", gettext_lazy("No receipt")),
    "bound": ("circle-check", "ok", gettext_lazy("Up")),
    "down": ("plug-connected-x", "bad", gettext_lazy("Down")),
    "connecting": ("loader", "warn", gettext_lazy("Connecting")),
    "unbinding": ("loader", "warn", gettext_lazy("Closing")),
    "disabled": ("ban", "", gettext_lazy("Disabled")),
    "suspended": ("hand-stop", "bad", gettext_lazy("Suspended")),
    "active": ("check", "ok", gettext_lazy("Active")),
    "denied": ("lock", "bad", gettext_lazy("Denied")),
    "ok": ("check", "ok", gettext_lazy("Done")),
    "unlinked": ("clock", "", gettext_lazy("Not numbered yet")),
}
# The order of the outcome bar and of the ledger: position tells as well as colour.
BAR: tuple[tuple[str, str], ...] = (
    ("delivered", "f-done"),
    ("submitted", "f-wait"),
    ("undelivered", "f-fail"),
    ("no_receipt", "f-supp"),
    ("refused", "f-refuse"),
    ("unknown", "f-unk"),
    ("deferred", "f-defer"),
    ("sending", "f-acc"),
    ("suppressed", "f-supp"),
    ("expired", "f-supp"),
    ("cancelled", "f-supp"),
    ("queued", "f-queue"),
)
LEAST = 3.5  # of 1000: a part that is not zero is seen


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """Draw an icon of icons.svg; decoration, hidden from screen readers."""
    return format_html(
        '<svg class="i {}" viewBox="0 0 24 24" aria-hidden="true"><use href="{}#{}"/></svg>',
        classes,
        static("mc/icons.svg"),
        name,
    )


@register.simple_tag
def chip(state: str, word: str = "") -> SafeString:
    """Draw a state: icon, word, colour. `word` replaces the table's."""
    image, colour, known = CHIPS.get(str(state), ("info-circle", "", str(state)))
    return format_html('<span class="chip {}">{}{}</span>', colour, icon(image), word or known)


@register.simple_tag
def state_word(state: str) -> str:
    """Return the word of a state alone."""
    return str(CHIPS.get(str(state), ("", "", str(state)))[2])


@register.filter
def number(value: object) -> str:
    """Write a whole number with its thousands apart; None reads "not known"."""
    if value is None or value == "":
        return _("not known")
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.1f}"
    return str(value)


@register.simple_tag
def swatch(state: str) -> SafeString:
    """Draw the small square of a state's colour in a bar, for legends and ledgers."""
    fill = dict(BAR).get(state, "f-queue")
    hatch = (
        format_html('<rect width="11" height="11" fill="{}"/>', "url(#hatch)")
        if state == "unknown"
        else SafeString("")
    )
    return format_html(
        '<svg class="sw" viewBox="0 0 11 11" aria-hidden="true">'
        '<rect width="11" height="11" rx="2.5" class="{}"/>{}</svg>',
        fill,
        hatch,
    )


@register.simple_tag
def outcome_bar(counts: Mapping[str, int], height: str = "h14") -> SafeString:
    """Draw counts by message state as one bar; the same numbers are its label."""
    parts = [(state, fill, int(counts.get(state) or 0)) for state, fill in BAR]
    parts = [part for part in parts if part[2] > 0]
    label = ", ".join(f"{state_word(state)} {n:,}" for state, _fill, n in parts) or _("Nothing yet")
    pieces, at = [], 0.0
    widths = _widths([part[2] for part in parts])
    for (state, fill, _count), width in zip(parts, widths, strict=True):
        pieces.append((f"{at:.1f}", f"{width:.1f}", fill, ""))
        if state == "unknown":
            pieces.append((f"{at:.1f}", f"{width:.1f}", "", "url(#hatch)"))
        at += width
    rects = format_html_join(
        "",
        '<rect x="{}" y="0" width="{}" height="10" class="{}"{}/>',
        (
            (x, width, fill, format_html(' fill="{}"', paint) if paint else "")
            for x, width, fill, paint in pieces
        ),
    )
    return format_html(
        '<svg class="bar {}" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img"'
        ' aria-label="{}">{}</svg>',
        height,
        label,
        rects,
    )


def _widths(counts: list[int]) -> list[float]:
    """Return widths that add up to 1000; small parts are seen and the largest gives way."""
    total = sum(counts)
    if not total:
        return []
    widths = [max(LEAST, 1000 * n / total) for n in counts]
    widths[widths.index(max(widths))] -= sum(widths) - 1000
    return widths


@register.simple_tag
def share_bar(part: float, whole: float, fill: str = "f-acc", height: str = "") -> SafeString:
    """Draw how much of something is used, as a bar with its percentage as label."""
    percent = min(100.0, 100 * part / whole) if whole else 0.0
    return format_html(
        '<svg class="bar {}" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img"'
        ' aria-label="{} %"><rect x="0" y="0" width="{}" height="10" class="{}"/></svg>',
        height,
        f"{percent:.0f}",
        f"{percent * 10:.1f}",
        fill,
    )


@register.simple_tag(takes_context=True)
def when(context: template.Context, at: datetime | None, form: str = "both") -> SafeString:
    """Write an instant in the reader's zone: relative and exact together ("in 51 min, 12:00").

    `form` is both, time, date or exact. None reads "not known".
    """
    if at is None:
        return format_html('<span class="ink3">{}</span>', _("not known"))
    local = at.astimezone(zone_of(context))
    exact = exact_text(local, form)
    text = f"{relative(at)}, {exact}" if form == "both" else exact
    return format_html('<time datetime="{}" class="nw">{}</time>', at.isoformat(), text)


def zone_of(context: Mapping[str, Any] | template.Context) -> ZoneInfo:
    """Return the zone in which a page writes its times: the workspace's, else UTC."""
    request = context.get("request")
    me = getattr(request, "me", None)
    place = getattr(me, "workspace", None)
    return ZoneInfo(place.zone if place is not None else "UTC")


def exact_text(local: datetime, form: str) -> str:
    """Write a local time: of today only the clock, else with the date."""
    if form == "date":
        return date_format(local, "j M Y")
    is_today = local.date() == timezone.now().astimezone(local.tzinfo).date()
    if form == "time" or (is_today and form == "both"):
        return date_format(local, "H:i")
    return date_format(local, "j M Y H:i")


def relative(at: datetime) -> str:
    """Write the distance from now: "in 5 min", "3 h ago"."""
    seconds = (at - timezone.now()).total_seconds()
    words = span(abs(seconds))
    return (
        _("in %(span)s") % {"span": words} if seconds > 0 else _("%(span)s ago") % {"span": words}
    )


@register.filter
def span(seconds: float | None) -> str:
    """Write a duration in its two largest units."""
    if seconds is None:
        return _("not known")
    whole = round(seconds)
    if whole < 60:
        return _("%(n)s s") % {"n": whole}
    if whole < 3600:
        rest = f" {whole % 60} s" if whole < 600 and whole % 60 else ""
        return _("%(n)s min") % {"n": whole // 60} + rest
    if whole < 86400:
        rest = f" {whole % 3600 // 60} min" if whole % 3600 >= 60 else ""
        return _("%(n)s h") % {"n": whole // 3600} + rest
    return ngettext("%(n)s day", "%(n)s days", whole // 86400) % {"n": whole // 86400}


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, width: str = "", before: str = "") -> dict[str, Any]:
    """Draw a form field: label, hint, error, control; never a placeholder for a label.

    `width` is one of w-s, w-m, w-l, w-xl; `before` is text set before the control.
    """
    described = [f"{bound.id_for_label}-hint"] if bound.help_text else []
    if bound.errors:
        described.append(f"{bound.id_for_label}-error")
    is_check = isinstance(bound.field.widget, CheckboxInput)
    attributes: dict[str, str | bool] = {"class": f"{_control_class(bound)} {width}".strip()}
    if described:
        attributes["aria-describedby"] = " ".join(described)
    if bound.errors:
        attributes["aria-invalid"] = "true"
    own = bound.field.widget.attrs.get("class")
    if own:
        attributes["class"] = f"{attributes['class']} {own}"
    return {
        "bound": bound,
        "control": bound.as_widget(attrs=attributes),
        "is_check": is_check,
        "before": before,
    }


def _control_class(bound: BoundField) -> str:
    widget = bound.field.widget
    if isinstance(widget, CheckboxInput):
        return "form-check-input"
    if isinstance(widget, Select):
        return "form-select"
    return "form-control"


@register.inclusion_tag("components/error_summary.html")
def error_summary(*forms: BaseForm | None) -> dict[str, Any]:
    """List the errors of forms at the top, each linked to its field; gets the focus."""
    rows: list[tuple[str, str]] = []
    for form in forms:
        if form is None or not form.is_bound:
            continue
        for name, errors in form.errors.items():
            target = form[name].id_for_label if name in form.fields else ""
            rows.extend((target or "", str(error)) for error in errors)
    return {"rows": rows}


@register.simple_block_tag
def note(content: str, kind: str = "info", image: str = "", role: str = "") -> SafeString:
    """Draw a note: kind info, ok, warn, bad or unk; `role` alert after an action that failed, else
    status.
    """
    images = {
        "info": "info-circle",
        "ok": "circle-check",
        "warn": "alert-triangle",
        "bad": "alert-circle",
        "unk": "help-circle",
    }
    return format_html(
        '<div class="note {}"{}>{}<div>{}</div></div>',
        kind,
        format_html(' role="{}"', role) if role else "",
        icon(image or images.get(kind, "info-circle")),
        SafeString(content),
    )


@register.simple_tag
def chart_data(element: str, data: Mapping[str, Any]) -> SafeString:
    """Write a chart's data as a JSON script element that mc.js reads."""
    return json_script(data, element)


@register.filter
def get(mapping: Mapping[str, Any], key: str) -> Any:
    """Return mapping[key], or None."""
    return mapping.get(key)
