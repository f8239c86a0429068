"""What people do with subscribers' messages: look after one, opt the writer out, see a number, take
a file.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from audit.rules.events import Obj
from campaigns.actions.opt_outs import BY_HAND, opt_out_obj
from campaigns.actions.revealing import REVEAL, NothingToReveal, must_be_allowed
from campaigns.models import InboundMessage
from campaigns.queries.inbound import number_of
from campaigns.rules.stop_words import Wish
from workspaces.actions.noting import note
from workspaces.models import User
from workspaces.queries.access import role_in
from workspaces.queries.accounts import may_be_used
from workspaces.queries.keys import keys
from workspaces.queries.me import Me
from workspaces.queries.platform import user_by_email
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


class ReplyNotAssigned(Refusal):
    """A message cannot be given to this person."""


class NoSuchReply(Refusal):
    """The workspace has no such message."""

    code = "not_found"


class AssignedMeanwhile(ReplyNotAssigned):
    """Somebody else was given the message since the page was shown."""

    code = "stale"


@dataclass(frozen=True)
class TakenReplies:
    """A file that may be written now: which messages, with which numbers."""

    wish: Wish
    is_in_full: bool


def reply_obj(reply_id: int) -> Obj:
    """Return a subscriber's message as the audit log names it."""
    return Obj("inbound_message", f"inb_{reply_id}")


def assign_reply(
    *, by: Me, reply_id: int, holder: User | None, seen: int | None, now: datetime
) -> None:
    """Give a message to a person of the workspace to look after, or to nobody. `seen` is the id of
    the account that had it on the page, None where nobody had.

    Raises ReplyNotAssigned, AssignedMeanwhile.
    """
    if holder is not None and not _may_hold(by, holder):
        raise _not_ours()
    _assign(by, reply_id, holder, seen, now)


def assign_by_email(
    *, by: Me, uuid: UUID, email: str | None, instead_of: str | None, now: datetime
) -> None:
    """The same for a program, which names people by their e-mail addresses; None is nobody.

    `instead_of` is who has the message as the caller knows it. Where it is with `email` already,
    nothing changes and nothing is recorded: the call may be repeated. Raises NoSuchReply,
    ReplyNotAssigned, AssignedMeanwhile.
    """
    found = InboundMessage.objects.filter(workspace=by.here, uuid=uuid, head=None)
    row = found.select_related("holder").first()
    if row is None:
        raise NoSuchReply(_("There is no such message."))
    holder = None if email is None else user_by_email(email)
    if email is not None and (holder is None or not _may_hold(by, holder)):
        raise _not_ours(field="email", code="invalid")
    if row.holder == holder:
        return
    before = "" if row.holder is None else row.holder.email
    if before.lower() != (instead_of or "").lower():
        raise _meanwhile()
    _assign(by, row.pk, holder, row.holder_id, now)


def _not_ours(field: str = "", code: str = "") -> ReplyNotAssigned:
    sentence = _("Only a person of this workspace can look after a reply.")
    return ReplyNotAssigned(sentence, field=field, code=code)


def _meanwhile() -> AssignedMeanwhile:
    return AssignedMeanwhile(_("Somebody else was given it meanwhile. Look at it again."))


def _may_hold(by: Me, person: User) -> bool:
    return may_be_used(person) and role_in(by.here, person) is not None


def _assign(by: Me, reply_id: int, holder: User | None, seen: int | None, now: datetime) -> None:
    with transaction.atomic(durable=True):
        changed = InboundMessage.objects.filter(
            workspace=by.here, pk=reply_id, head=None, holder_id=seen
        ).update(holder=holder)
        if not changed:
            raise _meanwhile()
        after = None if holder is None else holder.pk
        note(
            by,
            "reply.assign",
            reply_obj(reply_id),
            now=now,
            diff={"holder": (_account(seen), _account(after))},
        )


def _account(user_id: int | None) -> str | None:
    return None if user_id is None else f"usr_{user_id}"


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
