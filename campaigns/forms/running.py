"""Forms of what a person does to a running campaign: each says what it does before it is done."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

# Beyond this many messages the number is typed before they are dropped.
TYPED_ABOVE = 1_000
SEPARATORS = re.compile(r"[\s,.\u00a0\u202f]")


class PlainForm(forms.Form):
    """Nothing to fill in: the press of the button is the answer."""


class PauseForm(forms.Form):
    """A pause, with a word for those who come later."""

    why = forms.CharField(
        label=gettext_lazy("Why"),
        required=False,
        max_length=300,
        help_text=gettext_lazy("Stands in the campaign's story and in the audit log."),
    )


class RateForm(forms.Form):
    """A lower rate, or none: the plan's own."""

    rate = forms.DecimalField(
        label=gettext_lazy("Segments per second"),
        required=False,
        max_digits=12,
        decimal_places=3,
        help_text=gettext_lazy("Leave it empty for the plan's own rate."),
        widget=forms.NumberInput(attrs={"step": "any", "min": "0", "inputmode": "decimal"}),
        error_messages={"invalid": gettext_lazy("Type a number, as 40 or 12.5.")},
    )


class CancelForm(forms.Form):
    """The end of a campaign. Many messages are dropped only by somebody who types how many."""

    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    typed = forms.CharField(label=gettext_lazy("Number of messages"), max_length=20)
    why = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=300,
        help_text=gettext_lazy("Stands in the campaign's story and in the audit log."),
        error_messages={"required": gettext_lazy("Say why. Others read it later.")},
    )

    def __init__(self, *args: Any, rest: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rest = rest
        if not self.is_typed:
            del self.fields["typed"]
        else:
            wanted = _("Type %(n)s to confirm.") % {"n": f"{rest:,}"}
            self.fields["typed"].help_text = wanted
            self.fields["typed"].error_messages["required"] = wanted
            self.fields["typed"].widget.attrs |= {
                "data-confirm": str(rest),
                "data-arms": "#do-cancel",
                "inputmode": "numeric",
                "autocomplete": "off",
            }

    @property
    def is_typed(self) -> bool:
        """Whether the number has to be typed: so many are left, or were when the form was shown."""
        shown = str(self.data.get("seen", "")) if self.is_bound else ""
        seen = int(shown) if shown.isascii() and shown.isdecimal() else 0
        return max(self.rest, seen) > TYPED_ABOVE

    def clean(self) -> dict[str, Any]:
        """Compare what was typed with what was shown; fewer may be left by now, never more."""
        values: dict[str, Any] = super().clean() or {}
        if not self.is_typed or "seen" not in values or "typed" not in values:
            return values
        typed = SEPARATORS.sub("", values["typed"])
        if typed != str(values["seen"]) or values["seen"] < self.rest:
            self.add_error("typed", _("Type %(n)s, the number shown.") % {"n": f"{self.rest:,}"})
            given = {name: self.data.get(name, "") for name in self.fields}
            self.data = {**given, "seen": str(self.rest)}
        return values
