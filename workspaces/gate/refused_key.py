"""A key that opens nothing any more, or never did, leaves an entry as a wrong password does."""

from datetime import datetime, timedelta

from django.http import HttpRequest

from audit.actions.record import record_denied
from audit.queries.refusals import was_refused_lately
from audit.rules.events import Actor, Obj
from workspaces.gate.address import address
from workspaces.gate.page import page
from workspaces.queries.access import (
    claimed_key,
    claims_key,
    installation_uuid,
    why_dead,
)
from workspaces.scope import scope_everywhere

# Whoever it is, he has shown nothing that names him.
PROGRAM = Actor(kind="api", id="unknown")
# A forgotten program that asks each second is told of once in this time, not each time: nobody has
# to be signed in for this, and the log keeps everything.
EVERY = timedelta(minutes=1)


def note_refused_key(request: HttpRequest, token: str, now: datetime) -> None:
    """Record that a key was refused: in its workspace's chain, or in the system's where no key has
    such a prefix. A call without anything like a key is no attempt.
    """
    if not claims_key(token):
        return
    with scope_everywhere("the gate records a key that was refused"):
        key = claimed_key(token)
        chain = key.workspace.uuid if key is not None else installation_uuid()
        obj = Obj("key", f"key_{key.pk}" if key is not None else "unknown")
        reason = "no key begins like this"
        if key is not None:
            reason = why_dead(key, token, now) or "its maker is no member any more"
        if was_refused_lately(chain, obj, reason, within=EVERY):
            return
    record_denied(
        "access.denied",
        workspace=chain,
        actor=PROGRAM,
        obj=obj,
        now=now,
        personal={"address": address(request)},
        why=f"{reason}: {request.method} {page(request)}",
        request_id=str(getattr(request, "request_id", "")),
    )
