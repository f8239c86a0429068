"""Forms of the platform team."""

from django import forms
from django.utils.translation import gettext_lazy as _

from workspaces.forms.workspace import SettingsForm


class WhyForm(forms.Form):
    """A reason that auditors read."""

    why = forms.CharField(
        label=_("Reason"), max_length=300, help_text=_("It goes into the audit log.")
    )


class EnterForm(forms.Form):
    """Why a super admin enters a workspace."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        help_text=_("At least 10 characters. The workspace's members and auditors read it."),
    )


class WeightForm(forms.Form):
    """A workspace's part of the routes that it shares."""

    weight = forms.IntegerField(
        label=_("Weight"),
        min_value=1,
        max_value=100,
        help_text=_(
            "1 to 100. A workspace of weight 3 gets three times what one of weight 1 gets."
        ),
    )


class NewWorkspaceForm(SettingsForm):
    """A new workspace and, if known, its first admin."""

    slug = forms.CharField(
        label=_("Address"),
        max_length=40,
        help_text=_("Small letters, digits and hyphens. It cannot be changed later."),
    )
    admin_email = forms.CharField(
        label=_("E-mail address of its first admin"),
        max_length=254,
        required=False,
        help_text=_("Gets an invitation. Leave it empty to invite somebody later."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    is_open_to_requests = None  # type: ignore[assignment]
    reply_days = None  # type: ignore[assignment]
    field_order = ["name", "slug", "zone", "admin_email"]


class NewUserForm(forms.Form):
    """A new account. Nobody but its owner sets its password."""

    name = forms.CharField(label=_("Name"), max_length=150)
    email = forms.CharField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    same_as = forms.CharField(
        label=_("E-mail address of this person's other account"),
        max_length=254,
        required=False,
        help_text=_(
            "If there is one. Two accounts of one person count as one pair of eyes in approvals."
        ),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
