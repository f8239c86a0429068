"""Every route as every role, in its own workspace, in a foreign one and without any.

The gate is real and decides as ever; behind it stands a mark instead of the views, so that what is
seen is the gate's answer. What views do with a neighbour's row is the second half.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.test import Client
from django.urls import resolve
from django.utils import timezone
from pytest_django import Settings

from audit.actions.exports import ask
from campaigns.actions.opt_outs import add_opt_out
from campaigns.actions.stop_words import add_own_word
from campaigns.models import CallRecordImport, ResendDecision, WordKind
from message_center.stack.product import ROOT
from tests import make as nouns
from tests.campaigns.inbound import came, wrote
from tests.doors import DOORS, GONE, LOOKED_AT, NO_PAGE, ROLES, SCOPES, Answer, Who
from tests.workspaces import make
from workspaces.actions.invitations import invite
from workspaces.actions.joining import ask_to_join
from workspaces.actions.keys import revoke_key
from workspaces.actions.members import remove_member
from workspaces.gate.permission import routes, view_class
from workspaces.models import User, Workspace
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PART = re.compile(r"<(?:(\w+):)?(\w+)>")
# The gate looks at no part of an address but the workspace.
MADE_UP = {
    "int": "1",
    "uuid": "0b5a1f1e-3f0c-4b57-9a33-1f6f4f3f5b1a",
    "slug": "some",
    "str": "some",
}
REACHED = 299
SAME = {"X-Request-ID": "the-same-request"}
ANSWERS = {REACHED: Answer.IN, 403: Answer.NO, 404: Answer.GONE, 401: Answer.NO_KEY}

Door = tuple[str, str]


class NothingBehind:
    """A middleware after the gate: who comes so far has got in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse:
        """Answer instead of the view."""
        return HttpResponse(status=REACHED)


def fill(text: str, parts: Mapping[str, str]) -> str:
    """Return a pattern's address with these parts, and made-up ones for the rest."""
    return PART.sub(lambda part: parts.get(part[2]) or MADE_UP[part[1] or "str"], text)


def addresses(slug: str) -> Iterator[tuple[Door, str]]:
    """Yield ((name, method), address) of every route of the product, about a workspace."""
    for text, pattern in routes():
        address = fill(text, {"workspace": slug})
        name = resolve(address).view_name
        assert name.rpartition(":")[2] == pattern.name, f"{text} is hidden by {name}."
        for method in METHODS:
            if hasattr(view_class(pattern.callback), method.lower()):
                yield (name, method), address


def table() -> dict[Door, Who]:
    """Return the table by door."""
    rows = [((name, one), who) for name, methods, who in DOORS for one in methods.split()]
    assert len(dict(rows)) == len(rows), "A door is in the table twice."
    return dict(rows)


def test_every_route_is_in_the_table() -> None:
    found = {door for door, _address in addresses("care")}
    assert found - table().keys() == set(), "These have no row in tests/doors.py."


def test_every_row_of_the_table_has_a_route() -> None:
    found = {door for door, _address in addresses("care")}
    assert table().keys() - found == set(), "These rows of tests/doors.py have no route."


def test_every_page_is_looked_at_in_a_browser_by_one_test() -> None:
    looked_at = [name for names in LOOKED_AT.values() for name in names]
    pages = [name for name, method in table() if method == "GET"]
    assert sorted([*looked_at, *NO_PAGE]) == sorted(pages), "See LOOKED_AT in tests/doors.py."


@pytest.mark.parametrize("file", LOOKED_AT)
def test_who_looks_at_pages_asks_whether_they_look_right(file: str) -> None:
    assert "looks_right" in (ROOT / file).read_text()


@pytest.fixture
def care(db: None, settings: Settings) -> Workspace:
    """The workspace of all addresses, behind a gate with nothing behind it."""
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.{NothingBehind.__name__}"]
    return make.workspace("care")


def answers(client: Client, **headers: str) -> dict[Door, str]:
    """Return what the gate answers at every door of the workspace `care`."""
    found: dict[Door, str] = {}
    for door, address in addresses("care"):
        response = client.generic(door[1], address, headers=headers)
        is_sent = response.status_code == 302 and response["Location"].startswith("/sign-in/")
        known = ANSWERS.get(response.status_code, response.status_code)
        found[door] = str(Answer.SIGN_IN if is_sent else known)
    return found


def expected(column: Callable[[Who], Answer]) -> dict[Door, str]:
    """Return a column of the table, for the doors there are."""
    rows = table()
    return {door: str(column(rows[door])) for door, _address in addresses("care") if door in rows}


def root_in(where: Workspace) -> User:
    """Return a super admin who has entered a workspace."""
    root = make.user(is_super_admin=True)
    make.visit(where, root)
    return root


def one_of(where: Workspace, role: str) -> User:
    """Return somebody who has a role in a workspace."""
    return root_in(where) if role == Role.SUPER_ADMIN else make.member(where, role)


@pytest.mark.parametrize("role", ROLES)
def test_in_the_own_workspace_a_role_opens_what_the_table_says(care: Workspace, role: str) -> None:
    client = make.signed_in(one_of(care, role))
    assert answers(client) == expected(lambda who: who.own[ROLES.index(role)])


@pytest.mark.parametrize("role", ROLES[:-1])
def test_a_role_in_another_workspace_opens_nothing_here(care: Workspace, role: str) -> None:
    client = make.signed_in(make.member(make.workspace("roaming"), role))
    assert answers(client) == expected(lambda who: who.foreign)


def test_a_super_admin_who_entered_another_workspace_only_looks_here(care: Workspace) -> None:
    client = make.signed_in(root_in(make.workspace("roaming")))
    assert answers(client) == expected(lambda who: who.master)


def test_a_super_admin_who_entered_none_only_looks(care: Workspace) -> None:
    client = make.signed_in(make.user(is_super_admin=True))
    assert answers(client) == expected(lambda who: who.master)


def test_somebody_without_a_workspace_opens_what_the_table_says(care: Workspace) -> None:
    assert answers(make.signed_in(make.user())) == expected(lambda who: who.stranger)


def test_nobody_signed_in_opens_what_the_table_says(care: Workspace) -> None:
    assert answers(Client()) == expected(lambda who: who.anonymous)


@pytest.mark.parametrize("name", SCOPES)
def test_a_key_opens_what_its_scope_says_and_no_page(care: Workspace, name: str) -> None:
    made = make.key(care, make.me_in(care, Role.ADMIN), name)
    found = answers(Client(), Authorization=f"Bearer {made.token}")
    assert found == expected(lambda who: who.keys[name])


def test_a_revoked_key_opens_nothing(care: Workspace) -> None:
    admin = make.me_in(care, Role.ADMIN)
    made = make.key(care, admin, *SCOPES)
    with scope(care):
        revoke_key(key_id=made.key.pk, by=admin, now=timezone.now())
    found = answers(Client(), Authorization=f"Bearer {made.token}")
    assert found == expected(lambda who: who.dead)


def test_the_key_of_somebody_who_left_opens_nothing(care: Workspace) -> None:
    gone, admin = make.me_in(care, Role.ADMIN), make.me_in(care, Role.ADMIN)
    made = make.key(care, gone, *SCOPES)
    with scope(care):
        remove_member(user_id=gone.user.pk, by=admin, now=timezone.now())
    found = answers(Client(), Authorization=f"Bearer {made.token}")
    assert found == expected(lambda who: who.dead)


@pytest.mark.parametrize("is_member_elsewhere", [True, False])
def test_a_workspace_of_others_looks_like_one_that_is_not_there(
    care: Workspace, *, is_member_elsewhere: bool
) -> None:
    roaming = make.workspace("roaming")
    client = make.signed_in(make.member(roaming) if is_member_elsewhere else make.user())
    missing = dict(addresses("nothing"))
    for door, address in addresses("care"):
        if table()[door].foreign is not GONE or address == missing[door]:
            continue
        there = client.generic(door[1], address, headers=SAME)
        not_there = client.generic(door[1], missing[door], headers=SAME)
        assert there.content == not_there.content, door
        assert care.name.encode() not in there.content, door


# --- rows of a neighbour --------------------------------------------------------------------------

# These name nothing that is stored: a verdict and a step are words of ours.
WORDS = {"verdict": "approve", "step": "message"}
# Found or not, they go back to the list of members with a sentence.
TO_MEMBERS = {"invite_again", "revoke_invitation", "accept_request", "refuse_request"}


@dataclass(frozen=True)
class Neighbour:
    """A workspace with one of everything, its admin and the parts of the addresses."""

    admin: Me
    parts: Mapping[str, str]


@pytest.fixture
def neighbour(db: None) -> Neighbour:
    """One of everything in another workspace, each numbered by the database."""
    admin = make.me_in(make.workspace("roaming"), Role.ADMIN)
    with scope(admin.here):
        sender = nouns.sender(admin.here)
        wire = nouns.connection()
        through = nouns.route(admin.here, wire)
        campaign = nouns.sending(admin, through, sender_id=sender.pk)
        invited = invite(email="ann@example.com", role="author", by=admin, now=make.NOW)
        opted = add_opt_out(by=admin, text="07700900999", country="GB", words="call", now=make.NOW)
        word = add_own_word(by=admin, kind=WordKind.STOP, word="Basta", now=make.NOW)
        nouns.sender(admin.here, "2020")
        evidence = ask(
            by=admin,
            since=None,
            until=None,
            shows_values=True,
            reason="Request 118-26",
            now=make.NOW,
        )
    asked = ask_to_join(workspace=admin.here, by=make.me(make.user()), text="", now=make.NOW)
    ids = {
        "number": campaign.number,
        "position": 1,
        "list_id": campaign.recipient_list_id,
        "sender": sender.value,
        "opt_out_id": opted.pk,
        "word_id": word.pk,
        "reply_id": came(wire, wrote(5, "When?", "2020"))[0].pk,
        "user_id": make.member(admin.here).pk,
        "invitation_id": invited.invitation.pk,
        "join_request_id": asked.pk,
        "key_id": make.key(admin.here, admin).key.pk,
        "export_id": evidence.pk,
        **settling(admin, campaign.pk),
    }
    return Neighbour(admin, {name: str(value) for name, value in ids.items()} | WORDS)


def settling(admin: Me, campaign_id: int) -> dict[str, int]:
    """Make an import of call records and a request to send again; return their ids."""
    with scope(admin.here):
        records = CallRecordImport.objects.create(
            workspace=admin.here,
            file_name="records.csv",
            size_bytes=1,
            has_header=True,
            uploaded_by=admin.user,
            uploaded_person_id=admin.person_id,
            created_at=make.NOW,
            touched_at=make.NOW,
        )
        decision = ResendDecision.objects.create(
            workspace=admin.here,
            campaign_id=campaign_id,
            positions=[1],
            message_count=1,
            note="Lost",
            requested_by=admin.user,
            requested_person_id=admin.person_id,
            requested_at=make.NOW,
        )
    return {"records_id": records.pk, "decision_id": decision.pk}


def doors_about_rows(who: Neighbour, slug: str) -> Iterator[tuple[Door, str]]:
    """Yield every door of a workspace whose address names a row, about the neighbour's."""
    for text, pattern in routes():
        named = {part[2] for part in PART.finditer(text)} - WORDS.keys() - {"workspace"}
        if not text.startswith("/w/") or not named or "eid" in named:
            continue
        address = fill(text, {**who.parts, "workspace": slug})
        for method in METHODS:
            if hasattr(view_class(pattern.callback), method.lower()):
                yield (resolve(address).view_name, method), address


def statuses(client: Client, doors: Iterator[tuple[Door, str]]) -> dict[Door, int]:
    """Knock at real views, each as if nothing had been done before."""
    found: dict[Door, int] = {}
    for door, address in doors:
        before = transaction.savepoint()
        found[door] = client.generic(door[1], address).status_code
        transaction.savepoint_rollback(before)
    return found


def test_the_row_of_a_neighbour_is_not_there_whatever_one_may_do(neighbour: Neighbour) -> None:
    root = root_in(make.workspace("care"))
    found = statuses(make.signed_in(root), doors_about_rows(neighbour, "care"))
    reached = {door for door, status in found.items() if status != 404}
    assert reached == {(f"workspaces:{name}", "POST") for name in TO_MEMBERS}


def test_the_same_row_is_there_for_who_belongs_to_it(neighbour: Neighbour) -> None:
    root = root_in(neighbour.admin.here)
    found = statuses(make.signed_in(root), doors_about_rows(neighbour, "roaming"))
    assert {door for door, status in found.items() if status in {403, 404}} == set()


def test_what_is_no_page_draws_none(neighbour: Neighbour) -> None:
    client = make.signed_in(root_in(neighbour.admin.here))
    drawn = set()
    for text, pattern in routes():
        address = fill(text, {**neighbour.parts, "workspace": "roaming"})
        name = resolve(address).view_name
        if name in NO_PAGE and hasattr(view_class(pattern.callback), "get"):
            answer = client.get(address)
            if answer.status_code == 200 and b"<html" in answer.getvalue():
                drawn.add(name)
    assert drawn == set()
