"""API keys: made, shown once, revoked."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.workspaces import make
from tests.workspaces.log import entries
from workspaces.actions.keys import KeyRefused, create_key
from workspaces.gate.caller import me_by_key
from workspaces.models import ApiKey, Workspace
from workspaces.queries.me import Me
from workspaces.rules.permissions import PERMISSIONS, SCOPES, Role
from workspaces.scope import scope

pytestmark = pytest.mark.django_db

PAGE = "/w/care/keys/"
NEW = {"name": "Care portal", "scopes": ["message.send", "message.see"], "days": "30"}


@pytest.fixture
def client(care: Workspace) -> Client:
    return make.signed_in(make.member(care, Role.ADMIN))


def token_in(body: str) -> str:
    found = re.search(r"mc_[0-9a-f]{12}\.[\w-]{43}", body)
    assert found is not None
    return found.group()


def test_a_new_key_is_shown_once_and_works(care: Workspace, client: Client) -> None:
    answer = client.post(f"{PAGE}new/", NEW)
    token = token_in(answer.content.decode())
    assert "no-store" in answer["Cache-Control"]
    me = me_by_key(token, "req", timezone.now())
    assert me is not None
    assert me.permissions == {"message.send", "message.see"}
    page = client.get(PAGE).content.decode()
    assert "Care portal" in page
    assert token.partition(".")[2] not in page


def test_the_secret_is_neither_stored_nor_logged(care: Workspace, client: Client) -> None:
    token = token_in(client.post(f"{PAGE}new/", NEW).content.decode())
    secret = token.partition(".")[2]
    with scope(care):
        assert secret not in str(ApiKey.objects.values().get())
    assert secret not in str(entries(care))
    assert entries(care)[-1]["diff"]["scopes"] == [None, ["message.see", "message.send"]]


def test_a_form_with_faults_keeps_what_was_typed(client: Client) -> None:
    body = client.post(f"{PAGE}new/", {"name": "Care portal", "days": "180"}).content.decode()
    assert 'value="Care portal"' in body
    assert '<option value="180" selected>' in body
    assert "Choose at least one thing that the key may do." in body


def test_every_scope_has_a_sentence(client: Client) -> None:
    body = client.get(f"{PAGE}new/").content.decode()
    assert "Send messages through approved trigger campaigns" in body
    assert body.count('type="checkbox"') == len(SCOPES)


def test_revoking_asks_first_and_bites_at_once(care: Workspace, client: Client) -> None:
    token = token_in(client.post(f"{PAGE}new/", NEW).content.decode())
    with scope(care):
        pk = ApiKey.objects.get().pk
    assert "Revoke Care portal?" in client.get(f"{PAGE}{pk}/revoke/").content.decode()
    page = client.post(f"{PAGE}{pk}/revoke/", follow=True).content.decode()
    assert "The key Care portal is revoked." in page
    assert me_by_key(token, "req", timezone.now()) is None
    again = client.post(f"{PAGE}{pk}/revoke/", follow=True).content.decode()
    assert "already revoked" in again


def test_no_keys_yet_is_said_with_the_next_step(client: Client) -> None:
    assert "No keys yet" in client.get(PAGE).content.decode()


def make_key(by: Me, **changes: object) -> ApiKey:
    values = {"name": "Care", "scopes": ["message.see"], "days": 30} | changes
    with scope(by.here):
        return create_key(by=by, now=make.NOW, **values).key  # type: ignore[arg-type]


def test_a_key_lives_as_long_as_asked_and_a_year_at_most(care: Workspace) -> None:
    by = make.me_in(care, Role.ADMIN)
    assert make_key(by, days=365).expires_at == make.NOW + timedelta(days=365)
    for days in (0, 366):
        with pytest.raises(KeyRefused, match="between 1 and 365 days"):
            make_key(by, days=days)


@pytest.mark.parametrize("scopes", [[], ["message.explode"], ["message.see", "member.edit"]])
def test_scopes_that_do_not_exist_are_refused(care: Workspace, scopes: list[str]) -> None:
    with pytest.raises(KeyRefused, match="Choose at least one thing"):
        make_key(make.me_in(care, Role.ADMIN), scopes=scopes)


def test_a_key_is_not_given_what_its_maker_may_not(care: Workspace) -> None:
    viewer = make.member(care, Role.VIEWER)
    by = Me(viewer, care, Role.VIEWER, PERMISSIONS[Role.VIEWER])
    with pytest.raises(KeyRefused, match="cannot do more than you"):
        make_key(by, scopes=["message.send"])


@pytest.mark.parametrize("name", ["", "x" * 81, "a\0b"])
def test_a_name_that_is_none_is_refused(care: Workspace, name: str) -> None:
    with pytest.raises(KeyRefused) as refused:
        make_key(make.me_in(care, Role.ADMIN), name=name)
    assert refused.value.field == "name"
