"""Message Center: a campaign message center that a telecom operator runs on its own premises."""

from message_center.celery import app as celery_app

__all__ = ["celery_app"]
