"""How fast, as plain arithmetic: every function takes the time, nothing here reads a clock.

`windows` says when sending is allowed, `plans` how much of a campaign is due, `buckets` what a
connection may carry, `throttles` what the SMSC's complaints make of it, `standstills` what its
refusing everything does, `fairness` who gets it, `sharing` which connection of a route takes it.
Rates are segments per second throughout.
"""

from smpp_client.rules.pace.buckets import Bucket
from smpp_client.rules.pace.fairness import Demand, Fairness, Priority, shares
from smpp_client.rules.pace.plans import (
    Anchor,
    Due,
    Plan,
    at_once,
    curve,
    due,
    end_for_rate,
    forecast,
    rate_for_end,
    spread,
    start_for_rate,
    steady,
)
from smpp_client.rules.pace.sharing import (
    PATIENCE,
    URGENT_PATIENCE,
    Member,
    Ration,
    Share,
    share_of,
)
from smpp_client.rules.pace.standstills import FLOWING, Standstill
from smpp_client.rules.pace.throttles import Throttle
from smpp_client.rules.pace.windows import Daily, OpenTime, PlanRefused, open_time

__all__ = [
    "FLOWING",
    "PATIENCE",
    "URGENT_PATIENCE",
    "Anchor",
    "Bucket",
    "Daily",
    "Demand",
    "Due",
    "Fairness",
    "Member",
    "OpenTime",
    "Plan",
    "PlanRefused",
    "Priority",
    "Ration",
    "Share",
    "Standstill",
    "Throttle",
    "at_once",
    "curve",
    "due",
    "end_for_rate",
    "forecast",
    "open_time",
    "rate_for_end",
    "share_of",
    "shares",
    "spread",
    "start_for_rate",
    "steady",
]
