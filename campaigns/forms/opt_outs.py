"""Forms of opt-outs: one number, many, a search, a reason."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from campaigns.forms.lists import ABROAD, country_choices


class CountryField(forms.ChoiceField):
    """The country of numbers without a country code; '' is none."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Country of numbers without a country code"),
            choices=country_choices,
            initial=lambda: settings.DEFAULT_COUNTRY or ABROAD,
        )

    def clean(self, value: Any) -> str:
        """Return the ISO code, or ''."""
        code = str(super().clean(value))
        return "" if code == ABROAD else code


class NumberForm(forms.Form):
    """A number to look for. It travels in the body, never in an address."""

    number = forms.CharField(
        label=_("Phone number"),
        max_length=40,
        widget=forms.TextInput({"inputmode": "tel", "autocomplete": "off"}),
        error_messages={"required": _("Type a phone number.")},
    )
    country = CountryField()


class AddForm(NumberForm):
    """A number to opt out."""

    words = forms.CharField(
        label=_("Where the wish came from"),
        max_length=200,
        help_text=_("For example: call to the care desk on 20 Nov."),
        error_messages={"required": _("Say where the wish came from.")},
    )
    field_order = ["number", "country", "words"]


class ImportForm(forms.Form):
    """Many numbers, pasted or as a file."""

    file = forms.FileField(
        label=_("File"),
        required=False,
        allow_empty_file=True,
        help_text=_("CSV or TXT with a number in each row, up to 10 MB."),
    )
    numbers = forms.CharField(
        label=_("Or paste the numbers"),
        required=False,
        max_length=1_000_000,
        strip=False,
        widget=forms.Textarea({"rows": 6, "spellcheck": "false"}),
        help_text=_("One in each line."),
    )
    country = CountryField()
    words = AddForm.base_fields["words"]

    def clean(self) -> dict[str, Any]:
        """Something has to be there, and not both."""
        data = super().clean() or {}
        if bool(data.get("file")) == bool((data.get("numbers") or "").strip()):
            self.add_error("file", _("Choose a file or paste numbers."))
        return data

    @property
    def data_bytes(self) -> bytes:
        """Return the file's bytes, or the pasted text's."""
        file = self.cleaned_data.get("file")
        if file:
            return bytes(file.read())
        return str(self.cleaned_data["numbers"]).encode()


class LiftForm(forms.Form):
    """Why somebody gets messages again."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("Who asked for messages again, when and where. The audit log keeps it."),
        error_messages={"required": _("Say why: who asked for messages again, and where.")},
    )
