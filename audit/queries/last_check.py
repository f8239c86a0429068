"""When the whole log was checked last, and whether that is too long ago."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from audit.models import Event
from audit.queries.system import every_chain, system_head
from audit.rules.clock import is_late
from audit.rules.events import Actor

CHECKER: Final = Actor("system", "audit_check")
# A check comes every night; one over a very long log takes some hours.
LATE = timedelta(hours=30)


@dataclass(frozen=True)
class LastCheck:
    """When the last check was recorded, None before the first one; `due_since` is since when the
    next one has been missing, None while all is well.
    """

    at: datetime | None
    is_broken: bool
    due_since: datetime | None


def last_check(now: datetime) -> LastCheck:
    """Return the last check of the whole log, by the database's clock.

    Before the first one the age of the log counts.
    """
    with every_chain():
        system = system_head()
        if system is None:
            return LastCheck(None, is_broken=False, due_since=None)
        checks = Event.objects.filter(ws=system.ws, op="audit.verify", actor_id=CHECKER.id)
        newest = checks.order_by("-id").first()
    since = newest.created if newest else system.created
    return LastCheck(
        newest.created if newest else None,
        is_broken=newest is not None and newest.result != "ok",
        due_since=since if is_late(since, patience=LATE, now=now) else None,
    )
