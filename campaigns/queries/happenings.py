"""What happened to a campaign: its audit entries and what its connections went through, in words.

The audit log has everything; this is what a reader of the campaign's page needs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.queries.entries import Row, of_object
from audit.queries.names import names
from audit.rules.events import Obj
from campaigns.models import Campaign
from campaigns.queries.pace import in_digits
from smpp_client.models import ConnectionEvent

SHOWN = 40
ENTRIES_LOOKED_AT = 200
EVENTS_LOOKED_AT = 30


@dataclass(frozen=True)
class Happening:
    """One line of the story; `kind` is the operation or the kind of the connection's event."""

    at: datetime
    kind: str
    icon: str
    tone: str
    sentence: str
    words: str = ""


class Telling(NamedTuple):
    """How an operation is told: by a person, and (where it differs) by the machine."""

    icon: str
    tone: str
    by_person: str | Promise
    by_machine: str | Promise = ""


OPERATIONS: Mapping[str, Telling] = {
    "campaign.create": Telling("plus", "", gettext_lazy("Drafted by %(who)s.")),
    "campaign.clone": Telling("plus", "", gettext_lazy("Copied by %(who)s.")),
    "campaign.freeze": Telling(
        "users",
        "",
        gettext_lazy("Its audience was frozen by %(who)s."),
        gettext_lazy("Its audience was frozen."),
    ),
    "campaign.submit": Telling("send", "", gettext_lazy("Submitted for approval by %(who)s.")),
    "campaign.withdraw": Telling(
        "arrow-back-up", "", gettext_lazy("Withdrawn from review by %(who)s.")
    ),
    "campaign.approve": Telling("checks", "ok", gettext_lazy("Approved by %(who)s.")),
    "campaign.return": Telling("arrow-back-up", "warn", gettext_lazy("Returned by %(who)s.")),
    "campaign.reject": Telling("x", "bad", gettext_lazy("Rejected by %(who)s.")),
    "campaign.schedule": Telling(
        "calendar",
        "",
        gettext_lazy("Scheduled by %(who)s."),
        gettext_lazy("Scheduled: it waits for its time."),
    ),
    "campaign.start": Telling(
        "player-play",
        "info",
        gettext_lazy("Started by %(who)s."),
        gettext_lazy("Started on time."),
    ),
    "campaign.pause": Telling("player-pause", "warn", gettext_lazy("Paused by %(who)s.")),
    "campaign.resume": Telling("player-play", "info", gettext_lazy("Resumed by %(who)s.")),
    "campaign.hold": Telling(
        "hand-stop", "bad", gettext_lazy("Held by %(who)s."), gettext_lazy("Held.")
    ),
    "campaign.release": Telling("player-play", "info", gettext_lazy("Released by %(who)s.")),
    "campaign.rate": Telling("gauge", "", gettext_lazy("%(who)s set the rate to %(rate)s.")),
    "campaign.cancel": Telling(
        "square-x", "bad", gettext_lazy("Cancelled by %(who)s: %(dropped)s messages are not sent.")
    ),
    "campaign.expire": Telling(
        "clock-x",
        "warn",
        gettext_lazy("Ended by %(who)s."),
        gettext_lazy("Its window ended."),
    ),
    "campaign.complete": Telling(
        "circle-check",
        "ok",
        gettext_lazy("Completed by %(who)s."),
        gettext_lazy("Completed: nothing is left to send."),
    ),
    "campaign.fail": Telling(
        "x",
        "bad",
        gettext_lazy("Failed."),
        gettext_lazy("Its audience could not be built."),
    ),
}

# kind of a connection's event -> icon and colour; others are told plainly.
EVENTS: Mapping[str, tuple[str, str]] = {
    "bound": ("plug-connected", "ok"),
    "lost": ("plug-connected-x", "bad"),
    "refused": ("plug-connected-x", "bad"),
    "unknown": ("help-circle", "bad"),
    "certificate": ("certificate", "warn"),
}
# What the wizard did before is no part of the story of sending.
WITHOUT_WORDS = frozenset({"campaign.create", "campaign.freeze"})


def happenings_of(campaign: Campaign, now: datetime) -> list[Happening]:
    """Return the story of a campaign, newest first."""
    told = [*_told(campaign), *_events(campaign, now)]
    return sorted(told, key=lambda one: one.at, reverse=True)[:SHOWN]


def _told(campaign: Campaign) -> list[Happening]:
    obj = Obj("campaign", f"cmp_{campaign.pk}")
    rows = [
        row
        for row in of_object(campaign.workspace.uuid, obj, limit=ENTRIES_LOOKED_AT)
        if row.op in OPERATIONS and row.result == "ok"
    ]
    known = {
        **names("user", [row.actor.id for row in rows if row.actor.kind == "user"]),
        **names("api", [row.actor.id for row in rows if row.actor.kind == "api"]),
    }
    return [_happening(row, known) for row in rows]


def _happening(row: Row, known: Mapping[str, str]) -> Happening:
    telling = OPERATIONS[row.op]
    is_machine = row.actor.kind == "system" and telling.by_machine
    sentence = telling.by_machine if is_machine else telling.by_person
    facts = {
        "who": known.get(row.actor.id, row.actor.id),
        "rate": _rate(_new(row, "rate")),
        "dropped": _number(_new(row, "dropped")),
    }
    words = "" if row.op in WITHOUT_WORDS else row.why
    return Happening(
        row.claimed_at, row.op, telling.icon, telling.tone, str(sentence) % facts, words
    )


def _new(row: Row, field: str) -> object:
    change: Sequence[object] = row.diff.get(field, (None, None))
    return change[1] if len(change) > 1 else None


def _rate(value: object) -> str:
    if value is None:
        return _("the plan's own")
    return _("%(rate)s segments/s") % {"rate": in_digits(Decimal(str(value)))}


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "0"


def _events(campaign: Campaign, now: datetime) -> list[Happening]:
    """Return what happened on the route's connections while the campaign was out."""
    if campaign.started_at is None or campaign.route_id is None:
        return []
    rows = ConnectionEvent.objects.filter(
        connection__route_connections__route=campaign.route_id,
        connection__route_connections__weight__gt=0,
        happened_at__gte=campaign.started_at,
        happened_at__lte=campaign.finished_at or now,
    )
    newest = rows.select_related("connection").order_by("-id")[:EVENTS_LOOKED_AT]
    return [_event(row) for row in newest]


def _event(row: ConnectionEvent) -> Happening:
    icon, tone = EVENTS.get(row.kind, ("plug", ""))
    return Happening(
        row.happened_at, row.kind, icon, tone, f"{row.connection.name}: {row.sentence}"
    )
