"""Forms of message evidence: a number, its day and a reason; then one of the messages found."""

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.forms.messages import ReasonField
from campaigns.forms.opt_outs import NumberForm
from workspaces.queries.zones import zones


class DayForm(NumberForm):
    """Who got something, on which day, and why somebody asks."""

    day = forms.DateField(
        label=_("Day"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": _("Choose the day.")},
    )
    zone = forms.CharField(
        label=_("Time zone of the day"),
        max_length=64,
        help_text=_("Where the subscriber was. Type a place, for example Asia/Tashkent."),
        widget=forms.TextInput({"list": "zones", "autocomplete": "off"}),
    )
    why = ReasonField(required=True)
    field_order = ("number", "country", "day", "zone", "why")

    def clean_zone(self) -> str:
        """A zone that the list has."""
        typed = str(self.cleaned_data["zone"])
        if typed not in zones():
            raise forms.ValidationError(_("Choose a time zone of the list."))
        return typed


class TakeForm(DayForm):
    """One of the messages that were found."""

    campaign = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    position = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
