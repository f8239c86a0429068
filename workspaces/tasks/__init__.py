"""What the worker does for accounts."""

from workspaces.tasks import links, sweeps

__all__ = ["links", "sweeps"]
