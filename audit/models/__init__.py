"""Rows of the audit log. Only this app imports them."""

from audit.models.log import Disclosure, Entry, Epoch, EpochChange, Event, Head, Pending

__all__ = ["Disclosure", "Entry", "Epoch", "EpochChange", "Event", "Head", "Pending"]
