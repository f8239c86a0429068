"""What is unknown, by the API."""

from django.db import connection
from django.test import Client

from smpp_client.models import Lease
from tests.campaigns.api.care import Care
from tests.campaigns.test_unknown_pages import INTEND, LOSE
from workspaces.scope import scope_everywhere

UNKNOWNS = "/api/v1/unknowns"


def lose(care: Care, count: int) -> None:
    """Push messages and lose the answers to them."""
    for _push in range(count):
        assert care.push().status_code == 201
    with scope_everywhere("the test makes its rows"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM queued_segment")
        cursor.execute("SELECT connection_id FROM route_connection LIMIT 1")
        (wire,) = cursor.fetchone()
        lease, _made = Lease.objects.get_or_create(connection_id=wire, slot=1)
        place = [care.place.pk, care.campaign.pk, wire, lease.pk, count]
        cursor.execute(INTEND, place)
        cursor.execute(LOSE, [cursor.fetchone()[0], wire, care.campaign.pk])


def test_unknown_segments_come_a_page_at_a_time_with_their_cause(desk: Care) -> None:
    lose(desk, 3)
    first = desk.get(f"{UNKNOWNS}?limit=2").json()
    assert [item["cause"] for item in first["items"]] == ["no answer: the session ended"] * 2
    assert first["items"][0]["campaign"] == str(desk.campaign)
    assert "••" in first["items"][0]["to"]
    rest = desk.get(first["next"]).json()
    assert (len(rest["items"]), rest["next"]) == (1, None)
    assert desk.get(f"{UNKNOWNS}?campaign=C-999").json()["items"] == []


def test_a_cursor_of_another_question_and_a_missing_key_are_refused(desk: Care) -> None:
    lose(desk, 2)
    following = desk.get(f"{UNKNOWNS}?limit=1").json()["next"]
    answer = desk.get(f"{following}&campaign={desk.campaign}")
    assert answer.status_code == 400
    assert Client().get(UNKNOWNS).status_code == 401
