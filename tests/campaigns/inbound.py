"""Plain functions that let subscribers write, as the engine would hand their messages over."""

import itertools
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from campaigns.actions import inbound
from campaigns.models import InboundMessage, Sender
from smpp_client import carrier
from smpp_client.models import Connection
from smpp_client.rules.codings import Coding
from tests import make
from tests.make import number
from workspaces.models import Workspace
from workspaces.scope import scope_everywhere

_bodies = itertools.count(1)


def short_code(place: Workspace, value: str) -> Sender:
    """Let a workspace have an approved short code."""
    return make.sender(place, value)


def wrote(
    index: int, text: str, to: str, *, at: datetime | None = None, **fields: Any
) -> carrier.InboundMessage:
    """Return a message of subscriber `index` to an address; each has a body of its own unless
    `raw` is given.
    """
    values: dict[str, Any] = {
        "source": carrier.Address(1, 1, number(index)),
        "destination": carrier.Address(3, 0, to),
        "octets": text.encode("utf-16-be"),
        "coding": Coding.UCS2,
        "received_at": at or timezone.now(),
        "raw": b"body %d" % next(_bodies),
        **fields,
    }
    return carrier.InboundMessage(**values)


def came(connection: Connection, *messages: carrier.InboundMessage) -> Sequence[InboundMessage]:
    """Receive messages over a connection; return all rows there are, oldest first."""
    inbound.receive(connection.pk, messages)
    with scope_everywhere("the test looks at everything"):
        return list(InboundMessage.objects.order_by("pk"))
