"""Subscribers' messages: stored, given to the workspace that they are for, and obeyed.

The sender calls this before it answers the peer. A message, the opt-out that it asks for and the
audit entry are one transaction, so an answered STOP is an opt-out already.
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from campaigns.actions.obeying import Speaker, obey
from campaigns.actions.sending.threads import on_own_connection
from campaigns.queries.inbound_owners import Owners, owners_of
from campaigns.queries.stop_words import WordTable, word_table
from campaigns.rules.stop_words import Wish
from campaigns.rules.subscribers import content_context, read_number, shown_address
from smpp_client.carrier import InboundMessage
from smpp_client.rules.codings import decode
from workspaces.queries.keys import keys
from workspaces.rules.sealing import Keys

# Parts of one message come within this; a phone may use the same reference again later.
PARTS_HOURS = 24
LOCK_CLASS = 7_003
DIGEST_BYTES = 16

LIMITS = """
SELECT set_config('synchronous_commit', 'on', true), set_config('statement_timeout', '8s', true),
       set_config('lock_timeout', '5s', true)
"""
INSERT = """
INSERT INTO inbound_message (
    uuid, workspace_id, connection_id, digest, is_settled, received_at, fingerprint, number_sealed,
    destination, content_sealed, coding, reference, part, part_count, wish)
VALUES (gen_random_uuid(), %s, %s, %s, false, %s, %s, %s, %s, %s, %s, %s, %s, %s, '')
ON CONFLICT (connection_id, digest) WHERE NOT is_settled DO UPDATE SET is_settled = false
RETURNING coalesce(head_id, id), xmax = 0
"""
# The newest message that lacks this part; the lock keeps two of its parts from both being first.
JOIN = """
UPDATE inbound_message m SET head_id = (
    SELECT h.id FROM inbound_message h
    WHERE h.connection_id = m.connection_id AND h.fingerprint = m.fingerprint
      AND h.destination = m.destination AND h.reference = m.reference
      AND h.part_count = m.part_count AND h.part <> m.part AND h.head_id IS NULL
      AND h.id < m.id AND h.received_at > %s
      AND NOT EXISTS (SELECT 1 FROM inbound_message p WHERE p.head_id = h.id AND p.part = m.part)
    ORDER BY h.id DESC LIMIT 1)
WHERE m.id = %s
RETURNING coalesce(head_id, id)
"""
SETTLE = """
UPDATE inbound_message SET is_settled = true
WHERE connection_id = %s AND digest = ANY(%s::bytea[]) AND NOT is_settled
"""


def receive(connection_id: int, messages: Sequence[InboundMessage]) -> None:
    """Store messages and do what they ask for, in one transaction.

    One that is stored already and not settled is not stored again: the same octets from the same
    connection, whose answer the peer may never have read. A STOP in it is obeyed all the same.
    Raises psycopg.Error.
    """
    with on_own_connection("a message is for whom its address belongs to"):
        key = keys()
        with transaction.atomic(durable=True):
            _begin(connection_id, messages, key)
            found = owners_of(connection_id, [one.destination for one in messages])
            words = word_table()
            for message in messages:
                _take(connection_id, message, found[message.destination.value], words)


def settle(connection_id: int, messages: Sequence[InboundMessage]) -> None:
    """Note that the peer has read the answers to these: the same octets are a new message from now
    on. Raises psycopg.Error.
    """
    with on_own_connection("answers have been read, whoever the messages are for"):
        _run(SETTLE, [connection_id, [digest_of(message, keys()) for message in messages]])


def digest_of(message: InboundMessage, key: Keys) -> bytes:
    """Return what tells a deliver_sm from others: keyed, since it holds a number and a text."""
    return key.sign(hashlib.sha256(message.raw).digest(), "inbound_message")[:DIGEST_BYTES]


def _begin(connection_id: int, messages: Sequence[InboundMessage], key: Keys) -> None:
    """Set the limits of the transaction, and let nobody else put parts of these together."""
    with connection.cursor() as cursor:
        cursor.execute(LIMITS)
        locks = {
            int.from_bytes(key.fingerprint(f"{connection_id}:{one.source.value}")[:4], signed=True)
            for one in messages
            if one.part_count > 1
        }
        for lock in sorted(locks):
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_CLASS, lock])


def _take(connection_id: int, message: InboundMessage, owners: Owners, words: WordTable) -> None:
    """Store one message and obey it; its first part says what the whole asks for."""
    number = read_number(message.source, settings.DEFAULT_COUNTRY)
    source = number or shown_address(message.source)
    row_id, is_new = _store(connection_id, message, source, owners.sole)
    head_id = _join(message, row_id) if is_new and message.part_count > 1 else row_id
    if message.part > 1:
        return
    who = Speaker(
        number=number,
        fingerprint=keys().fingerprint(source),
        connection_id=connection_id,
        destination=shown_address(message.destination),
        owners=owners,
        row_id=head_id,
        at=message.received_at,
    )
    wish = obey(who, decode(message.octets, message.coding), words, is_again=not is_new)
    if is_new and wish is not Wish.NONE:
        _run("UPDATE inbound_message SET wish = %s WHERE id = %s", [wish.value, head_id])


def _store(
    connection_id: int, message: InboundMessage, source: str, owner: int | None
) -> tuple[int, bool]:
    """Return the id of the message's row (of its first part's, where it is stored already), and
    whether it was inserted now.
    """
    key, place = keys(), owner or 0
    values = [
        owner,
        connection_id,
        digest_of(message, key),
        message.received_at,
        key.fingerprint(source),
        key.seal_number(source, place),
        shown_address(message.destination),
        key.seal(message.octets.decode("latin-1"), content_context(place)),
        message.coding.value,
        message.reference,
        message.part,
        message.part_count,
    ]
    with connection.cursor() as cursor:
        cursor.execute(INSERT, values)
        row_id, is_new = cursor.fetchone()
    return int(row_id), bool(is_new)


def _join(message: InboundMessage, row_id: int) -> int:
    """Point a part to the one of its message that came first; return that one's id."""
    since = message.received_at - timedelta(hours=PARTS_HOURS)
    with connection.cursor() as cursor:
        cursor.execute(JOIN, [since, row_id])
        return int(cursor.fetchone()[0])


def _run(statement: str, values: list[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)
