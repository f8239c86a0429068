"""What a person says who asks for evidence."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from audit.actions.exports import LONGEST_REASON

# Ids of objects are short; those of refused pages are their addresses.
LONGEST_ID = 300
MASKED, IN_FULL = "masked", "in_full"
VALUES = [
    (MASKED, _("Masked: the evidence proves itself without them")),
    (IN_FULL, _("In full, what is not erased. Needs a second person")),
]


class _Day(forms.DateInput):
    """A day, chosen by the browser's own picker."""

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d", attrs={"type": "date", "class": "form-control w-m"})


class ExportForm(forms.Form):
    """A period, personal values or not, and the reason."""

    since = forms.DateField(
        label=_("From"),
        required=False,
        widget=_Day,
        help_text=_("Empty: from the first entry."),
    )
    until = forms.DateField(
        label=_("To"), required=False, widget=_Day, help_text=_("Empty: up to now.")
    )
    values = forms.ChoiceField(
        label=_("Phone numbers and other personal values"),
        choices=VALUES,
        initial=MASKED,
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=LONGEST_REASON,
        help_text=_("For example: Request 118-26 of the regulator. It stands in the log."),
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )

    def asked(self, zone: ZoneInfo, now: datetime) -> dict[str, Any]:
        """Return what a valid form asks for; its days begin and end in `zone`."""
        said = self.cleaned_data
        since, until = said["since"], said["until"]
        end = datetime.combine(until + timedelta(days=1), time.min, zone) if until else None
        is_open = until is not None and until == now.astimezone(zone).date()
        return {
            "since": datetime.combine(since, time.min, zone) if since else None,
            # A day that is not over means up to now.
            "until": None if is_open else end,
            "shows_values": said["values"] == IN_FULL,
            "reason": said["reason"],
        }


class WishForm(forms.Form):
    """What a link to the form asks for: evidence about an object, of a period, or both."""

    about = forms.CharField(required=False, max_length=LONGEST_ID)
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)


class DecisionForm(forms.Form):
    """Words beside a decision."""

    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=LONGEST_REASON,
        help_text=_("Needed to refuse. It stands in the log."),
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
