"""An object of the log at a glance: its name, and from when to when entries are about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Max, Min

from audit.models import Event
from audit.queries.names import names
from audit.queries.subjects import subjects
from audit.rules.shown import visible


@dataclass(frozen=True)
class About:
    """A campaign, a sender name with its revisions, or any object that entries are about.

    `first_at` and `last_at` are its first and last entry's, None while there is none.
    """

    id: str
    title: str
    entry_count: int
    first_at: datetime | None
    last_at: datetime | None


def about(workspace: UUID, object_id: str) -> About | None:
    """Return what a workspace's log knows of an object; None where it knows nothing of it.

    Runs in the workspace's scope, so that only its own objects have names.
    """
    known = next((one for one in subjects([object_id]) if object_id in one.ids), None)
    ids: Sequence[str] = known.ids if known else (object_id,)
    entries = Event.objects.filter(ws=workspace, obj_id__in=ids)
    found = entries.aggregate(count=Count("pk"), first=Min("created"), last=Max("created"))
    if known is None and not found["count"]:
        return None
    title = known.title if known else _title(workspace, object_id)
    return About(object_id, visible(title), found["count"], found["first"], found["last"])


def _title(workspace: UUID, object_id: str) -> str:
    entries = Event.objects.filter(ws=workspace, obj_id=object_id)
    kind = entries.values_list("obj_type", flat=True).order_by("-pk")[:1].get()
    return names(kind, [object_id]).get(object_id) or f"{kind} {object_id}"
