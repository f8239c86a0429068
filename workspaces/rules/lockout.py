"""When too many failed sign-ins lock an account or an address, and until when."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

# An IPv6 customer has a whole /64, so single addresses of it would never meet the limit.
IPV6_PREFIX = 64
NOWHERE = "::"


def locked_until(
    newest: Sequence[datetime], *, limit: int, lock: timedelta, now: datetime
) -> datetime | None:
    """Return when the lock ends, or None when there is none.

    `newest` are the times of the last failures, newest first, at least `limit` of them if there are
    so many. The lock begins with the failure that makes them `limit` within `lock`, and while it
    lasts nothing is counted: nobody can prolong it.
    """
    if len(newest) < limit:
        return None
    last, first = newest[0], newest[limit - 1]
    ends = last + lock
    return ends if last - first < lock and now < ends else None


def network_of(address: str) -> str:
    """Return the address as failures are counted by: IPv4 itself, IPv6 its /64, `::` if neither."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return NOWHERE
    if parsed.version == 4:
        return str(parsed)
    mapped = parsed.ipv4_mapped
    if mapped is not None:
        return str(mapped)
    return str(ip_network((parsed, IPV6_PREFIX), strict=False).network_address)
