"""What the worker does for the log."""

from audit.tasks import anchors, checks, exports, fallback

__all__ = ["anchors", "checks", "exports", "fallback"]
