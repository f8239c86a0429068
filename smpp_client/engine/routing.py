"""What a claim has to know of its routes: who is in them and up, and whose numbers are whose."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

from smpp_client.engine.link import Link
from smpp_client.models import FIRST_RECEIVER_SLOT
from smpp_client.rules.pace import Member, Share, share_of

LOOK_SECONDS = 0.25
# An owner writes what it observes about once a second; one that was killed does not any more. Who
# stands still is not counted on by the others, and goes on to try single segments itself.
MEMBERS = """
SELECT rc.route_id, rc.connection_id, rc.weight, rc.tier,
    k.is_enabled AND EXISTS (
        SELECT 1 FROM lease l JOIN session_status s ON s.lease_id = l.id
        WHERE l.connection_id = rc.connection_id AND l.slot < %s
          AND s.state = 'bound' AND NOT s.stands_still
          AND l.expires_at > clock_timestamp()
          AND s.observed_at > clock_timestamp() - interval '2.5 seconds')
FROM route_connection rc JOIN connection k ON k.id = rc.connection_id
ORDER BY rc.route_id
"""
RANGES = "SELECT route_id, prefix, connection_id FROM route_range ORDER BY route_id"


@dataclass(frozen=True)
class Way:
    """A route as one of its connections sees it; `ranges` maps prefixes to connections."""

    route: int
    connection: int
    share: Share
    ranges: Mapping[str, int] = field(default_factory=dict)


class Routing:
    """The routes as they were a moment ago. Used by one thread."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._looked_at = float("-inf")
        self._members: dict[int, list[Member]] = {}
        self._ranges: dict[int, dict[str, int]] = {}

    def ways(self, connection: int, now: float) -> list[Way]:
        """Return the routes that a connection is part of. `now` is in seconds of any clock.

        Raises psycopg.Error.
        """
        if abs(now - self._looked_at) >= LOOK_SECONDS:
            self._look()
            self._looked_at = now
        return list(self._ways(connection))

    def _ways(self, connection: int) -> Iterator[Way]:
        for route, members in self._members.items():
            if any(member.connection == connection for member in members):
                share = share_of(connection, members)
                yield Way(route, connection, share, self._ranges.get(route, {}))

    def _look(self) -> None:
        rows = self._link.rows(MEMBERS, [FIRST_RECEIVER_SLOT])
        self._members = {
            route: [Member(*fields) for _route, *fields in group]
            for route, group in groupby(rows, itemgetter(0))
        }
        ranges: dict[int, dict[str, int]] = {}
        for route, prefix, connection in self._link.rows(RANGES):
            ranges.setdefault(route, {})[prefix] = connection
        self._ranges = ranges
