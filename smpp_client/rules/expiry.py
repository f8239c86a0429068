"""When a certificate's coming end is told."""

from datetime import datetime, timedelta
from typing import Final

# Days before the end; 0 is the end itself.
ALARM_DAYS: Final = (30, 14, 7, 1, 0)


def alarm_due(ends_at: datetime, now: datetime) -> int | None:
    """Return the last of ALARM_DAYS that has come, None more than 30 days before the end."""
    due = [days for days in ALARM_DAYS if ends_at - now <= timedelta(days=days)]
    return min(due, default=None)
