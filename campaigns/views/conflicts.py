"""Two versions of a step beside each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.models import Campaign, Mode, Priority, RecipientList, Sender, StartBy
from smpp_client.models import Route

LABELS = {
    "name": gettext_lazy("Name"),
    "purpose": gettext_lazy("Purpose"),
    "sender_id": gettext_lazy("Sender name"),
    "text": gettext_lazy("Text"),
    "recipient_list_id": gettext_lazy("Recipient list"),
    "mode": gettext_lazy("Mode"),
    "starts_at": gettext_lazy("Start"),
    "ends_at": gettext_lazy("End"),
    "daily_from": gettext_lazy("Only from"),
    "daily_until": gettext_lazy("until"),
    "rate_ceiling": gettext_lazy("At most, segments/s"),
    "start_by": gettext_lazy("After approval"),
    "route_id": gettext_lazy("Route"),
    "priority": gettext_lazy("Priority"),
    "daily_cap": gettext_lazy("Messages a day at most"),
    "slots": gettext_lazy("Slots"),
}
CHOICES = {"mode": Mode, "start_by": StartBy, "priority": Priority}
ROWS = {"sender_id": Sender, "recipient_list_id": RecipientList, "route_id": Route}


@dataclass(frozen=True)
class Difference:
    """A field that two people have differently."""

    label: str
    theirs: str
    mine: str


def differences_of(campaign: Campaign, mine: Mapping[str, Any]) -> list[Difference]:
    """Return the fields that were typed differently from what is saved now."""
    return [
        Difference(
            str(LABELS[name]),
            _written(campaign, name, getattr(campaign, name)),
            _written(campaign, name, value),
        )
        for name, value in mine.items()
        if getattr(campaign, name) != value
    ]


def _written(campaign: Campaign, name: str, value: Any) -> str:
    if value in (None, "", []):
        return _("nothing")
    if name in ROWS:
        found = ROWS[name].objects.filter(pk=value).first()  # type: ignore[attr-defined]
        return str(found or "")
    if name in CHOICES:
        return str(CHOICES[name](value).label)
    if isinstance(value, datetime):
        return f"{value.astimezone(ZoneInfo(campaign.workspace.zone)):%-d %b %Y %H:%M}"
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, list):
        return ", ".join(f"{one['name']} ({one['type']}, {one['max_length']})" for one in value)
    return str(value)
