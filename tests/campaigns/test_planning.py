"""What a plan may count on."""

import pytest

from campaigns.queries.planning import routes_of
from smpp_client.models import RouteConnection
from tests import make
from workspaces.scope import scope_everywhere

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("enabled", "rate"), [(True, 300), (False, 50)], ids=["primaries", "its backup alone"]
)
def test_a_route_carries_what_its_first_connections_carry_together(
    enabled: bool, rate: int
) -> None:
    with scope_everywhere("the test looks at everything"):
        place = make.workspace()
        primaries = [make.connection(rate=rate, is_enabled=enabled) for rate in (100, 200)]
        route = make.route(place, *primaries)
        backup, ranges = make.connection(rate=50), make.connection(rate=70)
        RouteConnection.objects.create(route=route, connection=backup, tier=1)
        RouteConnection.objects.create(route=route, connection=ranges, weight=0)
        assert [one.rate for one in routes_of(place)] == [rate]
