"""The request as views see it."""

from django.http import HttpRequest

from workspaces.queries.me import Me


class GateRequest(HttpRequest):
    """A request that has passed the gate: `me` is the caller (never None unless the view is
    public).
    """

    me: Me
    request_id: str
