"""Remove entries whose term is over: their leaves stay, so the chain still verifies."""

from datetime import datetime
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.utils import IntegrityError

from audit.actions.append import append_event
from audit.rules.events import Actor, Happening, Obj
from audit.rules.reasons import SHORTEST_REASON

NOTHING = "There is nothing to remove before that time."


class PruneRefused(ValueError):
    """Nothing was removed; the sentence says why."""


def prune(*, workspace: UUID, before: datetime, actor: Actor, why: str, now: datetime) -> int:
    """Remove what the chain's entries before a time said, and record up to which; return how many.

    Needs the owner's role. Entries younger than a year, or beyond the last signed checkpoint, are
    not removed by the database; those that sealed messages stay for TERM_DAYS. Raises PruneRefused.
    """
    why = " ".join(why.split())
    if len(why) < SHORTEST_REASON:
        raise PruneRefused("Say which term is over, in at least 10 characters.")
    try:
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            last = _last_before(workspace, before)
            happening = Happening(
                op="retention.prune",
                eid=uuid4(),
                workspace=workspace,
                actor=actor,
                obj=Obj("audit", str(workspace)),
                at=now,
                diff={"last": (None, last), "before": (None, before)},
                why=why,
            )
            append_event(cursor, happening)
            cursor.execute("SELECT audit_prune(%s, %s)", [workspace, happening.eid])
            (count,) = cursor.fetchone()
            if not count:
                raise PruneRefused(NOTHING)
    except IntegrityError as refused:
        raise PruneRefused(
            "Only entries under a signed checkpoint and older than a year can be removed."
        ) from refused
    return int(count)


def _last_before(workspace: UUID, before: datetime) -> int:
    """Return the number of the last entry before a time. Raises PruneRefused."""
    query = "SELECT max(seq) FROM audit_entry WHERE ws = %s AND at < %s"
    with connection.cursor() as cursor:
        cursor.execute(query, [workspace, before])
        (last,) = cursor.fetchone()
    if last is None:
        raise PruneRefused(NOTHING)
    return int(last)
