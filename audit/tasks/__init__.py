"""What the worker does for the log."""

from audit.tasks import anchors, checks, fallback

__all__ = ["anchors", "checks", "fallback"]
