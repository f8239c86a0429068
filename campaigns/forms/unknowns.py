"""Forms of unknowns: a request to send again, its decision, the columns of call records."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.actions.records import Mapped
from campaigns.forms.lists import DELIMITERS
from campaigns.forms.opt_outs import CountryField
from campaigns.rules.call_records import Stated
from campaigns.rules.layouts import Look, Wish
from campaigns.rules.record_times import guess_form

USES = (
    ("number", _("Phone number")),
    ("sender", _("Sender name")),
    ("at", _("Time of submission")),
    ("state", _("Status")),
    ("smsc_id", _("Message id")),
    ("reference", _("Our reference (user_message_reference)")),
)
FORMS = [
    ("iso", _("2026-11-20 09:05:06, with or without an offset")),
    ("unix", _("Seconds since 1970")),
    ("compact", _("20261120090506 or 2611200905")),
    ("dmy", _("20.11.2026 09:05:06, day first")),
    ("mdy", _("11/20/2026 09:05:06, month first")),
]
TITLES = {
    "sender": ("sender", "source", "from", "originator", "oa"),
    "at": ("time", "date", "submit", "at"),
    "state": ("stat", "result"),
    "smsc_id": ("id", "message"),
    "reference": ("reference", "user_message"),
}


class ResendForm(forms.Form):
    """Why unknown messages are to go out again."""

    note = forms.CharField(
        label=_("Why they are to be sent again"),
        max_length=1000,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("Whoever decides reads this, and the audit log keeps it."),
        error_messages={"required": _("Say why they are to be sent again.")},
    )


class DecisionForm(forms.Form):
    """What the second person says."""

    words = forms.CharField(
        label=_("Your words on it"),
        max_length=1000,
        required=False,
        widget=forms.Textarea({"rows": 2}),
    )


class RecordsForm(forms.Form):
    """A file of call records."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV, TSV or TXT as your SMSC writes it; you name its columns next."),
        allow_empty_file=True,
        max_length=255,
        error_messages={"required": _("Choose a file."), "missing": _("Choose a file.")},
    )


class RecordColumnsForm(forms.Form):
    """What the columns of call records mean, and for which time they are complete."""

    delimiter = forms.ChoiceField(label=_("Separator"), choices=DELIMITERS, required=False)
    has_header = forms.BooleanField(label=_("The first row has titles"), required=False)
    connection = forms.TypedChoiceField(
        label=_("Connection whose SMSC wrote them"),
        coerce=int,
        error_messages={"required": _("Choose the connection.")},
    )
    time_form = forms.ChoiceField(label=_("How times are written"), choices=FORMS)
    zone = forms.CharField(
        label=_("Zone of times without an offset"),
        max_length=64,
        error_messages={"required": _("Name a zone, for example Asia/Tashkent.")},
    )
    tolerance = forms.IntegerField(
        label=_("How far the clocks may differ, in seconds"),
        min_value=0,
        max_value=86_400,
        initial=300,
    )
    country = CountryField()
    complete_from = forms.CharField(label=_("Complete from"), required=False, max_length=40)
    complete_until = forms.CharField(label=_("Complete until"), required=False, max_length=40)

    def __init__(
        self,
        look: Look,
        connections: Sequence[tuple[int, str]],
        zone: str,
        data: Any = None,
    ) -> None:
        super().__init__(data)
        self.look = look
        columns: list[tuple[str, Any]] = [("", _("not in the file"))]
        columns += [(str(index), title) for index, title in enumerate(look.header)]
        for use, label in USES:
            self.fields[f"use_{use}"] = forms.ChoiceField(
                label=label,
                choices=columns,
                required=use == "number",
                initial=self._guess(use),
                error_messages={"required": _("Say which column has the phone numbers.")},
            )
        choice = self.fields["connection"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [("", _("Choose")), *connections] if len(connections) > 1 else connections
        times = self._column(self.fields["use_at"].initial)
        self.initial.update(
            delimiter=look.layout.delimiter,
            has_header=look.has_header,
            zone=zone,
            time_form=guess_form(times) or "iso",
        )

    def _guess(self, use: str) -> str:
        if use == "number":
            return "" if self.look.number_column is None else str(self.look.number_column)
        titles = [title.casefold() for title in self.look.header]
        for word in TITLES[use] if self.look.has_header else ():
            for index, title in enumerate(titles):
                if word in title and str(index) != self._guess("number"):
                    return str(index)
        return ""

    def _column(self, chosen: Any) -> list[str]:
        if chosen in ("", None):
            return []
        return [cells[int(chosen)] for _row, cells in self.look.rows if int(chosen) < len(cells)]

    def use_fields(self) -> list[Any]:
        """Return the fields that name a column for each use."""
        return [self[f"use_{use}"] for use, _label in USES]

    def clean_zone(self) -> str:
        """A zone that exists."""
        try:
            return ZoneInfo(self.cleaned_data["zone"].strip()).key
        except (KeyError, ValueError, OSError):
            raise forms.ValidationError(_("There is no such zone. Write Asia/Tashkent.")) from None

    def clean(self) -> dict[str, Any]:
        """Both ends of the stated time, or neither."""
        data = super().clean() or {}
        for name in ("complete_from", "complete_until"):
            data[name] = self._instant(name, data.get(name, ""))
        if (data["complete_from"] is None) != (data["complete_until"] is None):
            self.add_error("complete_until", _("Say both: from when until when."))
        return data

    def _instant(self, name: str, text: str) -> datetime | None:
        if not text:
            return None
        try:
            found = datetime.fromisoformat(text.strip())
        except ValueError:
            self.add_error(name, _("Write it as 2026-11-20 09:00."))
            return None
        zone = self.cleaned_data.get("zone", "UTC")
        return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))

    def mapped(self) -> Mapped:
        """Return what was said."""
        data = self.cleaned_data
        columns = {use: int(data[f"use_{use}"]) for use, _label in USES if data[f"use_{use}"]}
        since, until = data["complete_from"], data["complete_until"]
        return Mapped(
            connection_id=data["connection"],
            columns=columns,
            country=data["country"],
            time_form=data["time_form"],
            zone=data["zone"],
            tolerance_seconds=data["tolerance"],
            stated=Stated(since, until) if since is not None and until is not None else None,
            wish=Wish(data["delimiter"], data["has_header"]),
        )
