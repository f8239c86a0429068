"""Who changes connections and routes, and the entry about it in the system's chain."""

from dataclasses import dataclass
from datetime import datetime

from audit.rules.events import Actor, Diff, Obj
from smpp_client.models import Connection, Route
from workspaces.actions.noting import note_platform
from workspaces.models import User
from workspaces.queries.me import Me


@dataclass(frozen=True)
class Caller:
    """A person of the platform team, or the command line (without `user`)."""

    actor: Actor
    user: User | None = None
    request_id: str = ""

    @property
    def name(self) -> str:
        """The caller as a connection's events name him."""
        return self.user.name if self.user else "the command line"


COMMAND_LINE = Caller(Actor(kind="system", id="cli"))


def caller(me: Me) -> Caller:
    """Return the person behind a request as a caller."""
    return Caller(me.actor, me.user, me.request_id)


def note(
    by: Caller, op: str, obj: Obj, *, now: datetime, diff: Diff | None = None, why: str = ""
) -> None:
    """Record in the system's chain; belongs inside the verb's transaction."""
    note_platform(by, op, obj, now=now, diff=diff, why=why)


def connection_obj(connection: Connection) -> Obj:
    """Return a connection as the audit log names it."""
    return Obj("connection", f"con_{connection.pk}")


def route_obj(route: Route) -> Obj:
    """Return a route as the audit log names it."""
    return Obj("route", f"rte_{route.pk}")
