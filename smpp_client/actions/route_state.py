"""Whether a route can send at all, written down for those who hold and release campaigns."""

from datetime import datetime, timedelta

from django.db import connection

from smpp_client.models import FIRST_RECEIVER_SLOT

# An owner writes what it observes about once a second. One that stands still counts: of a campaign
# that is held no segment would be tried.
FRESH = timedelta(seconds=3)
OBSERVE = """
UPDATE route SET down_since_at = CASE WHEN seen.is_up THEN NULL ELSE %(now)s END
FROM (
    SELECT r.id, EXISTS (
        SELECT 1 FROM route_connection rc
        JOIN connection k ON k.id = rc.connection_id AND k.is_enabled
        JOIN lease l ON l.connection_id = rc.connection_id AND l.slot < %(receivers)s
        JOIN session_status s ON s.lease_id = l.id
        WHERE rc.route_id = r.id AND s.state = 'bound' AND s.observed_at > %(since)s
          AND (rc.weight > 0 OR EXISTS (
              SELECT 1 FROM route_range g
              WHERE g.route_id = r.id AND g.connection_id = rc.connection_id))) AS is_up
    FROM route r) seen
WHERE seen.id = route.id AND (route.down_since_at IS NULL) <> seen.is_up
"""


def observe_routes(now: datetime) -> int:
    """Note which routes have a connection that is up; return how many changed.

    `now` is the database's time, as that of the observations is. `down_since_at` is the first look
    that found none. Several may look at once.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            OBSERVE, {"now": now, "since": now - FRESH, "receivers": FIRST_RECEIVER_SLOT}
        )
        return int(cursor.rowcount)
