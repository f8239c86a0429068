"""A moderator's decision on exactly what he has seen."""

from django import forms
from django.utils.translation import gettext_lazy as _

LONGEST_WORDS = 1_000


class DecisionForm(forms.Form):
    """`seen` is the digest that the page showed."""

    seen = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)
    words = forms.CharField(
        label=_("Note"),
        max_length=LONGEST_WORDS,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The author and auditors read it."),
    )
