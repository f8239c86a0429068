"""What a reader of the log may look for. The filter is the address."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from audit.queries import names
from audit.queries.entries import Filter

# How the operations of one kind begin, and the kind's words. Every published operation has one.
KINDS: tuple[tuple[str, Promise], ...] = (
    ("campaign.", _("Campaigns")),
    ("approval.", _("Approvals changed around the product")),
    ("message", _("Messages")),
    ("sender.", _("Sender names")),
    ("protected_name.", _("Protected names")),
    ("resend.", _("Messages sent again")),
    ("records.", _("Call records")),
    ("receipt.", _("Receipts")),
    ("list.", _("Recipient lists")),
    ("optout.", _("Opt-outs")),
    ("stop_word.", _("STOP words")),
    ("repl", _("Replies")),
    ("number.", _("Phone numbers seen")),
    ("user.", _("Accounts and sign-in")),
    ("member.", _("Members")),
    ("role.", _("Roles")),
    ("invitation.", _("Invitations")),
    ("join.", _("Requests to join")),
    ("key.", _("API keys")),
    ("access.", _("Refused pages")),
    ("workspace.", _("Workspace")),
    ("install.", _("Installation")),
    ("restore.", _("Restores from a backup")),
    ("connection.", _("Connections")),
    ("route.", _("Routes")),
    ("certificate.", _("Certificates")),
    ("export.", _("Evidence")),
    ("anchor.", _("Anchors outside")),
    ("log_key.", _("Keys of the log")),
    ("audit.", _("Verification")),
    ("checkpoint.", _("Checkpoints overdue")),
    ("clock.", _("Clock")),
    ("sequencer.", _("Sequencer")),
    ("process.", _("Programs")),
    ("fallback.", _("Fallback files")),
    ("gap.", _("Gaps")),
    ("pd.", _("Erasures")),
    ("retention.", _("Entries removed after their term")),
)
RESULTS = (
    ("", _("Any result")),
    ("ok", _("Done")),
    ("denied", _("Refused")),
    ("failed", _("Failed")),
    ("outside", _("Done around the product")),
)


class _Day(forms.DateInput):
    """A day, in the form that browsers send and accept."""

    def __init__(self) -> None:
        super().__init__(attrs={"type": "date", "class": "form-control w-m"}, format="%Y-%m-%d")


class FilterForm(forms.Form):
    """Read from the query string; nothing is required."""

    q = forms.CharField(
        label=_("Person or object"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "class": "form-control"}),
    )
    action = forms.ChoiceField(
        label=_("What was done"),
        choices=[("", _("Any action")), *KINDS],
        required=False,
        widget=forms.Select(attrs={"class": "form-select w-m"}),
    )
    result = forms.ChoiceField(
        label=_("Result"),
        choices=RESULTS,
        required=False,
        widget=forms.Select(attrs={"class": "form-select w-m"}),
    )
    since = forms.DateField(label=_("From"), required=False, widget=_Day)
    until = forms.DateField(label=_("To"), required=False, widget=_Day)
    before = forms.IntegerField(min_value=1, required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """A period ends on the day it begins, or later."""
        cleaned: dict[str, Any] = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", _("This day is before the first one."))
        return cleaned

    def wanted(self, zone: ZoneInfo) -> Filter:
        """Return what a valid form asks for; its days begin and end in `zone`."""
        said = self.cleaned_data
        since, until = said["since"], said["until"]
        return Filter(
            op=said["action"],
            ids=names.find(said["q"]) if said["q"] else (),
            result=said["result"] if said["result"] != "outside" else "",
            is_outside=said["result"] == "outside",
            since=datetime.combine(since, time.min, zone) if since else None,
            until=datetime.combine(until + timedelta(days=1), time.min, zone) if until else None,
        )

    def address(self, **changes: Any) -> str:
        """Return the query string of this filter with other values; None or "" leaves one out."""
        values = {name: self.data.get(name, "") for name in self.fields if name != "before"}
        kept = {name: value for name, value in (values | changes).items() if value}
        return f"?{urlencode(kept)}"
