"""A file of messages: masked for everybody, in full for a reason, harmless in a spreadsheet."""

import csv
import io
from typing import Any

import pytest

from campaigns.models import Campaign
from tests import make
from tests.campaigns.looking import Team, client_of, path, team, text
from tests.campaigns.test_messages import attempt
from tests.workspaces.log import entries
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def care(db: None) -> Team:
    return team()


def take(me: Me, campaign: Campaign, **values: Any) -> Any:
    """Ask for the file."""
    return client_of(me).post(path(campaign, "messages/export/"), values)


def rows_of(response: Any) -> list[list[str]]:
    """Return the rows of a file with its head."""
    assert response.status_code == 200
    written = b"".join(response.streaming_content).decode()
    assert written.startswith("\ufeff")
    return list(csv.reader(io.StringIO(written[1:])))


def test_a_file_holds_every_message_with_its_number_masked(care: Team) -> None:
    campaign = care.campaign(rows=3)
    attempt(campaign, 1, "refused", status=0x0B)
    head, *rows = rows_of(take(care.member(Role.VIEWER), campaign))
    assert head == ["Row", "Number", "State", "Parts", "Accepted", "Receipt", "Why"]
    assert len(rows) == 3
    assert all("•" in row[1] for row in rows)
    assert [row[2] for row in rows] == ["sending", "refused", "queued"]
    assert rows[1][6] == "The SMSC said: bad number (0x0B)."


def test_a_file_of_one_state_holds_only_that(care: Team) -> None:
    campaign = care.campaign(rows=3)
    attempt(campaign, 1, "refused", status=0x0B)
    response = take(care.author, campaign, state="refused")
    assert [row[2] for row in rows_of(response)[1:]] == ["refused"]
    assert f"{campaign}-refused.csv" in response["Content-Disposition"]


def test_who_took_it_is_on_record(care: Team) -> None:
    campaign = care.campaign(rows=1)
    take(care.author, campaign, state="unknown")
    entry = entries(care.place)[-1]
    assert entry["op"] == "messages.export"
    assert entry["diff"] == {"numbers": [None, "masked"], "state": [None, "unknown"]}


def test_full_numbers_are_written_for_a_reason_and_no_cell_is_a_formula(care: Team) -> None:
    campaign = care.campaign(rows=2)
    response = take(care.member(Role.ADMIN), campaign, in_full="on", why="Court order 12")
    numbers = {row[1] for row in rows_of(response)[1:]}
    assert numbers == {f"'+{make.number(0)}", f"'+{make.number(1)}"}
    entry = entries(care.place)[-1]
    assert (entry["why"], entry["diff"]["numbers"]) == ("Court order 12", [None, "in full"])


def test_full_numbers_without_a_reason_are_refused(care: Team) -> None:
    campaign = care.campaign(rows=1)
    response = take(care.member(Role.ADMIN), campaign, in_full="on", why=" ")
    assert "Say why you need it." in text(response)
    assert entries(care.place)[-1]["op"] != "messages.export"


def test_an_author_who_asks_for_full_numbers_gets_masked_ones(care: Team) -> None:
    campaign = care.campaign(rows=1)
    response = take(care.author, campaign, in_full="on", why="I want to")
    assert "•" in rows_of(response)[1][1]


def test_a_neighbour_takes_nothing(care: Team) -> None:
    campaign = care.campaign(rows=1)
    neighbour = team("vas").author
    assert take(neighbour, campaign).status_code == 404
