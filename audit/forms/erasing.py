"""Which personal values of an entry to erase, and on what ground."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class EraseForm(forms.Form):
    """The values that are still kept, all chosen; and the legal ground."""

    values = forms.MultipleChoiceField(label=_("Values"), widget=forms.CheckboxSelectMultiple)
    basis = forms.CharField(
        label=_("Legal ground"),
        max_length=500,
        help_text=_("For example: request of the person, article 17(1)(b). Auditors read it."),
    )

    def __init__(self, *args: Any, kept: Iterable[str], **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["values"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(name, name.replace("_", " ")) for name in kept]
        field.initial = list(kept)
