"""The form that asks for a full check."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from smpp_client.actions.reports import Asked
from smpp_client.rules.conformance import FIXED_MESSAGES, MOST_MESSAGES


class ReportForm(forms.Form):
    """What a full check may send, and to whom. Empty numbers send nothing."""

    numbers = forms.CharField(
        label=_("Test numbers"),
        required=False,
        help_text=_(
            "One a line, with the country code; phones that you may send to. Without any, nothing"
            " is sent and only the session is checked."
        ),
        widget=forms.Textarea(attrs={"rows": 3, "inputmode": "tel", "autocomplete": "off"}),
    )
    sender = forms.CharField(
        label=_("From"),
        required=False,
        help_text=_("The sender of the test messages, as the partner allows it."),
    )
    messages = forms.IntegerField(
        label=_("At most so many messages"),
        min_value=FIXED_MESSAGES,
        max_value=MOST_MESSAGES,
        help_text=_("The window, the rate and the load are tried as far as this reaches."),
    )
    is_above_rate = forms.BooleanField(
        label=_("Ask for one and a half times the rate, for two seconds"),
        required=False,
        help_text=_("It shows how the partner throttles. Some do not like it: agree first."),
    )

    def asked(self) -> Asked:
        """Return what was typed, for the verb to judge."""
        typed = self.cleaned_data
        numbers = [line.strip() for line in typed["numbers"].splitlines() if line.strip()]
        messages = typed["messages"] if numbers else 0
        return Asked(numbers, typed["sender"].strip(), messages, typed["is_above_rate"])

    def hidden(self) -> list[tuple[str, Any]]:
        """Return what was typed, to be carried over the question."""
        return [(name, self.data.get(name, "")) for name in self.fields if self.data.get(name)]
