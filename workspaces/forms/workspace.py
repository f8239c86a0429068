"""Forms of a workspace: members, keys, settings."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from workspaces.models import MEMBER_ROLES
from workspaces.queries.zones import zones

SCOPE_SENTENCES = [
    ("message.send", _("Send messages through approved trigger campaigns")),
    ("message.see", _("Read the state of messages")),
    ("campaign.see", _("Read campaigns and their counts")),
    ("sender.see", _("Read sender names")),
    ("inbound.see", _("Read what subscribers wrote")),
    ("inbound.assign", _("Say who looks after what subscribers wrote")),
]
PLATFORM_SENTENCES = [("diagnostics.see", _("Read the installation's diagnostics"))]
REPLY_DAYS = [
    ("7", _("7 days")),
    ("30", _("30 days")),
    ("90", _("90 days")),
    ("180", _("180 days")),
    ("365", _("1 year")),
    ("730", _("2 years")),
    ("1826", _("5 years")),
]
LIVES = [("30", _("30 days")), ("90", _("90 days")), ("180", _("180 days")), ("365", _("1 year"))]


class RoleForm(forms.Form):
    """A role."""

    role = forms.ChoiceField(label=_("Role"), choices=MEMBER_ROLES)


class ChangeRoleForm(RoleForm):
    """A member's new role, and the one he had when the page was drawn."""

    seen = forms.CharField(widget=forms.HiddenInput)


class InviteForm(forms.Form):
    """Who is invited, and as what."""

    email = forms.CharField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(label=_("Role"), choices=MEMBER_ROLES, initial="author")


class KeyForm(forms.Form):
    """A new API key."""

    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        help_text=_("What uses it, for example: Care portal, production."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        choices=SCOPE_SENTENCES,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one thing that the key may do.")},
    )
    days = forms.TypedChoiceField(label=_("Lives for"), choices=LIVES, coerce=int, initial="90")

    def __init__(self, *args: Any, is_platform: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scopes = self.fields["scopes"]
        if is_platform and isinstance(scopes, forms.MultipleChoiceField):
            scopes.choices = [*SCOPE_SENTENCES, *PLATFORM_SENTENCES]


class SettingsForm(forms.Form):
    """A workspace's settings."""

    name = forms.CharField(label=_("Name"), max_length=80)
    zone = forms.CharField(
        label=_("Time zone"),
        max_length=64,
        help_text=_("Schedules and quiet hours follow it. Type a place, for example Tashkent."),
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"}),
    )
    reply_days = forms.TypedChoiceField(
        label=_("Replies are kept for"),
        choices=REPLY_DAYS,
        coerce=int,
        required=False,
        empty_value=None,
        help_text=_(
            "Then the text and the number of what subscribers wrote are erased. Opt-outs stay."
        ),
    )
    is_open_to_requests = forms.BooleanField(
        label=_("Open to requests to join"),
        required=False,
        help_text=_("Everybody who is signed in sees the workspace's name and may ask."),
    )

    def clean_zone(self) -> str:
        """Accept a zone whatever its case, and a place whose name only one zone ends with."""
        typed = "_".join(self.cleaned_data["zone"].split())
        exact = [zone for zone in zones() if zone.lower() == typed.lower()]
        ends = [zone for zone in zones() if zone.lower().endswith(f"/{typed.lower()}")]
        return exact[0] if exact else ends[0] if len(ends) == 1 else str(self.cleaned_data["zone"])


class JoinForm(forms.Form):
    """Which workspace, and a word to its admins."""

    workspace = forms.SlugField(widget=forms.HiddenInput)
    note = forms.CharField(label=_("A word to its admins"), max_length=500, required=False)
