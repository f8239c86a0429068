"""Asks for the password again before acts that a session left open must not do.

A view class with `asks_password = True` is reached by a form only within five minutes of sign-in or
of the last proof. Otherwise the answer is a page that asks for the password and carries what was
typed, so that nothing is lost.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from workspaces.actions.passwords import prove_password
from workspaces.gate.address import address
from workspaces.gate.caller import STARTED
from workspaces.gate.permission import view_class
from workspaces.queries.me import Me
from workspaces.rules.refusal import Refusal

PROVED = "proved_at"
FRESH = timedelta(minutes=5)
FIELD = "proof_password"
OURS = {FIELD, "csrfmiddlewaretoken"}


def ask_password(
    request: HttpRequest, view: Callable[..., Any], now: datetime
) -> HttpResponse | None:
    """Return None to go on to the view, or the page that asks."""
    me = getattr(request, "me", None)
    asks = getattr(view_class(view), "asks_password", False)
    if me is None or not asks or request.method != "POST" or _is_fresh(request, now):
        return None
    refused = ""
    if FIELD in request.POST:
        refused = _prove(request, me, now)
        if not refused:
            return None
    typed = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in OURS
        for value in values
    ]
    return render(request, "workspaces/prove.html", {"typed": typed, "refused": refused})


def _is_fresh(request: HttpRequest, now: datetime) -> bool:
    proved = request.session.get(PROVED) or request.session[STARTED]
    return now - datetime.fromisoformat(proved) <= FRESH


def _prove(request: HttpRequest, me: Me, now: datetime) -> str:
    """Check the password; return the sentence of the refusal, or nothing."""
    try:
        prove_password(by=me, password=request.POST[FIELD], address=address(request), now=now)
    except Refusal as refusal:
        return refusal.sentence
    request.session[PROVED] = now.isoformat()
    return ""
