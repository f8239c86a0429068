"""Forms of messages: a reason to see a number, a file to take."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class ReasonField(forms.CharField):
    """Why somebody needs numbers in full."""

    def __init__(self, *, required: bool) -> None:
        super().__init__(
            label=_("Reason"),
            max_length=300,
            required=required,
            help_text=_("The audit log keeps it with your name: a ticket, a complaint, a request."),
            error_messages={"required": _("Say why you need it. The audit log keeps it.")},
        )


class RevealForm(forms.Form):
    """A number in full, for a reason."""

    why = ReasonField(required=True)


class ExportForm(forms.Form):
    """What the file holds: masked numbers for everybody, full ones for a reason."""

    state = forms.CharField(required=False, max_length=16, widget=forms.HiddenInput)
    in_full = forms.BooleanField(label=_("With full phone numbers"), required=False)
    why = ReasonField(required=False)

    def __init__(self, *args: Any, may_reveal: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_reveal:
            del self.fields["in_full"]
            del self.fields["why"]
