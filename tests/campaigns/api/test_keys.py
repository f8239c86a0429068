"""Who gets through: live keys with the scope, whose maker is still a member."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.campaigns.api.care import CAMPAIGNS, INBOUND, ME, MESSAGES, SENDERS, Care, key_of
from workspaces.actions.keys import revoke_key
from workspaces.models import ApiKey, Membership, User, Workspace
from workspaces.rules.permissions import SCOPES, Role
from workspaces.scope import scope

PLACES = {
    ("GET", MESSAGES): "message.see",
    ("GET", f"{MESSAGES}/00000000-0000-0000-0000-000000000000"): "message.see",
    ("POST", MESSAGES): "message.send",
    ("GET", CAMPAIGNS): "campaign.see",
    ("GET", f"{CAMPAIGNS}/C-1"): "campaign.see",
    ("GET", SENDERS): "sender.see",
    ("GET", INBOUND): "inbound.see",
    ("GET", f"{INBOUND}/00000000-0000-0000-0000-000000000000"): "inbound.see",
    ("PUT", f"{INBOUND}/00000000-0000-0000-0000-000000000000/assigned_to"): "inbound.assign",
}


@pytest.mark.parametrize("wanted", sorted(SCOPES))
def test_a_key_opens_what_its_scope_names_and_nothing_else(desk: Care, wanted: str) -> None:
    token = key_of(desk.admin, wanted).token
    opened = {place for place in PLACES if _call(desk, place, token) != 403}
    assert opened == {place for place, scope_of in PLACES.items() if scope_of == wanted}


def _call(desk: Care, place: tuple[str, str], token: str) -> int:
    method, path = place
    answer = (
        desk.push(token=token)
        if method == "POST"
        else desk.client.generic(method, path, headers=desk.headers(token))
    )
    assert answer.status_code != 403 or answer.json()["code"] == "forbidden"
    return int(answer.status_code)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer mc_",
        "Bearer mc_0123456789ab.wrong",
        "Basic bWNfOng=",
        "Bearer mc_\x00.x",
        "Bearer mc_\xff.\xff",
        "Bearer " + "x" * 9_000,
    ],
)
def test_a_call_without_a_live_key_is_unauthorized(desk: Care, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = desk.client.get(ME, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "key_not_valid")
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer["Content-Type"] == "application/problem+json"


def test_a_session_of_the_pages_opens_nothing_here(desk: Care) -> None:
    client = Client()
    client.force_login(desk.admin.user)
    assert client.get(ME).status_code == 401


def test_an_expired_key_is_dead(desk: Care) -> None:
    with scope(desk.place):
        past = timezone.now() - timedelta(seconds=1)
        ApiKey.objects.filter(pk=desk.key.key.pk).update(expires_at=past)
    assert _is_dead(desk)


def test_a_revoked_key_is_dead(desk: Care) -> None:
    with scope(desk.place):
        revoke_key(key_id=desk.key.key.pk, by=desk.admin, now=timezone.now())
    assert _is_dead(desk)


def test_a_removed_members_key_is_dead(desk: Care) -> None:
    with scope(desk.place):
        Membership.objects.filter(user=desk.admin.user).delete()
    assert _is_dead(desk)


def test_a_disabled_persons_key_is_dead(desk: Care) -> None:
    User.objects.filter(pk=desk.admin.user.pk).update(is_active=False)
    assert _is_dead(desk)


def test_a_key_whose_maker_may_only_look_sends_nothing(desk: Care) -> None:
    with scope(desk.place):
        Membership.objects.filter(user=desk.admin.user).update(role=Role.VIEWER)
    assert desk.push().status_code == 403
    assert desk.get(MESSAGES).status_code == 200


def test_a_key_of_a_suspended_workspace_only_reads(desk: Care) -> None:
    Workspace.objects.filter(pk=desk.place.pk).update(is_suspended=True)
    assert desk.push().status_code == 403
    assert desk.get(MESSAGES).status_code == 200


def _is_dead(desk: Care) -> bool:
    answers: list[Any] = [desk.get(ME), desk.push()]
    return [answer.status_code for answer in answers] == [401, 401]
