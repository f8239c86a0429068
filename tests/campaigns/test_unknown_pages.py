"""The pages of what is unknown: the list, the file, a resend by two people, call records."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection as database
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from campaigns.actions.settling import step
from campaigns.models import CallRecordImport, Campaign, Progress, ResendDecision
from smpp_client.models import Connection, Lease, Route
from tests import make
from tests.campaigns.sending.ground import counts
from tests.workspaces.log import ops
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope_everywhere

INTEND = """
INSERT INTO batch (workspace_id, campaign_id, connection_id, lease_id, epoch, segment_count,
                   open_count, opened_on, opened_at, closed_at, request_id)
VALUES (%s, %s, %s, %s, 1, %s, 0, current_date, now(), now(), '') RETURNING id
"""
LOSE = """
INSERT INTO submission (batch_on, batch_id, workspace_id, campaign_id, position, part, part_count,
                        connection_id, kind, cause, happened_at)
SELECT current_date, %s, workspace_id, campaign_id, position, 1, 1, %s, 'unknown',
       'no answer: the session ended', now()
FROM message WHERE campaign_id = %s
"""
MOVE = "UPDATE progress SET cursor = total, queued = 0, unknown = total WHERE campaign_id = %s"


@dataclass
class Site:
    """An author, his route, and the connection that loses answers."""

    author: Me
    connection: Connection
    route: Route


@pytest.fixture
def desk(db: None, settings: Settings, tmp_path: Path) -> Site:
    """A workspace; pages are asked outside of any scope."""
    settings.UPLOAD_DIR = tmp_path / "uploads"
    # Whether passwords are hashed well is another test's question.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with scope_everywhere("the test makes its rows"):
        author = make.person_in(make.workspace(), Role.ADMIN)
        wire = make.connection()
        return Site(author, wire, make.route(author.here, wire))


def lost(desk: Site, rows: int = 3) -> Campaign:
    """Make a campaign of which nothing is known."""
    with scope_everywhere("the test makes its rows"):
        campaign = make.sending(desk.author, desk.route, rows=rows)
        lease, _made = Lease.objects.get_or_create(connection=desk.connection, slot=1)
        with database.cursor() as cursor:
            values = [campaign.workspace_id, campaign.pk, desk.connection.pk, lease.pk, rows]
            cursor.execute(INTEND, values)
            (batch,) = cursor.fetchone()
            cursor.execute(LOSE, [batch, desk.connection.pk, campaign.pk])
            cursor.execute(MOVE, [campaign.pk])
    return campaign


def person(desk: Site, role: Role) -> Me:
    """Make another member."""
    with scope_everywhere("the test makes its rows"):
        return make.person_in(desk.author.here, role)


def signed_in(me: Me) -> Client:
    """Return a browser of this person."""
    client = Client()
    make.sign_in(client, me.user)
    return client


def at(desk: Site, path: str) -> str:
    """Return an address in the workspace."""
    return f"/w/{desk.author.here.slug}/{path}"


def test_the_list_shows_cause_connection_and_attempt_and_filters(desk: Site) -> None:
    campaign, other = lost(desk, 2), lost(desk, 1)
    client = signed_in(desk.author)
    text = client.get(at(desk, "unknown/")).content.decode()
    assert text.count('class="nm tn nw"') == 3
    assert "no answer" in text
    assert desk.connection.name in text
    assert make.number(0) not in text
    one = client.get(at(desk, f"unknown/?campaign=C-{other.number}")).content.decode()
    assert one.count('class="nm tn nw"') == 1
    assert f"campaigns/C-{other.number}/resend/" in one
    assert f"unknown/?campaign=C-{campaign.number}" in client.get(
        at(desk, f"campaigns/C-{campaign.number}/")
    ).content.decode().replace("&amp;", "&")


def test_nothing_unknown_says_so(desk: Site) -> None:
    text = signed_in(desk.author).get(at(desk, "unknown/")).content.decode()
    assert "Nothing is unknown" in text


def test_a_neighbour_sees_nothing_of_it(desk: Site) -> None:
    campaign = lost(desk)
    with scope_everywhere("the test makes its rows"):
        foreign = make.person_in(make.workspace(), Role.ADMIN)
    client = signed_in(foreign)
    assert client.get(at(desk, "unknown/")).status_code == 404
    own = client.get(f"/w/{foreign.here.slug}/unknown/?campaign=C-{campaign.number}")
    assert "Nothing is unknown" in own.content.decode()


def test_the_file_has_every_row_masked_and_is_recorded(desk: Site) -> None:
    lost(desk)
    answer = signed_in(desk.author).post(at(desk, "unknown/export/"))
    lines = answer.getvalue().decode().splitlines()
    assert len(lines) == 4
    assert "••" in lines[1]
    with scope_everywhere("the test looks"):
        assert ops(desk.author.here)[-1][0] == "messages.export"


def test_two_people_send_again_by_the_pages(desk: Site) -> None:
    campaign = lost(desk)
    asker, decider = signed_in(desk.author), signed_in(person(desk, Role.MODERATOR))
    form = at(desk, f"campaigns/C-{campaign.number}/resend/")
    assert "2 unknown messages" in asker.get(f"{form}?at=0&at=2").content.decode()
    assert "Say why" in asker.post(form, {"at": ["0", "2"], "note": ""}).content.decode()
    asker.post(form, {"at": ["0", "2"], "note": "The SMSC lost its queue."})
    with scope_everywhere("the test looks"):
        asked = ResendDecision.objects.get()
    page = at(desk, f"unknown/resends/{asked.pk}/")
    assert "another person approves" in asker.get(page).content.decode()
    own = asker.post(f"{page}decide/", {"verdict": "approve"})
    assert "Another person decides" in own.content.decode()
    assert "asks to send" in decider.get(at(desk, "unknown/")).content.decode()
    assert "Send 2 messages again" in decider.get(page).content.decode()
    decider.post(f"{page}decide/", {"verdict": "approve", "words": "Agreed"})
    with scope_everywhere("the test looks"):
        assert counts(campaign) == {"unknown": 1, "queued": 2}
        assert Progress.objects.get(campaign=campaign).resent == 2
    live = decider.get(at(desk, f"campaigns/C-{campaign.number}/")).content.decode()
    assert "2 of them are possible duplicates" in live


ABSENT = """
SELECT settle_as_absent(batch_on, batch_id, position, part, 'not in the SMSC''s call records')
FROM submission WHERE campaign_id = %s AND position = ANY (%s)
"""


def never_there(campaign: Campaign, positions: list[int]) -> None:
    """Let complete call records say that the SMSC never had these."""
    with scope_everywhere("the test settles"), database.cursor() as cursor:
        cursor.execute(ABSENT, [campaign.pk, positions])


def test_two_people_send_again_all_that_was_never_there_by_the_pages(desk: Site) -> None:
    campaign = lost(desk)
    never_there(campaign, [0, 2])
    asker, decider = signed_in(desk.author), signed_in(person(desk, Role.MODERATOR))
    form = at(desk, f"campaigns/C-{campaign.number}/resend/")
    listed = asker.get(at(desk, "unknown/")).content.decode()
    assert "Never at the SMSC" in listed
    assert f"{form}?which=absent" in listed
    question = asker.get(f"{form}?which=absent").content.decode()
    assert "Ask to send 2 messages again that were never at the SMSC?" in question
    both = asker.get(form).content.decode()
    assert "Ask to send 3 messages again?" in both
    assert "2 of them were never at the SMSC" in both
    asker.post(form, {"which": "absent", "note": "The SMSC never had them."})
    with scope_everywhere("the test looks"):
        asked = ResendDecision.objects.get()
        assert asked.positions == [0, 2]
    page = at(desk, f"unknown/resends/{asked.pk}/")
    assert "the SMSC never had them" in decider.get(page).content.decode()
    own = asker.post(f"{page}decide/", {"verdict": "approve"})
    assert "Another person decides" in own.content.decode()
    decider.post(f"{page}decide/", {"verdict": "approve", "words": "Agreed"})
    with scope_everywhere("the test looks"):
        assert counts(campaign) == {"unknown": 1, "queued": 2}
    assert "Never at the SMSC" not in asker.get(at(desk, "unknown/")).content.decode()


def test_what_was_never_there_is_offered_without_anything_unknown(desk: Site) -> None:
    campaign, other = lost(desk, 2), lost(desk, 1)
    never_there(campaign, [0, 1])
    viewer = signed_in(person(desk, Role.VIEWER))
    asker = signed_in(desk.author)
    text = asker.get(at(desk, f"unknown/?campaign=C-{campaign.number}")).content.decode()
    assert "Nothing is unknown here" in text
    assert "Ask for all of them" in text
    seen = viewer.get(at(desk, "unknown/")).content.decode()
    assert "Never at the SMSC" in seen
    assert "Ask for all of them" not in seen
    rest = asker.get(at(desk, f"unknown/?campaign=C-{other.number}")).content.decode()
    assert "Never at the SMSC" not in rest


def test_what_the_smsc_refused_itself_is_not_offered(desk: Site) -> None:
    campaign = lost(desk, 1)
    with scope_everywhere("the test settles"), database.cursor() as cursor:
        cursor.execute(
            "UPDATE submission SET kind = 'refused' WHERE campaign_id = %s", [campaign.pk]
        )
        cursor.execute(
            "UPDATE progress SET unknown = 0, refused = total WHERE campaign_id = %s", [campaign.pk]
        )
    text = signed_in(desk.author).get(at(desk, "unknown/")).content.decode()
    assert "Never at the SMSC" not in text


def test_a_viewer_can_neither_ask_nor_decide_nor_import(desk: Site) -> None:
    campaign = lost(desk)
    client = signed_in(person(desk, Role.VIEWER))
    assert client.get(at(desk, "unknown/")).status_code == 200
    assert client.get(at(desk, f"campaigns/C-{campaign.number}/resend/")).status_code == 403
    assert client.post(at(desk, "unknown/resends/1/decide/")).status_code == 403
    assert client.get(at(desk, "unknown/records/new/")).status_code == 403


def test_call_records_are_uploaded_mapped_and_settle_by_the_pages(desk: Site) -> None:
    campaign = lost(desk, 2)
    client = signed_in(desk.author)
    now = timezone.now().isoformat()
    with scope_everywhere("the test looks"):
        sender = campaign.sender_revision
        assert sender is not None
    data = (
        f"time,id,from,to,status\n{now},a,{sender.value},+{make.number(0)},DELIVRD\n"
        f"{now},b,{sender.value},+{make.number(1)},DELIVRD\n{now},c,X,+{make.number(1)},DELIVRD\n"
        f"{now},d,X,nobody,DELIVRD\n"
    )
    file = SimpleUploadedFile("cdr.csv", data.encode())
    came = client.post(at(desk, "unknown/records/new/"), {"file": file})
    page = came["Location"]
    text = client.get(page).content.decode()
    assert "What the columns mean" in text
    assert make.number(0) not in text
    fields = {
        "delimiter": ",",
        "has_header": "on",
        "use_number": "3",
        "use_sender": "2",
        "use_at": "0",
        "use_state": "4",
        "use_smsc_id": "1",
        "time_form": "iso",
        "zone": "UTC",
        "country": "-",
        "connection": str(desk.connection.pk),
        "tolerance": "60",
    }
    wrong = client.post(page, fields | {"complete_from": "2026-11-20 09:00"})
    assert "Say both" in wrong.content.decode()
    assert client.post(page, fields).status_code == 302
    with scope_everywhere("the worker"):
        records = CallRecordImport.objects.get()
        while not step(records.pk, timezone.now()).is_done:
            pass
        assert counts(campaign) == {"delivered": 2}
    done = client.get(page).content.decode()
    assert "2 unknown segments" in done
    assert "The number cannot be read" in done
    left = client.post(f"{page}left/").getvalue().decode().splitlines()
    assert len(left) == 3
    assert left[2].startswith("5,The number cannot be read")


def test_a_file_that_cannot_be_read_is_refused_in_its_form(desk: Site) -> None:
    client = signed_in(desk.author)
    answer = client.post(
        at(desk, "unknown/records/new/"), {"file": SimpleUploadedFile("x.csv", b"")}
    )
    assert answer.status_code == 200
    assert "error" in answer.content.decode()


def test_the_platform_sees_all_workspaces_and_changes_nothing(desk: Site) -> None:
    lost(desk, 2)
    with scope_everywhere("the test makes its rows"):
        chief = make.user("Chief", is_super_admin=True)
    client = Client()
    make.sign_in(client, chief)
    text = client.get("/platform/unknown/").content.decode()
    assert text.count('class="nm tn nw"') == 2
    assert desk.author.here.name in text


def test_a_receipt_that_fits_nothing_is_offered_on_the_message_and_settles_it(desk: Site) -> None:
    campaign = lost(desk, 1)
    with scope_everywhere("the test makes its rows"), database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO receipt (connection_id, smsc_id, state, raw, received_at, result,"
            " fingerprint, sender) SELECT %s, 'strange', 'enroute', '', now(), 'orphan',"
            " fingerprint, 'Other' FROM message WHERE campaign_id = %s RETURNING id",
            [desk.connection.pk, campaign.pk],
        )
        (receipt_id,) = cursor.fetchone()
    client = signed_in(desk.author)
    page = at(desk, f"campaigns/C-{campaign.number}/messages/0/")
    assert "Receipts that may be about it" in client.get(page).content.decode()
    told = client.post(f"{page}receipt/", {"receipt": str(receipt_id), "why": "Seen in the trace"})
    assert told.status_code == 302
    with scope_everywhere("the test looks"):
        assert counts(campaign) == {"submitted": 1}
    assert "a person said which receipt" in client.get(page).content.decode()
