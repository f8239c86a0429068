"""Every page of this app, as everybody who may come: who gets in, who gets what instead."""

from collections.abc import Mapping

import pytest
from django.test import Client
from django.urls import reverse

from tests.workspaces import make
from tests.workspaces.everybody import EVERYBODY, row
from workspaces.actions.invitations import invite
from workspaces.actions.joining import ask_to_join
from workspaces.models import User, Workspace
from workspaces.rules.permissions import Role
from workspaces.scope import scope

pytestmark = pytest.mark.django_db

OK, GO, NO, GONE = 200, 302, 403, 404
# Who reads: all members, and super admins. Who changes: admins, and super admins who have entered.
READ = row(OK, OK, OK, OK, OK, OK, OK, GONE, GO)
ADMIN_READS = row(NO, NO, NO, NO, OK, OK, NO, GONE, GO)
ADMIN_ACTS = row(NO, NO, NO, NO, GO, GO, NO, GONE, GO)
ADMIN_SUBMITS_NOTHING = ADMIN_READS
SIGNED_IN = row(OK, OK, OK, OK, OK, OK, OK, OK, GO)
PLATFORM = row(GONE, GONE, GONE, GONE, GONE, OK, OK, GONE, GO)
PLATFORM_ACTS = row(GONE, GONE, GONE, GONE, GONE, GO, GO, GONE, GO)
PUBLIC = row(*[OK] * 9)

PAGES: list[tuple[str, str, Mapping[str, int]]] = [
    ("GET", "workspaces:home", row(*[GO] * 9)),
    ("GET", "workspaces:choose", SIGNED_IN),
    ("GET", "workspaces:sign_in", row(*[GO] * 8, OK)),
    ("GET", "workspaces:forgotten", PUBLIC),
    ("GET", "workspaces:link_sent", PUBLIC),
    ("GET", "workspaces:account", SIGNED_IN),
    ("GET", "workspaces:password", SIGNED_IN),
    ("GET", "workspaces:sessions", SIGNED_IN),
    ("POST", "workspaces:sign_out", row(*[GO] * 9)),
    ("GET", "workspaces:members", READ),
    ("POST", "workspaces:invite", ADMIN_SUBMITS_NOTHING),
    ("POST", "workspaces:change_role", ADMIN_ACTS),
    ("GET", "workspaces:remove_member", ADMIN_READS),
    ("POST", "workspaces:remove_member", ADMIN_ACTS),
    ("POST", "workspaces:invite_again", ADMIN_ACTS),
    ("POST", "workspaces:revoke_invitation", ADMIN_ACTS),
    ("POST", "workspaces:accept_request", ADMIN_ACTS),
    ("POST", "workspaces:refuse_request", ADMIN_ACTS),
    ("GET", "workspaces:keys", ADMIN_READS),
    ("GET", "workspaces:new_key", ADMIN_READS),
    ("POST", "workspaces:new_key", ADMIN_SUBMITS_NOTHING),
    ("GET", "workspaces:revoke_key", ADMIN_READS),
    ("POST", "workspaces:revoke_key", ADMIN_ACTS),
    ("GET", "workspaces:settings", ADMIN_READS),
    ("POST", "workspaces:settings", ADMIN_SUBMITS_NOTHING),
    ("GET", "platform:overview", PLATFORM),
    ("GET", "platform:workspaces", PLATFORM),
    ("GET", "platform:new_workspace", PLATFORM),
    ("POST", "platform:new_workspace", PLATFORM),
    ("GET", "platform:suspend", PLATFORM),
    ("POST", "platform:suspend", PLATFORM),
    ("POST", "platform:resume", PLATFORM_ACTS),
    ("GET", "platform:enter", PLATFORM),
    ("POST", "platform:enter", PLATFORM),
    ("POST", "platform:leave", PLATFORM_ACTS),
    ("GET", "platform:users", PLATFORM),
    ("GET", "platform:new_user", PLATFORM),
    ("POST", "platform:new_user", PLATFORM),
    ("POST", "platform:send_link", PLATFORM_ACTS),
    ("GET", "platform:disable_user", PLATFORM),
    ("POST", "platform:disable_user", PLATFORM),
    ("POST", "platform:enable_user", PLATFORM_ACTS),
    ("GET", "platform:super_admin", PLATFORM),
    ("POST", "platform:super_admin", PLATFORM),
]


class Stage:
    """A workspace with everything that the addresses name."""

    def __init__(self) -> None:
        self.care = make.workspace("care")
        self.admin = make.me_in(self.care, Role.ADMIN)
        self.other = make.member(self.care, Role.VIEWER, make.user("Other"))
        with scope(self.care):
            made = invite(email="ann@example.com", role="author", by=self.admin, now=make.NOW)
        asked = ask_to_join(
            workspace=self.care, by=make.me(make.user("Asker")), text="", now=make.NOW
        )
        self.ids = {
            "workspace": self.care.slug,
            "slug": self.care.slug,
            "user_id": self.other.pk,
            "invitation_id": made.invitation.pk,
            "join_request_id": asked.pk,
            "key_id": make.key(self.care, self.admin).key.pk,
        }

    def client(self, who: str) -> Client:
        """Somebody's browser."""
        if who == "anonymous":
            return Client()
        return make.signed_in(self._account(who))

    def _account(self, who: str) -> User:
        if who in {"visitor", "master"}:
            root = make.user(is_super_admin=True)
            if who == "visitor":
                make.visit(self.care, root)
            return root
        return make.user() if who == "stranger" else make.member(self.care, who)

    def address(self, name: str) -> str:
        """The address of a page about what is on the stage."""
        for wanted in ([], *[[key] for key in self.ids], *TWO):
            try:
                return reverse(name, kwargs={key: self.ids[key] for key in wanted})
            except Exception:  # noqa: S112 - the next set of parts
                continue
        raise AssertionError(name)


TWO = [["workspace", key] for key in ("user_id", "invitation_id", "join_request_id", "key_id")]


@pytest.mark.parametrize("who", EVERYBODY)
def test_every_page_answers_everybody_as_the_table_says(who: str) -> None:
    stage = Stage()
    found: dict[str, int] = {}
    for method, name, _expected in PAGES:
        client = stage.client(who)
        found[f"{method} {name}"] = getattr(client, method.lower())(
            stage.address(name), follow=False
        ).status_code
    wanted = {f"{method} {name}": expected[who] for method, name, expected in PAGES}
    assert found == wanted


def test_a_stranger_sees_the_same_page_as_for_a_workspace_that_is_not_there() -> None:
    care = make.workspace("care")
    client = make.signed_in(make.user())
    there = client.get("/w/care/members/", headers={"X-Request-ID": "same-request"})
    not_there = client.get("/w/nothing/members/", headers={"X-Request-ID": "same-request"})
    assert (there.status_code, there.content) == (404, not_there.content)
    assert care.name.encode() not in there.content


def test_nothing_of_another_workspace_is_in_any_page() -> None:
    care, roaming = make.workspace("care"), make.workspace("roaming", "Xanthippe roaming")
    canary = make.me(make.user("Xanthippe Smith"), roaming, Role.ADMIN)
    make.member(roaming, Role.ADMIN, canary.user)
    with scope(roaming):
        invite(email="xanthippe@example.com", role="author", by=canary, now=make.NOW)
    Workspace.objects.filter(pk=roaming.pk).update(is_open_to_requests=False)
    make.key(roaming, canary)
    client = make.signed_in(make.member(care, Role.ADMIN))
    for name in ("members", "keys", "settings"):
        body = client.get(reverse(f"workspaces:{name}", kwargs={"workspace": "care"})).content
        assert b"anthippe" not in body
    assert b"anthippe" not in client.get("/choose/").content


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("remove_member", "user_id"),
        ("change_role", "user_id"),
        ("revoke_key", "key_id"),
    ],
)
def test_a_neighbours_row_is_not_there(name: str, part: str) -> None:
    stage = Stage()
    roaming = make.workspace("roaming")
    client = make.signed_in(make.member(roaming, Role.ADMIN))
    address = reverse(f"workspaces:{name}", kwargs={"workspace": "roaming", part: stage.ids[part]})
    assert client.post(address, {"role": "admin", "seen": "viewer"}).status_code == 404
    assert make.membership(stage.care, stage.other).role == "viewer"


def test_a_neighbours_invitations_and_requests_are_not_touched() -> None:
    stage = Stage()
    client = make.signed_in(make.member(make.workspace("roaming"), Role.ADMIN))
    for name, part in (
        ("invite_again", "invitation_id"),
        ("revoke_invitation", "invitation_id"),
        ("accept_request", "join_request_id"),
        ("refuse_request", "join_request_id"),
    ):
        where = {"workspace": "roaming", part: stage.ids[part]}
        client.post(reverse(f"workspaces:{name}", kwargs=where), {"role": "admin"})
    with scope(stage.care):
        assert stage.care.invitations.get().revoked_at is None
        assert stage.care.join_requests.get().decided_at is None
