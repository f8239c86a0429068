"""What a subscriber's STOP or START does; part of the transaction that stores his message."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

from audit.actions.record import record
from audit.rules.events import Actor
from campaigns.actions.opt_outs import BY_SMS, opt_out_obj
from campaigns.models import OptOut
from campaigns.queries.inbound_owners import Owners, senders_to
from campaigns.queries.stop_words import WordTable
from campaigns.rules.numbers import Number
from campaigns.rules.stop_words import Asked, Wish
from workspaces.models import Workspace
from workspaces.queries.keys import keys

SENDER: Final = Actor(kind="system", id="sender")
OPT_OUT = """
INSERT INTO opt_out
    (workspace_id, fingerprint, number_sealed, source, note, inbound_message_id, added_at)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (workspace_id, fingerprint) WHERE lifted_at IS NULL DO NOTHING
RETURNING id
"""


@dataclass(frozen=True)
class Speaker:
    """Who wrote, when, over which connection and to which address; `row_id` is his message's."""

    number: Number | None
    fingerprint: bytes
    connection_id: int
    destination: str
    owners: Owners
    row_id: int
    at: datetime


def obey(who: Speaker, text: str, words: WordTable, *, is_again: bool = False) -> Wish:
    """Opt a number out, or lift that, where a text asks for it; return what it asks for.

    An address that is one workspace's own speaks to that one. Any other speaks to everybody who has
    it as a sender name, and to everybody who lately sent to this number over this connection: a
    STOP must not be lost because two teams share a short code.

    With `is_again` the message may be one that was obeyed before, or a new one with the same words:
    a STOP is then obeyed, since the number may have been let in between, and a START is not.
    """
    if not words.asked_anywhere(text):
        return Wish.NONE
    wishes = _wishes(who, text, words)
    for workspace in Workspace.objects.filter(pk__in=wishes).order_by("pk"):
        said = wishes[workspace.pk]
        if who.number is not None and said.wish is Wish.STOP:
            _opt_out(who, who.number, workspace, said)
        elif who.number is not None and not is_again:
            _lift(who, workspace, said)
    said_first = next(iter(wishes.values()), words.asked(text, None))
    return said_first.wish


def _wishes(who: Speaker, text: str, words: WordTable) -> dict[int, Asked]:
    """Return what the message asks of which workspaces, by their ids."""
    sole = who.owners.sole
    places = {sole} if sole else who.owners.all | _senders(who)
    said = {place: words.asked(text, place) for place in sorted(places)}
    return {place: one for place, one in said.items() if one.wish}


def _senders(who: Speaker) -> frozenset[int]:
    return senders_to(who.fingerprint, who.connection_id, who.at)


def _opt_out(who: Speaker, number: Number, workspace: Workspace, said: Asked) -> None:
    """Opt the number out and record it; who is opted out already stays so."""
    sealed = keys().seal_number(number, workspace.pk)
    words = _said(who, said)
    values: list[Any] = [workspace.pk, who.fingerprint, sealed, BY_SMS, words, who.row_id, who.at]
    with connection.cursor() as cursor:
        cursor.execute(OPT_OUT, values)
        row = cursor.fetchone()
    if row:
        _note("optout.add", who, workspace, int(row[0]), words)


def _lift(who: Speaker, workspace: Workspace, said: Asked) -> None:
    """Lift what a STOP by SMS made: for an address that is not the workspace's own, one that was
    sent to the same address.
    """
    rows = OptOut.objects.filter(
        workspace=workspace, fingerprint=who.fingerprint, lifted_at=None, source=BY_SMS
    )
    if who.owners.sole is None:
        rows = rows.filter(
            inbound_message__destination=who.destination,
            inbound_message__connection_id=who.connection_id,
        )
    found = rows.first()
    if found is not None:
        OptOut.objects.filter(pk=found.pk).update(lifted_at=who.at)
        _note("optout.lift", who, workspace, found.pk, _said(who, said))


def _said(who: Speaker, said: Asked) -> str:
    """Name the word, which is one of ours, and never the text, which is the subscriber's."""
    return f"“{said.word.upper()}” to {who.destination}"


def _note(op: str, who: Speaker, workspace: Workspace, opt_out_id: int, words: str) -> None:
    record(
        op,
        workspace=workspace.uuid,
        actor=SENDER,
        obj=opt_out_obj(opt_out_id),
        now=who.at,
        personal={"number": f"+{who.number}"},
        why=f"SMS {words}",
    )
