"""The own account."""

from django import forms
from django.utils.translation import gettext_lazy as _

from workspaces.models import Theme


class AccountForm(forms.Form):
    """Name, look and keys."""

    name = forms.CharField(label=_("Name"), max_length=150)
    theme = forms.ChoiceField(label=_("Theme"), choices=Theme.choices)
    has_shortcuts = forms.BooleanField(
        label=_("Single-key shortcuts"),
        required=False,
        help_text=_(
            "Keys such as / and ? act outside of fields. Switch them off if they get in "
            "the way of your keyboard or voice control."
        ),
    )
