"""The wire's rows: connections, routes, leases and what was observed of them."""

from smpp_client.models.connections import (
    Alphabet,
    Connection,
    ConnectionEvent,
    Lease,
    MessageIdRule,
    Route,
    RouteConnection,
    RouteGrant,
    SessionState,
    SessionStatus,
)

__all__ = [
    "Alphabet",
    "Connection",
    "ConnectionEvent",
    "Lease",
    "MessageIdRule",
    "Route",
    "RouteConnection",
    "RouteGrant",
    "SessionState",
    "SessionStatus",
]
