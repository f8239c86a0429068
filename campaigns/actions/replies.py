"""What people do with subscribers' messages: opt the writer out, see a number, take a file."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from audit.rules.events import Obj
from campaigns.actions.opt_outs import BY_HAND, opt_out_obj
from campaigns.actions.revealing import REVEAL, NothingToReveal, must_be_allowed
from campaigns.queries.inbound import number_of
from campaigns.rules.stop_words import Wish
from workspaces.actions.noting import note
from workspaces.queries.keys import keys
from workspaces.queries.me import Me
from workspaces.rules.refusal import Refusal

EXPORT = "replies.export"
OPT_OUT = """
INSERT INTO opt_out (workspace_id, fingerprint, number_sealed, source, note, inbound_message_id,
    added_by_id, added_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (workspace_id, fingerprint) WHERE lifted_at IS NULL DO NOTHING
RETURNING id
"""


class WriterNotOptedOut(Refusal):
    """The writer of a message cannot be opted out."""


@dataclass(frozen=True)
class TakenReplies:
    """A file that may be written now: which messages, with which numbers."""

    wish: Wish
    is_in_full: bool


def reply_obj(reply_id: int) -> Obj:
    """Return a subscriber's message as the audit log names it."""
    return Obj("inbound_message", f"inb_{reply_id}")


def opt_out_writer(*, by: Me, reply_id: int, now: datetime) -> None:
    """Opt out who wrote a message, as a person read it from what he wrote.

    Raises WriterNotOptedOut.
    """
    number = number_of(by.here, reply_id)
    if number is None:
        raise WriterNotOptedOut(_("This message names no phone number any more."))
    key, words = keys(), _("Read from a reply")
    values: list[Any] = [
        by.here.pk,
        key.fingerprint(number),
        key.seal_number(number, by.here.pk),
        BY_HAND,
        words,
        reply_id,
        by.user.pk,
        now,
    ]
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(OPT_OUT, values)
        row = cursor.fetchone()
        if row is None:
            raise WriterNotOptedOut(_("This number is opted out already."))
        note(
            by,
            "optout.add",
            opt_out_obj(int(row[0])),
            now=now,
            personal={"number": f"+{number}"},
            why=words,
        )


def reveal_writer(*, by: Me, reply_id: int, why: str, now: datetime) -> str:
    """Return the number of who wrote a message, as +digits, and record who saw it and why.

    Raises ReasonMissing, NothingToReveal, NotAllowed.
    """
    must_be_allowed(by, REVEAL, reply_obj(reply_id), why, now)
    with transaction.atomic(durable=True):
        number = number_of(by.here, reply_id)
        if number is None:
            raise NothingToReveal(_("This message names no phone number any more."))
        note(
            by,
            REVEAL,
            reply_obj(reply_id),
            now=now,
            personal={"number": f"+{number}"},
            why=why.strip(),
        )
    return f"+{number}"


def take_replies(*, by: Me, wish: Wish, is_in_full: bool, why: str, now: datetime) -> TakenReplies:
    """Record that the caller takes a file of messages; with full numbers only for a reason.

    Raises ReasonMissing, NotAllowed.
    """
    place = Obj("workspace", f"wsp_{by.here.pk}")
    if is_in_full:
        must_be_allowed(by, EXPORT, place, why, now)
    with transaction.atomic(durable=True):
        note(
            by,
            EXPORT,
            place,
            now=now,
            diff={
                "messages": (None, wish.value or "all"),
                "numbers": (None, "in full" if is_in_full else "masked"),
            },
            why=why.strip(),
        )
    return TakenReplies(wish, is_in_full)
