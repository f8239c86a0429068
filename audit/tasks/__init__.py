"""What the worker does for the log."""

from audit.tasks import anchors, fallback

__all__ = ["anchors", "fallback"]
