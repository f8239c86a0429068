"""The wire's rows: connections, routes, leases and what was observed of them."""

from smpp_client.models.changes import ChangeState, ConnectionChange
from smpp_client.models.connections import (
    FIRST_RECEIVER_SLOT,
    Alphabet,
    BindForm,
    CertificateAlarm,
    Connection,
    ConnectionEvent,
    Lease,
    LongForm,
    MessageIdRule,
    Route,
    RouteConnection,
    RouteGrant,
    SessionState,
    SessionStatus,
    TlsVersion,
)
from smpp_client.models.reports import ConnectionReport, ReportState
from smpp_client.models.routes import RouteRange, RouteShift, ShiftState

__all__ = [
    "FIRST_RECEIVER_SLOT",
    "Alphabet",
    "BindForm",
    "CertificateAlarm",
    "ChangeState",
    "Connection",
    "ConnectionChange",
    "ConnectionEvent",
    "ConnectionReport",
    "Lease",
    "LongForm",
    "MessageIdRule",
    "ReportState",
    "Route",
    "RouteConnection",
    "RouteGrant",
    "RouteRange",
    "RouteShift",
    "SessionState",
    "SessionStatus",
    "ShiftState",
    "TlsVersion",
]
