"""Tags of our pages: icons, chips, bars, times, fields; each thing drawn in one way."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.core.exceptions import ValidationError
from django.forms import (
    BaseForm,
    BoundField,
    CheckboxInput,
    CheckboxSelectMultiple,
    ChoiceField,
    RadioSelect,
    Select,
    Widget,
)
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from message_center.templatetags import bars
from message_center.templatetags.states import CHIPS, FILLS

register = template.Library()


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
    return bars.swatch(state)


@register.simple_tag
def outcome_bar(counts: Mapping[str, int], height: str = "h14", label: str = "") -> SafeString:
    """Draw counts by message state as one bar; the same numbers are its label, after `label`."""
    parts = [(state, int(counts.get(state) or 0)) for state in FILLS]
    parts = [(state, n) for state, n in parts if n > 0]
    words = ", ".join(f"{state_word(state)} {n:,}" for state, n in parts) or _("Nothing yet")
    return bars.svg(f"{label}: {words}" if label else words, height, bars.pieces(parts))


@register.simple_tag
def share_bar(
    part: float, whole: float, fill: str = "f-acc", height: str = "", label: str = ""
) -> SafeString:
    """Draw how much of something is used, as a bar with its percentage as label."""
    share = min(1.0, max(0.0, part / whole)) if whole else 0.0
    percent = f"{100 * share:.0f} %"
    return bars.svg(
        f"{label}, {percent}" if label else percent, height, [bars.Piece(0, 1000 * share, fill)]
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

    `width` is one of w-s, w-m, w-l, w-xl; `before` is text set before the control. Radio buttons
    and lists of boxes become a fieldset with a legend.
    """
    widget = bound.field.widget
    element = bound.id_for_label or bound.auto_id
    attributes = _attributes(bound, element, width)
    return {
        "bound": bound,
        "element": element,
        "described_by": attributes.get("aria-describedby", ""),
        "control": bound.as_widget(attrs=attributes),
        "is_check": isinstance(widget, CheckboxInput),
        "is_group": isinstance(widget, RadioSelect | CheckboxSelectMultiple),
        "is_optional": _is_optional(bound),
        "before": before,
    }


def _is_optional(bound: BoundField) -> bool:
    """Whether it may be left empty; a list of which one line is always chosen cannot be."""
    field = bound.field
    if field.required:
        return False
    if not isinstance(field, ChoiceField) or type(field.widget) is not Select:
        return True
    return any(line.data["value"] in {"", None} for line in bound)


def _attributes(bound: BoundField, element: str, width: str) -> dict[str, str | bool]:
    described = [
        f"{element}-{part}"
        for part, is_there in (("hint", bound.help_text), ("error", bound.errors))
        if is_there
    ]
    own = str(bound.field.widget.attrs.get("class", ""))
    classes = " ".join(filter(None, (_control_class(bound.field.widget, width), own)))
    attributes: dict[str, str | bool] = {"class": classes} if classes else {}
    if described:
        attributes["aria-describedby"] = " ".join(described)
    if bound.errors:
        attributes["aria-invalid"] = "true"
    return attributes


def _control_class(widget: Widget, width: str) -> str:
    """Return the classes of a control; boxes and radio buttons are the browser's own."""
    if isinstance(widget, CheckboxInput | RadioSelect | CheckboxSelectMultiple):
        return ""
    kind = "form-select" if isinstance(widget, Select) else "form-control"
    return f"{kind} {width}".strip()


@register.inclusion_tag("components/error_summary.html")
def error_summary(*forms: BaseForm | None) -> dict[str, Any]:
    """List the errors of forms at the top, each linked to its field; gets the focus."""
    rows: list[tuple[str, str]] = []
    for form in forms:
        if form is None or not form.is_bound:
            continue
        for name, errors in form.errors.as_data().items():
            bound = form[name] if name in form.fields else None
            target = (bound.id_for_label or bound.auto_id) if bound is not None else ""
            rows.extend((target, _summary_line(bound, error)) for error in errors)
    return {"rows": rows}


def _summary_line(bound: BoundField | None, error: ValidationError) -> str:
    """Return an error as it reads far from its field: one that only says "required" names it."""
    text = " ".join(str(message) for message in error.messages)
    return f"{bound.label}: {text}" if bound is not None and error.code == "required" else text


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
    """Write a chart's data as a JSON script element that charts.js reads."""
    return json_script(data, element)


@register.filter
def get(mapping: Mapping[str, Any], key: str) -> Any:
    """Return mapping[key], or None."""
    return mapping.get(key)
