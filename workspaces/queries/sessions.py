"""The browsers in which somebody is signed in."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from workspaces.models import Session
from workspaces.queries.me import Me
from workspaces.rules.browsers import browser_name


@dataclass(frozen=True)
class Browser:
    """A live session. `is_here` marks the one that asks."""

    public_id: str
    name: str
    address: str
    started_at: datetime
    seen_at: datetime
    is_here: bool


def browsers(me: Me, now: datetime) -> list[Browser]:
    """Return the caller's live sessions, this one first, then the last seen."""
    rows = Session.objects.filter(
        user=me.user,
        seen_at__gt=now - timedelta(seconds=settings.SESSION_IDLE_SECONDS),
        started_at__gt=now - timedelta(seconds=settings.SESSION_ABSOLUTE_SECONDS),
    )
    found = [
        Browser(
            public_id=row.public_id,
            name=browser_name(row.browser),
            address=row.address,
            started_at=row.started_at,
            seen_at=row.seen_at,
            is_here=row.public_id == me.session_id,
        )
        for row in rows.order_by("-seen_at", "id")
    ]
    return sorted(found, key=lambda browser: not browser.is_here)
