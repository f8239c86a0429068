"""Forms of subscribers' messages and of the words that stop."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.forms.messages import ExportForm
from campaigns.forms.opt_outs import CountryField
from campaigns.models import WordKind
from campaigns.rules.stop_words import LONGEST_WORD, Wish
from workspaces.queries.members import Member


class FindReplyForm(forms.Form):
    """A number or words to look for. They travel in the body, never in an address."""

    number = forms.CharField(
        label=_("Phone number"),
        max_length=40,
        required=False,
        widget=forms.TextInput({"inputmode": "tel", "autocomplete": "off"}),
    )
    country = CountryField()
    words = forms.CharField(
        label=_("Words in the text"),
        max_length=80,
        required=False,
        widget=forms.TextInput({"autocomplete": "off"}),
    )

    def clean(self) -> dict[str, Any]:
        """One of the two has to be there."""
        data = super().clean() or {}
        if bool(data.get("number")) == bool(data.get("words")):
            self.add_error("number", _("Type a phone number or some words, not both."))
        return data


class AssignForm(forms.Form):
    """Who is to look after a message; 0 is nobody. `seen` is who had it on the page."""

    holder = forms.TypedChoiceField(label=_("Give it to"), coerce=int)
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, people: Sequence[Member], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["holder"]
        assert isinstance(field, forms.TypedChoiceField)
        names = [(one.user_id, one.name) for one in people if one.is_active]
        field.choices = [(0, _("Nobody")), *names]


class TakeRepliesForm(ExportForm):
    """What the file holds."""

    state = None  # type: ignore[assignment]
    show = forms.CharField(required=False, max_length=5, widget=forms.HiddenInput)

    def clean_show(self) -> Wish:
        """Return which messages are wanted; an unknown word is all of them."""
        text = self.cleaned_data["show"]
        return Wish(text) if text in set(Wish) else Wish.NONE


class OwnWordForm(forms.Form):
    """A word, and what it does."""

    word = forms.CharField(
        label=_("Word"),
        max_length=LONGEST_WORD,
        help_text=_("Case, accents and full stops do not matter."),
        error_messages={"required": _("Type a word.")},
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )
    kind = forms.ChoiceField(label=_("What it does"), choices=WordKind.choices)


class WordForm(OwnWordForm):
    """A word of a language, for every workspace."""

    language = forms.RegexField(
        r"^[A-Za-z]{2}$",
        label=_("Language"),
        help_text=_("Two letters: en, fr, uz."),
        error_messages={
            "required": _("Say which language it is of."),
            "invalid": _("Write the language with two letters, as en or uz."),
        },
    )
    field_order = ["word", "language", "kind"]


class RemoveWordForm(forms.Form):
    """Why a word does not count any more."""

    why = forms.CharField(
        label=_("Reason"),
        max_length=300,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("The audit log keeps it."),
        error_messages={"required": _("Say why. Auditors read it.")},
    )
