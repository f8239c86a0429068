"""Message Center: a campaign message center that a telecom operator runs on its own premises."""

import gc

# What a start loads stays. To look for garbage among it, again and again, is a third of the time
# that a process takes to start, and to go on after a kill; `apps.py` turns it on when all is there.
gc.disable()

from message_center.celery import app as celery_app  # noqa: E402

__all__ = ["celery_app"]
