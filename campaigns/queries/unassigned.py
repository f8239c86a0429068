"""Subscribers' messages that are for no workspace alone, and what a STOP in them did."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from campaigns.models import InboundMessage, OptOut
from campaigns.queries.inbound import ShownReply, page_of_replies
from campaigns.rules.stop_words import Wish


@dataclass(frozen=True)
class ShownUnassigned:
    """A message, the connection that it came over, and the workspaces that its writer is opted out
    of by it.
    """

    reply: ShownReply
    connection: str
    opted_out_of: Sequence[str]


@dataclass(frozen=True)
class UnassignedPage:
    """Messages, newest first, and what the next, older page lies before (0: there is none)."""

    rows: Sequence[ShownUnassigned]
    before: int


def page_of_unassigned(wish: Wish, *, before: int = 0) -> UnassignedPage:
    """Return a page of them; needs to see every workspace."""
    page = page_of_replies(None, wish=wish, before=before)
    ids = [row.id for row in page.rows]
    names = dict(InboundMessage.objects.filter(pk__in=ids).values_list("pk", "connection__name"))
    places: dict[int, list[str]] = defaultdict(list)
    made = OptOut.objects.filter(inbound_message__in=ids).order_by("workspace__name")
    for reply_id, name in made.values_list("inbound_message_id", "workspace__name"):
        places[reply_id or 0].append(name)
    rows = [ShownUnassigned(row, names[row.id], places[row.id]) for row in page.rows]
    return UnassignedPage(rows, page.before)
