"""Forms of sender names: a proposal, a decision, a protected name."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.actions.senders import TEXTS, Proposal
from campaigns.models import Category

LONGEST_NOTE = 1000


class ProposalForm(forms.Form):
    """What a revision says. With `preview_url` the name is looked at while it is typed."""

    value = forms.CharField(
        label=_("Name on the phone"),
        max_length=20,
        strip=False,
        help_text=_(
            "Up to 11 letters and digits, a short code, or a number with its country code."
        ),
        error_messages={"required": _("Type the name or number that people will see.")},
    )
    category = forms.ChoiceField(label=_("Used for"), choices=Category.choices)
    legal_entity = forms.CharField(
        label=_("Owner"),
        max_length=TEXTS["legal_entity"],
        help_text=_("The company or authority that answers for it, by its registered name."),
        error_messages={"required": _("Name the company or authority that answers for it.")},
    )
    purpose = forms.CharField(
        label=_("Purpose"),
        max_length=TEXTS["purpose"],
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("What people hear of under this name, and why it may be used."),
        error_messages={"required": _("Say what people hear of under this name.")},
    )
    sample_text = forms.CharField(
        label=_("Sample text"),
        max_length=TEXTS["sample_text"],
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("A message as you would send it."),
        error_messages={"required": _("Write a message as you would send it.")},
    )

    def __init__(self, *args: Any, preview_url: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["value"].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}
        if preview_url:
            live = {
                "hx-post": preview_url,
                "hx-target": "#preview",
                "hx-swap": "outerHTML",
                "hx-include": "closest form",
                "hx-trigger": "input changed delay:400ms",
            }
            self.fields["value"].widget.attrs |= live
            self.fields["sample_text"].widget.attrs |= live

    def proposal(self) -> Proposal:
        """Return what was typed; the form is valid."""
        return Proposal(**self.cleaned_data)


class DecisionForm(forms.Form):
    """A decision on the revision number that was seen."""

    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)
    words = forms.CharField(
        label=_("Note"),
        max_length=LONGEST_NOTE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The proposer and auditors read it."),
    )

    def clean_seen(self) -> int:
        """Return the number; 0, which no revision has, where the form carried none."""
        return self.cleaned_data["seen"] or 0


class ProtectedNameForm(forms.Form):
    """A name of a bank, an authority or a brand."""

    value = forms.CharField(
        label=_("Name"),
        max_length=40,
        help_text=_("As people know it. Ways to write it that look alike are found by themselves."),
        error_messages={"required": _("Type the name.")},
    )


class LiftForm(forms.Form):
    """Why a name is not protected any more."""

    why = forms.CharField(
        label=_("Reason"),
        max_length=LONGEST_NOTE,
        help_text=_("It goes into the audit log."),
        error_messages={"required": _("Say why. Auditors read it.")},
    )
