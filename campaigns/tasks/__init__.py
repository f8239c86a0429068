"""What the worker does.

A row's state is the work order: a task is a nudge, a sweep guarantees it.
"""

from campaigns.tasks import builds, evidence, inbound, lists, records, routes, sweeps

__all__ = ["builds", "evidence", "inbound", "lists", "records", "routes", "sweeps"]
