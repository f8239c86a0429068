"""GET: what subscribers wrote to the key's workspace."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest

from campaigns.models import InboundMessage
from smpp_client.models import Connection
from smpp_client.rules.codings import Coding
from tests import make
from tests.campaigns.api.care import INBOUND, Care
from tests.campaigns.inbound import came, wrote
from tests.workspaces import make as make_people
from tests.workspaces.log import entries
from workspaces.rules.permissions import Role
from workspaces.scope import scope_everywhere

CODE = "2020"


@pytest.fixture
def wire(desk: Care) -> Connection:
    """A connection over which subscribers write to the workspace's short code."""
    with scope_everywhere("the test makes rows"):
        made = make.connection()
        make.sender(desk.place, CODE)
        make.route(desk.place, made)
    return made


def items(desk: Care, query: str = "") -> list[dict[str, Any]]:
    answer = desk.get(f"{INBOUND}{query}")
    assert answer.status_code == 200, answer.json()
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def test_a_message_is_told_with_its_number_masked(desk: Care, wire: Connection) -> None:
    (row,) = came(wire, wrote(0, "When?", CODE))
    (one,) = items(desk)
    assert one | {"received_at": ""} == {
        "id": str(row.uuid),
        "number": "+44 77 ••• ••• 00",
        "to": CODE,
        "text": "When?",
        "asks_for": None,
        "is_opted_out": False,
        "assigned_to": None,
        "assigned_to_email": None,
        "parts": 1,
        "missing_parts": 0,
        "received_at": "",
        "links": {"self": f"{INBOUND}/{row.uuid}"},
    }
    assert desk.get(one["links"]["self"]).json() == one


def test_a_stop_is_told_as_what_it_asks_for(desk: Care, wire: Connection) -> None:
    came(wire, wrote(0, "When?", CODE), wrote(1, "STOP", CODE))
    (one,) = items(desk, "?asks_for=stop")
    assert (one["text"], one["asks_for"], one["is_opted_out"]) == ("STOP", "stop", True)


def test_who_looks_after_it_is_told_by_name(desk: Care, wire: Connection) -> None:
    (row,) = came(wire, wrote(0, "When?", CODE))
    with scope_everywhere("the test assigns"):
        holder = make.person_in(desk.place, Role.AUTHOR).user
        InboundMessage.objects.filter(pk=row.pk).update(holder=holder)
    (one,) = items(desk)
    assert (one["assigned_to"], one["assigned_to_email"]) == (holder.name, holder.email)


def test_those_with_nobody_can_be_asked_for_alone(desk: Care, wire: Connection) -> None:
    held, *_others = came(wire, *(wrote(n, f"text {n}", CODE) for n in range(3)))
    with scope_everywhere("the test assigns"):
        InboundMessage.objects.filter(pk=held.pk).update(holder=desk.admin.user)
    first = desk.get(f"{INBOUND}?assigned_to=nobody&limit=1").json()
    rest = desk.get(first["next"]).json()
    assert [one["text"] for one in (*first["items"], *rest["items"])] == ["text 2", "text 1"]
    assert rest["next"] is None
    assert desk.get(f"{INBOUND}?assigned_to=me").json()["code"] == "invalid"


def test_pages_go_from_the_newest_to_the_oldest(desk: Care, wire: Connection) -> None:
    came(wire, *(wrote(0, f"text {n}", CODE) for n in range(5)))
    found: list[str] = []
    following: str | None = f"{INBOUND}?limit=2"
    while following:
        answer = desk.get(following).json()
        found += [one["text"] for one in answer["items"]]
        following = answer["next"]
    assert found == [f"text {n}" for n in (4, 3, 2, 1, 0)]


def test_a_cursor_belongs_to_its_filter(desk: Care, wire: Connection) -> None:
    came(wire, *(wrote(n, "STOP", CODE) for n in range(3)))
    following = desk.get(f"{INBOUND}?limit=1&asks_for=stop").json()["next"]
    answer = desk.get(following.replace("asks_for=stop", "asks_for=start"))
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")


def test_what_is_erased_or_no_text_is_null(desk: Care, wire: Connection) -> None:
    came(wire, wrote(0, "", CODE, octets=b"\1", coding=Coding.BINARY))
    (one,) = items(desk)
    assert (one["text"], one["number"]) == (None, "+44 77 ••• ••• 00")
    with scope_everywhere("the test erases"):
        InboundMessage.objects.update(number_sealed=None, content_sealed=None, fingerprint=None)
    (one,) = items(desk)
    assert (one["text"], one["number"]) == (None, None)


def test_messages_of_others_and_of_nobody_are_not_there(desk: Care, wire: Connection) -> None:
    (row,) = came(wire, wrote(0, "Hello", "7777"))
    assert items(desk) == []
    assert desk.get(f"{INBOUND}/{row.uuid}").status_code == 404
    assert desk.get(f"{INBOUND}/{uuid4()}").status_code == 404


# --- who looks after one ------------------------------------------------------------------------


def put(desk: Care, row: InboundMessage, body: Mapping[str, Any]) -> Any:
    """Call with this body."""
    path, text = f"{INBOUND}/{row.uuid}/assigned_to", json.dumps(body)
    return desk.client.put(path, text, content_type="application/json", headers=desk.headers())


def assign(desk: Care, row: InboundMessage, email: str | None, **more: str | None) -> Any:
    """Say who looks after a message."""
    return put(desk, row, {"email": email, **more})


def assignments(desk: Care) -> list[dict[str, Any]]:
    return [one for one in entries(desk.place) if one["op"] == "reply.assign"]


@pytest.fixture
def asked(desk: Care, wire: Connection) -> InboundMessage:
    """A message that waits for somebody."""
    return came(wire, wrote(0, "Call me back", CODE))[0]


def test_a_message_is_given_to_a_person_and_recorded_once_however_often_it_is_said(
    desk: Care, asked: InboundMessage
) -> None:
    author = make_people.me_in(desk.place, Role.AUTHOR).user
    first, again = (assign(desk, asked, author.email.upper()) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json() == desk.get(f"{INBOUND}/{asked.uuid}").json()
    assert first.json()["assigned_to"] == author.name
    (entry,) = assignments(desk)
    assert entry["obj"]["id"] == f"inb_{asked.pk}"
    assert entry["act"]["id"] == f"key_{desk.key.key.pk}"
    assert entry["diff"] == {"holder": [None, f"usr_{author.pk}"]}


def test_who_has_a_message_keeps_it_unless_he_is_named(desk: Care, asked: InboundMessage) -> None:
    one, two = (make_people.me_in(desk.place, Role.AUTHOR).user.email for _ in range(2))
    assign(desk, asked, one)
    for known in ({}, {"instead_of": two}, {"instead_of": None}):
        answer = assign(desk, asked, None, **known)
        assert (answer.status_code, answer.json()["code"]) == (409, "stale")
    assert assign(desk, asked, two, instead_of=one).json()["assigned_to_email"] == two
    assert assign(desk, asked, None, instead_of=two).json()["assigned_to"] is None
    assert len(assignments(desk)) == 3


def test_nobody_outside_of_the_workspace_is_given_a_message(
    desk: Care, asked: InboundMessage
) -> None:
    stranger = make_people.me_in(make_people.workspace("offers"), Role.ADMIN).user
    gone = make_people.me_in(desk.place, Role.AUTHOR).user
    type(gone).objects.filter(pk=gone.pk).update(is_active=False)
    for email in (stranger.email, gone.email, "nobody@example.com"):
        answer = assign(desk, asked, email)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
        assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/email"]
    assert assignments(desk) == []


@pytest.mark.parametrize("body", [{}, {"email": 7}, {"email": ""}, {"email": None, "who": "me"}])
def test_a_body_that_names_nobody_rightly_is_refused(
    desk: Care, asked: InboundMessage, body: dict[str, Any]
) -> None:
    answer = put(desk, asked, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_a_message_of_others_cannot_be_given_to_anybody(desk: Care, wire: Connection) -> None:
    (row,) = came(wire, wrote(0, "Hello", "7777"))
    answer = assign(desk, row, desk.admin.user.email)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
