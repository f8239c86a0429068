"""Rows of the audit log. Only this app imports them."""

from audit.models.anchors import Anchor, AnchorReceipt, LogKey
from audit.models.exports import Export
from audit.models.log import Disclosure, Entry, Epoch, EpochChange, Event, Head, Pending

__all__ = [
    "Anchor",
    "AnchorReceipt",
    "Disclosure",
    "Entry",
    "Epoch",
    "EpochChange",
    "Event",
    "Export",
    "Head",
    "LogKey",
    "Pending",
]
