"""Whether a refusal was written down a moment ago."""

from datetime import timedelta
from uuid import UUID

from django.db.models.functions import Now

from audit.models import Event
from audit.rules.canonical import decode_event
from audit.rules.events import Obj


def was_refused_lately(chain: UUID, obj: Obj, reason: str, *, within: timedelta) -> bool:
    """Say whether the last entry about a refused object is of this reason and not older.

    `reason` is what `why` begins with. Runs in the chain's scope; both times are the database's.
    """
    last = (
        Event.objects.filter(ws=chain, obj_type=obj.type, obj_id=obj.id, op="access.denied")
        .filter(created__gt=Now() - within)
        .order_by("-id")
        .first()
    )
    return last is not None and decode_event(last.body.encode()).get("why", "").startswith(reason)
