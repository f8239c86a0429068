"""The gate: who gets through, with which rights, and what is written down about the others."""

from datetime import timedelta
from itertools import pairwise
from types import ModuleType
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import path
from django.utils import timezone
from django.views import View

from tests.workspaces import make
from tests.workspaces.log import entries, ops
from workspaces.actions.keys import revoke_key
from workspaces.actions.members import change_role, remove_member
from workspaces.actions.users import change_super_admin, disable_user
from workspaces.gate.address import address
from workspaces.gate.caller import me_by_key
from workspaces.gate.permission import NoPermissionNamed, check_permissions, permission_of
from workspaces.models import ApiKey, Session, User, Visit, Workspace
from workspaces.queries.me import Me
from workspaces.rules.permissions import PERMISSIONS, SCOPES, Role
from workspaces.scope import ScopeRefused, scope, scope_everywhere

pytestmark = pytest.mark.django_db

MEMBERS = "/w/care/members/"


class Silent(View):
    """A view that names no permission."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Must never run."""
        return HttpResponse("it ran")


class Unknown(Silent):
    """A view with a permission that nobody has."""

    permission = "campaign.explode"


class Open(Silent):
    """A view for everybody."""

    permission = "public"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Say whose rows the connection sees."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('app.workspace', true)")
            (setting,) = cursor.fetchone()
        return HttpResponse(setting or "none")


class Inside(Open):
    """A view in a workspace."""

    permission = "workspace.see"


class Breaks(Silent):
    """A view that fails."""

    permission = "workspace.see"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Fail."""
        raise RuntimeError


# --- every view names a permission ----------------------------------------------------------------


@pytest.fixture
def urls(settings: Any) -> Any:
    """An own table of addresses; set its `urlpatterns`."""
    table: Any = ModuleType("addresses_of_a_test")
    table.urlpatterns, table.handler500 = [], "message_center.views.server_error"
    table.handler404 = "message_center.views.not_found"
    settings.ROOT_URLCONF = table
    return table


def test_the_system_check_passes_the_products_own_addresses() -> None:
    assert check_permissions() == []


@pytest.mark.parametrize("view", [Silent, Unknown])
def test_the_system_check_refuses_a_view_without_a_known_permission(
    view: type[View], urls: Any
) -> None:
    urls.urlpatterns = [path("silent/", view.as_view()), path("open/", Open.as_view())]
    errors = check_permissions()
    assert [error.id for error in errors] == ["gate.E001"]
    assert "/silent/" in errors[0].msg


def test_a_command_asks_the_system_check(urls: Any) -> None:
    urls.urlpatterns = [path("silent/", Silent.as_view())]
    with pytest.raises(SystemCheckError, match=r"gate\.E001"):
        call_command("check")


def test_a_view_without_a_permission_is_not_served_either(urls: Any) -> None:
    urls.urlpatterns = [path("silent/", Silent.as_view())]
    with pytest.raises(NoPermissionNamed):
        Client().get("/silent/")


def test_a_function_view_names_no_permission() -> None:
    with pytest.raises(NoPermissionNamed):
        permission_of(lambda request: HttpResponse(), "GET")


def test_a_permission_can_depend_on_the_method_and_defaults_to_the_strictest() -> None:
    class Both(View):
        permission = {"GET": "member.see", "POST": "member.edit"}

    view = Both.as_view()
    wanted = {"GET": "member.see", "HEAD": "member.see", "POST": "member.edit"}
    assert {method: permission_of(view, method) for method in wanted} == wanted
    assert permission_of(view, "DELETE") == "member.edit"


# --- the scope of a request -----------------------------------------------------------------------


def test_the_scope_of_a_request_is_its_workspace_and_is_cleared_afterwards(
    care: Workspace, urls: Any
) -> None:
    urls.urlpatterns = [
        path("w/<slug:workspace>/inside/", Inside.as_view()),
        path("open/", Open.as_view()),
    ]
    client = make.signed_in(make.member(care))
    assert client.get("/w/care/inside/").content.decode() == str(care.pk)
    assert client.get("/open/").content.decode() in {"", "none"}


def test_the_scope_is_cleared_after_a_view_that_failed(care: Workspace, urls: Any) -> None:
    urls.urlpatterns = [
        path("w/<slug:workspace>/breaks/", Breaks.as_view()),
        path("open/", Open.as_view()),
    ]
    client = make.signed_in(make.member(care))
    client.raise_request_exception = False
    assert client.get("/w/care/breaks/").status_code == 500
    assert client.get("/open/").content.decode() in {"", "none"}


def test_the_scope_is_cleared_after_a_refusal(care: Workspace, urls: Any) -> None:
    urls.urlpatterns = [
        path("w/<slug:workspace>/inside/", Inside.as_view()),
        path("open/", Open.as_view()),
    ]
    client = make.signed_in(make.user())
    assert client.get("/w/care/inside/").status_code == 404
    assert client.get("/open/").content.decode() in {"", "none"}


# --- roles bite on the next request ---------------------------------------------------------------


def test_a_removed_member_is_a_stranger_on_the_next_request(care: Workspace, admin: Me) -> None:
    author = make.member(care, Role.AUTHOR)
    client = make.signed_in(author)
    assert client.get(MEMBERS).status_code == 200
    with scope(care):
        remove_member(user_id=author.pk, by=admin, now=timezone.now())
    assert client.get(MEMBERS).status_code == 404


def test_a_taken_role_bites_on_the_next_request(care: Workspace, admin: Me) -> None:
    other = make.member(care, Role.ADMIN)
    client = make.signed_in(other)
    assert client.get("/w/care/keys/").status_code == 200
    with scope(care):
        change_role(user_id=other.pk, role="viewer", seen="admin", by=admin, now=timezone.now())
    assert client.get("/w/care/keys/").status_code == 403


def test_a_disabled_account_is_signed_out_on_the_next_request(care: Workspace) -> None:
    author = make.member(care, Role.AUTHOR)
    client = make.signed_in(author)
    root = make.me(make.user(is_super_admin=True))
    disable_user(user_id=author.pk, by=root, why="Left", now=timezone.now())
    answer = client.get(MEMBERS)
    assert (answer.status_code, answer["Location"]) == (302, f"/sign-in/?next={MEMBERS}")


def test_a_super_admin_who_is_none_any_more_is_a_stranger(care: Workspace) -> None:
    root, other = make.user(is_super_admin=True), make.user(is_super_admin=True)
    client = make.signed_in(other)
    assert client.get(MEMBERS).status_code == 200
    change_super_admin(
        user_id=other.pk, is_super_admin=False, by=make.me(root), why="Left", now=timezone.now()
    )
    assert client.get(MEMBERS).status_code == 404
    assert client.get("/platform/").status_code == 404


# --- sessions -------------------------------------------------------------------------------------


def aged(client: Client, **ages: timedelta) -> Client:
    """Move the times in a client's session back."""
    session = client.session
    for name, age in ages.items():
        session[name] = (timezone.now() - age).isoformat()
    session.save()
    return client


@pytest.mark.parametrize(
    ("ages", "status"),
    [
        ({"seen_at": timedelta(minutes=29)}, 200),
        ({"seen_at": timedelta(minutes=31)}, 302),
        ({"started_at": timedelta(hours=11, minutes=59)}, 200),
        ({"started_at": timedelta(hours=12, minutes=1)}, 302),
    ],
)
def test_a_session_ends_after_30_idle_minutes_and_after_12_hours(
    care: Workspace, ages: dict[str, timedelta], status: int
) -> None:
    client = aged(make.signed_in(make.member(care)), **ages)
    assert client.get(MEMBERS).status_code == status


def test_a_session_that_ended_stays_ended(care: Workspace) -> None:
    client = aged(make.signed_in(make.member(care)), seen_at=timedelta(minutes=31))
    key = client.session.session_key
    client.get(MEMBERS)
    client.cookies["mc_session"] = key or ""
    assert client.get(MEMBERS).status_code == 302


def test_using_a_session_keeps_it_alive_in_both_places(care: Workspace) -> None:
    who = make.member(care)
    client = aged(make.signed_in(who), seen_at=timedelta(minutes=20))
    client.get(MEMBERS)
    seen = timezone.now() - timedelta(minutes=1)
    assert client.session["seen_at"] > seen.isoformat()
    assert Session.objects.get(user=who).seen_at > seen


def test_a_session_without_its_limits_counts_for_nothing(care: Workspace) -> None:
    client = Client()
    client.force_login(make.member(care))
    assert client.get(MEMBERS).status_code == 302


def test_a_live_region_of_somebody_signed_out_reloads_the_whole_page() -> None:
    answer = Client().get(MEMBERS, headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Refresh"]) == (401, "true")


@pytest.mark.parametrize(("is_demo_on", "status"), [(True, 200), (False, 302)])
def test_a_demo_accounts_session_opens_nothing_once_debug_is_off(
    care: Workspace, settings: Any, *, is_demo_on: bool, status: int
) -> None:
    client = make.signed_in(make.member(care, who=make.user(is_demo=True)))
    settings.DEBUG = is_demo_on
    assert client.get(MEMBERS).status_code == status


# --- the Master view and visits -------------------------------------------------------------------


def test_a_super_admin_reads_every_workspace_and_changes_none(care: Workspace, admin: Me) -> None:
    client = make.signed_in(make.user(is_super_admin=True))
    assert client.get(MEMBERS).status_code == 200
    assert client.post("/w/care/members/invite/").status_code == 403


def test_a_look_is_recorded_in_the_workspace_once_an_hour(care: Workspace) -> None:
    root = make.user(is_super_admin=True)
    client = make.signed_in(root)
    for _ in range(3):
        client.get(MEMBERS)
    looks = [entry for entry in entries(care) if entry["op"] == "workspace.look"]
    assert [look["act"]["id"] for look in looks] == [f"usr_{root.pk}"]


def test_a_visitor_acts_until_the_visit_ends(care: Workspace) -> None:
    root = make.user(is_super_admin=True)
    client = make.signed_in(root)
    make.visit(care, root)
    assert client.get("/w/care/settings/").status_code == 200
    assert b"You act in" in client.get("/w/care/settings/").content
    with scope(care):
        Visit.objects.update(ends_at=timezone.now())
    assert client.get("/w/care/settings/").status_code == 403


def test_a_visit_is_worth_nothing_without_the_standing(care: Workspace) -> None:
    root = make.user(is_super_admin=True)
    client = make.signed_in(root)
    make.visit(care, root)
    User.objects.filter(pk=root.pk).update(is_super_admin=False)
    assert client.get("/w/care/settings/").status_code == 404


# --- suspended workspaces -------------------------------------------------------------------------


def test_a_suspended_workspace_is_read_only_for_its_members(care: Workspace, admin: Me) -> None:
    client = make.signed_in(admin.user)
    Workspace.objects.filter(pk=care.pk).update(is_suspended=True)
    assert client.get(MEMBERS).status_code == 200
    assert client.get("/w/care/settings/").status_code == 403
    assert client.post("/w/care/members/invite/").status_code == 403


def test_a_key_of_a_suspended_workspace_only_reads(care: Workspace, admin: Me) -> None:
    token = make.key(care, admin, "message.send", "message.see").token
    Workspace.objects.filter(pk=care.pk).update(is_suspended=True)
    me = me_by_key(token, "req", timezone.now())
    assert me is not None
    assert me.permissions == {"message.see"}


# --- keys -----------------------------------------------------------------------------------------


def test_a_key_acts_for_its_maker_in_its_workspace(care: Workspace, admin: Me) -> None:
    new = make.key(care, admin, "message.send")
    me = me_by_key(new.token, "req", timezone.now())
    assert me is not None
    assert (me.user, me.workspace, me.key) == (admin.user, care, new.key)
    assert me.permissions == {"message.send"}
    assert me.actor.kind == "api"


def test_a_key_that_was_used_says_when(care: Workspace, admin: Me) -> None:
    new, now = make.key(care, admin), timezone.now()
    me_by_key(new.token, "req", now)
    with scope(care):
        assert ApiKey.objects.get(pk=new.key.pk).last_used_at == now


@pytest.mark.parametrize(
    "change",
    ["", "mc_", "mc_nothing.secret", "other prefix", "another secret", "no dot"],
)
def test_a_token_that_is_not_one_of_ours_is_nobody(care: Workspace, admin: Me, change: str) -> None:
    token = make.key(care, admin).token
    prefix, _, secret = token.partition(".")
    changed = {
        "other prefix": f"xx_{prefix[3:]}.{secret}",
        "another secret": f"{prefix}.{secret[:-1]}{'a' if secret[-1] != 'a' else 'b'}",
        "no dot": prefix + secret,
    }.get(change, change)
    assert me_by_key(changed, "req", timezone.now()) is None


def test_a_key_is_dead_after_its_end(care: Workspace, admin: Me) -> None:
    new = make.key(care, admin)
    assert me_by_key(new.token, "req", new.key.expires_at - timedelta(seconds=1)) is not None
    assert me_by_key(new.token, "req", new.key.expires_at) is None


def test_a_revoked_key_is_dead_at_once(care: Workspace, admin: Me) -> None:
    new = make.key(care, admin)
    with scope(care):
        revoke_key(key_id=new.key.pk, by=admin, now=timezone.now())
    assert me_by_key(new.token, "req", timezone.now()) is None


def test_a_removed_members_key_is_dead_even_if_it_was_not_revoked(
    care: Workspace, admin: Me
) -> None:
    token = make.key(care, admin).token
    with scope(care):
        make.membership(care, admin.user).delete()
    assert me_by_key(token, "req", timezone.now()) is None


def test_a_disabled_makers_key_is_dead(care: Workspace, admin: Me) -> None:
    token = make.key(care, admin).token
    User.objects.filter(pk=admin.user.pk).update(is_active=False)
    assert me_by_key(token, "req", timezone.now()) is None


@pytest.mark.parametrize("is_demo_on", [True, False])
def test_a_demo_accounts_key_is_dead_once_debug_is_off(
    care: Workspace, settings: Any, *, is_demo_on: bool
) -> None:
    demo = make.member(care, Role.ADMIN, make.user(is_demo=True))
    token = make.key(care, make.me(demo, care, Role.ADMIN)).token
    settings.DEBUG = is_demo_on
    assert (me_by_key(token, "req", timezone.now()) is not None) is is_demo_on


def test_a_key_never_may_more_than_its_maker_may_now(care: Workspace, admin: Me) -> None:
    token = make.key(care, admin, "message.send", "campaign.see").token
    with scope(care):
        row = make.membership(care, admin.user)
        row.role = Role.VIEWER
        row.save(update_fields=["role"])
    me = me_by_key(token, "req", timezone.now())
    assert me is not None
    assert me.permissions == {"campaign.see"}


def test_no_scope_lets_a_key_approve_or_manage() -> None:
    forbidden = {"campaign.review", "sender.review", "member.edit", "key.edit", "number.reveal"}
    assert not forbidden & set(SCOPES.values())


# --- what is written down -------------------------------------------------------------------------


def test_a_missing_permission_is_recorded_as_denied(care: Workspace) -> None:
    viewer = make.member(care, Role.VIEWER)
    make.signed_in(viewer).get("/w/care/keys/")
    entry = entries(care)[-1]
    assert (entry["op"], entry["res"]) == ("access.denied", "denied")
    assert entry["act"]["id"] == f"usr_{viewer.pk}"
    assert entry["why"] == "GET needs key.edit"


def test_a_stranger_is_recorded_in_the_workspace_he_tried(care: Workspace) -> None:
    make.signed_in(make.user()).get(MEMBERS)
    assert ops(care)[-1][:2] == ("access.denied", MEMBERS)


def test_an_attempt_at_a_workspace_that_is_not_there_is_recorded_too() -> None:
    make.signed_in(make.user()).get("/w/nothing/members/")
    assert ops()[-1][:2] == ("access.denied", "/w/nothing/members/")


CALL = "/api/v1/campaigns"


def call(token: str, path: str = CALL) -> int:
    """Call the API with a token; return the status."""
    return Client().get(path, headers={"Authorization": f"Bearer {token}"}).status_code


def ended(care: Workspace, admin: Me, end: str) -> tuple[ApiKey, str]:
    """Return a key that opens nothing for this reason, and a token of its prefix."""
    new = make.key(care, admin)
    with scope(care):
        if end == "revoked":
            revoke_key(key_id=new.key.pk, by=admin, now=timezone.now())
        elif end == "past its end":
            ApiKey.objects.filter(pk=new.key.pk).update(expires_at=timezone.now())
        elif end == "no member":
            make.membership(care, admin.user).delete()
    return new.key, f"{new.token}x" if end == "another secret" else new.token


@pytest.mark.parametrize("end", ["revoked", "past its end", "no member", "another secret"])
def test_a_key_that_opens_nothing_is_recorded_in_its_workspace(
    care: Workspace, admin: Me, end: str
) -> None:
    key, token = ended(care, admin, end)
    assert call(token) == 401
    said = entries(care)[-1]
    assert (said["op"], said["res"], said["obj"]["id"]) == (
        "access.denied",
        "denied",
        f"key_{key.pk}",
    )
    assert end in said["why"]
    assert said["why"].endswith(f": GET {CALL}")
    assert set(said["pd"]) == {"address"}
    assert token.partition(".")[2] not in str(said)


def test_a_guessed_key_is_recorded_in_the_systems_chain() -> None:
    assert call("mc_nothing.secret") == 401
    said = entries()[-1]
    assert (said["op"], said["obj"]["id"]) == ("access.denied", "unknown")
    assert "nothing" not in said["why"]


def test_a_program_that_goes_on_with_a_dead_key_fills_no_log(care: Workspace, admin: Me) -> None:
    _key, token = ended(care, admin, "revoked")
    for _ in range(3):
        call(token)
    call(f"{token}x")
    whys = [said["why"] for said in entries(care) if said["op"] == "access.denied"]
    assert [why.partition(":")[0] for why in whys] == [
        "the key was revoked",
        "another secret than the key's",
    ]


@pytest.mark.parametrize("authorization", ["", "Basic bWM6eA==", "Bearer ", "Bearer something"])
def test_a_call_without_anything_like_a_key_leaves_nothing(authorization: str) -> None:
    before = len(entries())
    assert Client().get(CALL, headers={"Authorization": authorization}).status_code == 401
    assert len(entries()) == before


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("/w/447700900008/members/", "/w/<slug:workspace>/members/"),
        ("/w/447-700-900-008/members/", "/w/<slug:workspace>/members/"),
        ("/w/care/campaigns/C-447700900008/", "/w/care/campaigns/C-<int:number>/"),
        ("/w/care/campaigns/C-12/", "/w/care/campaigns/C-12/"),
    ],
)
def test_what_may_be_a_number_in_a_refused_address_is_not_recorded(
    care: Workspace, asked: str, shown: str
) -> None:
    make.signed_in(make.user()).get(asked)
    where = care if "/care/" in asked else None
    assert ops(where)[-1][:2] == ("access.denied", shown)


def test_what_was_typed_into_an_address_of_the_api_is_not_recorded(
    care: Workspace, admin: Me
) -> None:
    token = make.key(care, admin, "message.send").token
    assert call(token, f"{CALL}/+447700900008") == 403
    assert ops(care)[-1][:2] == ("access.denied", f"{CALL}/<str:campaign>")


# --- the address of a caller ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proxies", "header", "expected"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (2, "203.0.113.9", "127.0.0.1"),
        (1, "not an address", "127.0.0.1"),
    ],
)
def test_forwarded_addresses_count_only_from_our_own_proxies(
    settings: Any, proxies: int, header: str, expected: str
) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies
    request = RequestFactory().get("/", headers={"X-Forwarded-For": header})
    assert address(request) == expected


def test_pages_of_a_signed_in_person_are_kept_by_no_cache(care: Workspace) -> None:
    answer = make.signed_in(make.member(care)).get(MEMBERS)
    assert "no-store" in answer["Cache-Control"]


def test_every_role_may_at_least_what_the_role_before_may() -> None:
    order = [Role.VIEWER, Role.AUTHOR, Role.AUTHOR_MODERATOR, Role.ADMIN, Role.SUPER_ADMIN]
    for less, more in pairwise(order):
        assert PERMISSIONS[less] < PERMISSIONS[more]


def test_a_second_workspace_is_not_opened_inside_the_first(care: Workspace) -> None:
    roaming = make.workspace("roaming")
    with scope(care), pytest.raises(ScopeRefused), scope(roaming):
        pass
    with scope(care), pytest.raises(ScopeRefused), scope_everywhere("too much"):
        pass
