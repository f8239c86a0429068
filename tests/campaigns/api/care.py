"""The subscriber-care workspace with a trigger campaign, and a caller with a key of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPConnection
from itertools import count
from typing import Any

from django.test import Client
from django.utils import timezone

from campaigns.models import Campaign, Mode
from tests import make
from tests.processes import Handle
from workspaces.actions.keys import NewKey, create_key
from workspaces.models import Workspace
from workspaces.queries.me import Me
from workspaces.rules.permissions import SCOPES, Role
from workspaces.scope import scope, scope_everywhere

MESSAGES = "/api/v1/messages"
CAMPAIGNS = "/api/v1/campaigns"
SENDERS = "/api/v1/senders"
INBOUND = "/api/v1/inbound"
ME = "/api/v1/me"
DOCUMENT = "/api/v1/openapi.json"
TEXT = "Your balance is {{amount}} on {{day}}."
SLOTS = [
    {"name": "amount", "type": "amount", "max_length": 16},
    {"name": "day", "type": "date", "max_length": 20},
]
VALUES = {"amount": "12.50 EUR", "day": "21 Nov"}
_calls = count(1)


@dataclass
class Care:
    """A workspace, its admin, one trigger campaign and one key."""

    admin: Me
    campaign: Campaign
    key: NewKey
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    @property
    def place(self) -> Workspace:
        return self.admin.here

    def headers(self, token: str | None = None, **more: str) -> dict[str, str]:
        """Return the headers of a call with the key, or with another token."""
        return {"Authorization": f"Bearer {token or self.key.token}", **more}

    def get(self, path: str, token: str | None = None, **more: str) -> Any:
        """Call with the key, or with another token."""
        return self.client.get(path, headers=self.headers(token, **more))

    def body(self, **changes: Any) -> dict[str, Any]:
        """Return a good body with some members changed; None takes one out."""
        whole = {"campaign": str(self.campaign), "to": "+447700900123", "values": VALUES}
        return {k: v for k, v in (whole | changes).items() if v is not None}

    def push(
        self, body: Any = None, *, key: str | None = None, token: str | None = None, **changes: Any
    ) -> Any:
        """Push a good message with some members changed, or this body; each under a new key."""
        return self.push_raw(
            json.dumps(self.body(**changes) if body is None else body),
            {"Idempotency-Key": f"call-{next(_calls)}" if key is None else key},
            token=token,
        )

    def push_raw(
        self,
        body: str | bytes,
        headers: Mapping[str, str],
        *,
        token: str | None = None,
        content_type: str = "application/json",
    ) -> Any:
        """Post these bytes with these headers."""
        return self.client.post(
            MESSAGES, body, content_type=content_type, headers=self.headers(token, **headers)
        )


def make_care(slug: str = "", **fields: Any) -> Care:
    """Make a workspace with a sending trigger campaign and a key for everything."""
    with scope_everywhere("the test makes its ground"):
        admin = make.person_in(make.workspace(slug), Role.ADMIN)
        through = make.route(admin.here, make.connection())
        campaign = trigger(admin, through, **fields)
    return Care(admin, campaign, key_of(admin))


def trigger(author: Me, through: Any, **fields: Any) -> Campaign:
    """Make a trigger campaign that is sending."""
    now = timezone.now()
    plan = {"ends_at": now + timedelta(days=30), "daily_cap": 1000}
    return make.sending(
        author, through, **{"mode": Mode.TRIGGER, "text": TEXT, "slots": SLOTS, **plan, **fields}
    )


def key_of(by: Me, *scopes: str, days: int = 30) -> NewKey:
    """Make a key with these scopes, or all."""
    with scope(by.here):
        return create_key(
            by=by, name="Care desk", scopes=scopes or tuple(SCOPES), days=days, now=timezone.now()
        )


def call(
    web: Handle, method: str, path: str, token: str, body: Any = None, *, key: str = ""
) -> tuple[int, Any]:
    """Call the web process over a connection of its own; return the status and what it says."""
    headers = {"Host": "localhost", "Authorization": f"Bearer {token}"}
    if body is not None:
        headers |= {"Content-Type": "application/json", "Idempotency-Key": key}
    connection = HTTPConnection("127.0.0.1", web.port, timeout=10)
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()
