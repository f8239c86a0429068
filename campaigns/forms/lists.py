"""Forms of recipient lists: an upload, and what the columns mean."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.actions.lists import Choice
from campaigns.rules.layouts import Look, Wish, placeholder_names
from campaigns.rules.number_plans import countries

NUMBER, NAME, SKIP = "number", "name", "skip"
USES = [
    (NUMBER, _("Phone number")),
    (NAME, _("Placeholder")),
    (SKIP, _("Do not import")),
]
DELIMITERS = [
    (",", _("Comma")),
    (";", _("Semicolon")),
    ("\t", _("Tab")),
    ("|", _("Vertical bar")),
]
ABROAD = "-"


def country_choices() -> list[tuple[str, Any]]:
    """Return what numbers without a country code may belong to."""
    named = [(code, f"{name} (+{calling})") for code, name, calling in countries()]
    return [(ABROAD, _("Several: each number has its country code")), *named]


class UploadForm(forms.Form):
    """A file and a name for the list."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV or TXT, separated by comma, semicolon, tab or bar."),
        allow_empty_file=True,
        max_length=255,
        error_messages={"required": _("Choose a file."), "missing": _("Choose a file.")},
    )
    name = forms.CharField(
        label=_("Name of the list"),
        max_length=120,
        required=False,
        help_text=_("Left empty, it is the name of the file."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["file"].widget.attrs["accept"] = ".csv,.txt,.tsv,text/csv,text/plain"


class LayoutForm(forms.Form):
    """How the file is cut into cells, as a person corrected it."""

    delimiter = forms.ChoiceField(label=_("Separated by"), choices=DELIMITERS)
    has_header = forms.BooleanField(label=_("Row 1 names the columns"), required=False)

    @property
    def wish(self) -> Wish:
        """Return the correction; of what cannot be read there is none."""
        if not self.is_valid():
            return Wish()
        return Wish(self.cleaned_data["delimiter"], self.cleaned_data["has_header"])


@dataclass(frozen=True)
class ColumnLine:
    """A column of the file with its two fields."""

    title: str
    samples: list[str]
    use: forms.BoundField
    name: forms.BoundField


class ColumnsForm(forms.Form):
    """What each column of a file is used for."""

    country = forms.ChoiceField(
        label=_("Country of numbers without a country code"), choices=country_choices
    )

    def __init__(self, look: Look, country: str, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial={"country": country or ABROAD})
        self.look = look
        names = placeholder_names(look.header)
        for column, name in enumerate(names):
            used = NUMBER if column == look.number_column else NAME if look.has_header else SKIP
            self.fields[f"use_{column}"] = forms.ChoiceField(
                choices=USES, initial=used, widget=forms.Select({"class": "form-select sm"})
            )
            self.fields[f"name_{column}"] = forms.CharField(
                max_length=40,
                required=False,
                initial=name,
                widget=forms.TextInput(
                    {"class": "form-control sm w-l mono", "spellcheck": "false"}
                ),
            )

    def lines(self, samples: list[list[str]]) -> Iterator[ColumnLine]:
        """Yield the columns with the samples of each."""
        for column, title in enumerate(self.look.header):
            yield ColumnLine(title, samples[column], self[f"use_{column}"], self[f"name_{column}"])

    def clean(self) -> dict[str, Any]:
        """Exactly one column has the numbers."""
        data = super().clean() or {}
        if len(self._used_as(NUMBER)) != 1:
            self.add_error(None, _("Choose one column with the phone numbers."))
        return data

    def choice(self, wish: Wish) -> Choice:
        """Return what was chosen."""
        data = self.cleaned_data
        return Choice(
            number_column=self._used_as(NUMBER)[0],
            country="" if data["country"] == ABROAD else data["country"],
            names={column: data[f"name_{column}"] for column in self._used_as(NAME)},
            wish=wish,
        )

    def _used_as(self, use: str) -> list[int]:
        columns = range(len(self.look.header))
        return [column for column in columns if self.cleaned_data.get(f"use_{column}") == use]
