"""Two sessions of one connection bring messages at the same moment."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection as database_connection

from campaigns.actions import inbound
from campaigns.models import InboundMessage, OptOut
from smpp_client import carrier
from smpp_client.models import Connection
from tests import make as nouns
from tests.campaigns.inbound import wrote
from tests.conftest import Database
from tests.workspaces import make
from workspaces.queries import keys as key_queries
from workspaces.scope import scope_everywhere

CODE = "2020"
MESSAGES = 12


@pytest.fixture
def wire(database: Database) -> Connection:
    """A connection over which subscribers write to a workspace's short code."""
    key_queries.keys.cache_clear()
    place = make.workspace("care")
    with scope_everywhere("the test makes rows"):
        made = nouns.connection()
        nouns.sender(place, CODE)
        nouns.route(place, made)
    return made


def together(wire: Connection, *groups: Sequence[carrier.InboundMessage]) -> None:
    """Receive each message of each group in a transaction of its own, one thread a group."""
    start = Barrier(len(groups))

    def bring(group: Sequence[carrier.InboundMessage]) -> None:
        start.wait()
        for message in group:
            inbound.receive(wire.pk, [message])
        database_connection.close()

    with ThreadPoolExecutor(len(groups)) as threads:
        for done in [threads.submit(bring, group) for group in groups]:
            done.result(60)


def test_parts_that_come_over_two_sessions_at_once_are_one_message(wire: Connection) -> None:
    parts = [
        [
            wrote(index, "x", CODE, reference=index + 1, part=part, part_count=2)
            for index in range(MESSAGES)
        ]
        for part in (1, 2)
    ]
    together(wire, *parts)
    with scope_everywhere("the test looks at everything"):
        assert InboundMessage.objects.filter(head=None).count() == MESSAGES
        assert InboundMessage.objects.exclude(head=None).count() == MESSAGES


def test_the_same_message_over_two_sessions_at_once_is_stored_once(wire: Connection) -> None:
    stops = [wrote(index, "STOP", CODE) for index in range(MESSAGES)]
    together(wire, stops, stops)
    with scope_everywhere("the test looks at everything"):
        assert InboundMessage.objects.count() == MESSAGES
        assert OptOut.objects.count() == MESSAGES
