"""Names behind the audit log's ids of connections and routes."""

from collections.abc import Iterable

from audit.queries.names import register
from smpp_client.models import Connection, Route
from workspaces.queries.names import resolver


def register_names() -> None:
    """Lend our names to the audit log; called once, when the app is ready."""
    register("connection", resolver("con", _connections))
    register("route", resolver("rte", _routes))


def _connections(ids: list[int]) -> Iterable[tuple[int, str]]:
    return Connection.objects.filter(pk__in=ids).values_list("pk", "name")


def _routes(ids: list[int]) -> Iterable[tuple[int, str]]:
    return Route.objects.filter(pk__in=ids).values_list("pk", "name")
