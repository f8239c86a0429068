"""What was tried while the database is away: recorded by the fallback file, or refused aloud."""

import re

from django.http import HttpRequest
from django.utils import timezone

from audit.actions.record import record_outage
from audit.rules.events import Actor, Obj
from workspaces.gate.address import address
from workspaces.gate.page import page
from workspaces.gate.refused_key import PROGRAM
from workspaces.queries.me import Me

READING = {"GET", "HEAD", "OPTIONS"}
NOBODY = Actor(kind="system", id="gate")
SIGN_IN = "workspaces:sign_in"
AWAY = "the database did not answer"
# What stands before the secret: enough to find the key in the list of keys afterwards.
KEY = re.compile(r"(?i:bearer)\s+mc_([0-9a-f]{1,16})\.")


def note_outage(request: HttpRequest) -> None:
    """Record a form that was sent, or a call that a program made, and that could not be decided.
    Reading is no act, and a call without anything like a key would be sent away unrecorded at any
    time: neither is recorded. Raises NotRecorded.

    Sessions and keys lie in the database: who it was is known only where the gate had found out
    before. Of a key its claimed prefix is told.
    """
    key = KEY.match(request.headers.get("Authorization", ""))
    is_call = request.path.startswith("/api/")
    if request.method in READING or (is_call and key is None):
        return
    match = request.resolver_match
    if match is not None and match.view_name == SIGN_IN:
        _note_sign_in(request)
        return
    me: Me | None = getattr(request, "me", None)
    here = me.workspace if me is not None else None
    record_outage(
        "access.failed",
        workspace=here.uuid if here is not None else None,
        actor=me.actor if me is not None else PROGRAM if is_call else NOBODY,
        obj=Obj("page", page(request)),
        now=timezone.now(),
        personal={"address": address(request)},
        why=f"{request.method}{_with(key)}: {AWAY}",
        request_id=str(getattr(request, "request_id", "")),
    )


def _with(key: re.Match[str] | None) -> str:
    return f" with a key that begins with mc_{key[1]}" if key else ""


def _note_sign_in(request: HttpRequest) -> None:
    """Record a sign-in that nobody could check. What was typed may be anything: it is erasable."""
    typed = request.POST.get("email", "").strip().lower()[:254]
    record_outage(
        "user.sign_in_failed",
        actor=Actor(kind="system", id="sign_in"),
        obj=Obj("user", "unknown"),
        now=timezone.now(),
        personal={"account": typed, "address": address(request)},
        why=AWAY,
        request_id=str(getattr(request, "request_id", "")),
    )
