"""The wizard's steps but the plan: every field may be empty, the check names what is missing."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign, RecipientList, Sender

LONGEST_TEXT = 4_000


class Needed:
    """Makes a field one that a draft may lack although its campaign needs it."""

    empty_values: Any

    def validate(self, value: Any) -> None:
        """Accept nothing; the check names it."""
        if value not in self.empty_values:
            super().validate(value)  # type: ignore[misc]


class NeededText(Needed, forms.CharField):
    """A text."""


class NeededChoice(Needed, forms.TypedChoiceField):
    """One of some rows, by id."""


class NeededNumber(Needed, forms.IntegerField):
    """A whole number."""


class StepForm(forms.Form):
    """A step of a campaign. `changes` is what goes to the verb, in its names."""

    use_required_attribute = False

    def changes(self, campaign: Campaign) -> Mapping[str, Any]:
        """Return the campaign's fields as the form has them."""
        raise NotImplementedError


class PurposeForm(StepForm):
    """Step 1: what it is for, and who it is from."""

    name = NeededText(
        label=_("Name"),
        max_length=120,
        help_text=_("For your team; people on the phone do not see it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    purpose = forms.CharField(
        label=_("Purpose"),
        max_length=500,
        required=False,
        help_text=_("Who asked for it, and why. The moderator reads it."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    sender = NeededChoice(label=_("Sender name"), coerce=int, empty_value=None)

    def __init__(self, campaign: Campaign, senders: list[Sender], data: Any = None) -> None:
        initial = {
            "name": campaign.name,
            "purpose": campaign.purpose,
            "sender": campaign.sender_id or "",
        }
        super().__init__(data, initial=initial)
        choices = [(one.pk, one.value) for one in senders]
        if campaign.sender is not None and campaign.sender not in senders:
            words = _("%(name)s (not approved)") % {"name": campaign.sender.value}
            choices.append((campaign.sender.pk, words))
        self.fields["sender"].choices = [("", _("Not chosen yet")), *choices]  # type: ignore[attr-defined]

    def changes(self, campaign: Campaign) -> Mapping[str, Any]:
        """Return name, purpose and sender."""
        data = self.cleaned_data
        return {"name": data["name"], "purpose": data["purpose"], "sender_id": data["sender"]}


class MessageForm(StepForm):
    """Step 2: the text. Line ends are those of one character, as phones count them."""

    text = NeededText(
        label=_("Text"),
        max_length=LONGEST_TEXT,
        strip=False,
        help_text=_("Write placeholders in double braces, such as {{name}}."),
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "true"}),
    )

    def __init__(self, campaign: Campaign, data: Any = None) -> None:
        super().__init__(data, initial={"text": campaign.text})

    def clean_text(self) -> str:
        """Return the text with plain line ends."""
        return one_line_end(self.cleaned_data["text"])

    def changes(self, campaign: Campaign) -> Mapping[str, Any]:
        """Return the text."""
        return {"text": self.cleaned_data["text"]}


def one_line_end(text: str) -> str:
    """Return a text as it was typed: browsers post every line end as two characters."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


class RecipientsForm(StepForm):
    """Step 3: one of the workspace's ready lists."""

    recipient_list = NeededChoice(
        label=_("Recipient list"),
        coerce=int,
        empty_value=None,
        widget=forms.RadioSelect,
    )

    def __init__(self, campaign: Campaign, lists: list[RecipientList], data: Any = None) -> None:
        super().__init__(data, initial={"recipient_list": campaign.recipient_list_id or ""})
        choices = [(one.pk, one.name) for one in lists]
        if campaign.recipient_list is not None and campaign.recipient_list not in lists:
            choices.append((campaign.recipient_list.pk, campaign.recipient_list.name))
        self.fields["recipient_list"].choices = choices  # type: ignore[attr-defined]

    def changes(self, campaign: Campaign) -> Mapping[str, Any]:
        """Return the list."""
        return {"recipient_list_id": self.cleaned_data["recipient_list"]}


class SubmitForm(forms.Form):
    """The number that a person types before a campaign goes to review."""

    typed_count = forms.CharField(
        max_length=24,
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "off", "class": "w-m tn"}
        ),
        error_messages={"required": _("Type the number.")},
    )

    def clean_typed_count(self) -> int:
        """Return the number; spaces and separators are accepted."""
        digits = "".join(c for c in self.cleaned_data["typed_count"] if c not in " ,.\u00a0\u202f'")
        if not (digits.isascii() and digits.isdigit()):
            raise forms.ValidationError(_("Type the number in digits."))
        return int(digits)


class DeleteForm(forms.Form):
    """Why a campaign is deleted, and its number typed."""

    why = forms.CharField(
        label=_("Reason"),
        max_length=300,
        help_text=_("It goes into the audit log, which keeps everything of this campaign."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    typed = forms.CharField(
        label=_("Type its number to confirm"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, campaign: Campaign, data: Any = None) -> None:
        super().__init__(data)
        self.campaign = campaign

    def clean_typed(self) -> str:
        """Compare it."""
        typed: str = self.cleaned_data["typed"].strip()
        if typed.upper() != str(self.campaign):
            raise forms.ValidationError(
                _("This is not the campaign's number. It is %(number)s.")
                % {"number": self.campaign}
            )
        return typed
