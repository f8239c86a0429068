"""A workspace's settings."""

import pytest
from django.test import Client

from tests.workspaces import make
from tests.workspaces.log import ops
from workspaces.models import Workspace
from workspaces.queries.zones import zones
from workspaces.rules.permissions import Role

pytestmark = pytest.mark.django_db

PAGE = "/w/care/settings/"


@pytest.fixture
def client(db: None) -> Client:
    return make.signed_in(make.member(make.workspace("care"), Role.ADMIN))


def saved() -> Workspace:
    return Workspace.objects.get(slug="care")


def test_settings_are_saved_and_recorded(client: Client) -> None:
    client.post(PAGE, {"name": "Subscriber care", "zone": "Asia/Tashkent"})
    care = saved()
    assert (care.name, care.zone, care.is_open_to_requests) == (
        "Subscriber care",
        "Asia/Tashkent",
        False,
    )
    assert ops(care)[-1][2]["zone"] == ["UTC", "Asia/Tashkent"]


@pytest.mark.parametrize("typed", ["Asia/Tashkent", "asia/tashkent", "Tashkent", "tashkent "])
def test_a_zone_is_known_by_its_place(client: Client, typed: str) -> None:
    client.post(PAGE, {"name": "Care", "zone": typed})
    assert saved().zone == "Asia/Tashkent"


def test_a_zone_of_two_words_is_typed_with_a_space(client: Client) -> None:
    client.post(PAGE, {"name": "Care", "zone": "New York"})
    assert saved().zone == "America/New_York"


@pytest.mark.parametrize("typed", ["Atlantis", "EST", "+05:00", "<script>"])
def test_a_zone_that_is_none_stays_typed(client: Client, typed: str) -> None:
    body = client.post(PAGE, {"name": "Care", "zone": typed}).content.decode()
    assert "Choose a time zone by its place" in body
    assert typed.replace("<", "&lt;").replace(">", "&gt;") in body
    assert saved().zone == "UTC"


def test_zones_are_offered_and_searchable(client: Client) -> None:
    body = client.get(PAGE).content.decode()
    assert 'list="zones"' in body
    offered = body.partition("<datalist")[2].partition("</datalist")[0]
    assert offered.count("<option value=") == len(zones()) > 400


def test_every_offered_zone_is_taken() -> None:
    assert "Europe/London" in zones()
    assert not [zone for zone in zones() if len(zone) > 64]


def test_how_long_replies_are_kept_is_saved_and_recorded(client: Client) -> None:
    given = {"name": "Care", "zone": "UTC", "is_open_to_requests": "on", "reply_days": "30"}
    client.post(PAGE, given)
    assert saved().reply_days == 30
    assert ops(saved())[-1][2] == {"reply_days": [180, 30]}


def test_a_time_that_is_not_offered_is_refused(client: Client) -> None:
    client.post(PAGE, {"name": "Care", "zone": "UTC", "reply_days": "9999"})
    assert saved().reply_days == 180
