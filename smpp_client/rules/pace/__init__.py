"""How fast, as plain arithmetic: every function takes the time, nothing here reads a clock.

`windows` says when sending is allowed, `plans` how much of a campaign is due, `buckets` what a
connection may carry, `throttles` what the SMSC's complaints make of it, `fairness` who gets it.
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
from smpp_client.rules.pace.throttles import Throttle
from smpp_client.rules.pace.windows import Daily, OpenTime, PlanRefused, open_time

__all__ = [
    "Anchor",
    "Bucket",
    "Daily",
    "Demand",
    "Due",
    "Fairness",
    "OpenTime",
    "Plan",
    "PlanRefused",
    "Priority",
    "Throttle",
    "at_once",
    "curve",
    "due",
    "end_for_rate",
    "forecast",
    "open_time",
    "rate_for_end",
    "shares",
    "spread",
    "start_for_rate",
    "steady",
]
