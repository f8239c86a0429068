"""What the worker does for the log."""

from audit.tasks import anchors

__all__ = ["anchors"]
