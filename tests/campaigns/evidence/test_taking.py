"""From a number and a day to a file that verifies without us."""

import io
import subprocess
import sys
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from pytest_django.fixtures import Settings

from audit.actions.prune import prune
from audit.rules.events import Actor
from audit.rules.notes import read_key
from audit.verifier import verify_evidence as verifier
from campaigns.models import Campaign
from tests import make
from tests.audit.make import django_as
from tests.campaigns.evidence.ground import Sealed
from tests.workspaces import make as people
from tests.workspaces.log import entries
from workspaces.queries.keys import keys

WHY = "Complaint 4711"


def client(sealed: Sealed) -> Client:
    """Return the admin's client."""
    return people.signed_in(sealed.admin.user)


def asked(sealed: Sealed, index: int = 0, **changes: Any) -> dict[str, Any]:
    """Return what an admin types."""
    return {
        "number": f"+{make.number(index)}",
        "country": "GB",
        "day": f"{sealed.now:%Y-%m-%d}",
        "zone": "UTC",
        "why": WHY,
        **changes,
    }


def find(sealed: Sealed, **changes: Any) -> str:
    """Look for a day's messages and return the page."""
    address = f"/w/{sealed.place.slug}/messages/evidence/"
    response = client(sealed).post(address, asked(sealed, **changes))
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def take(sealed: Sealed, campaign: Campaign, index: int = 0, **changes: Any) -> Any:
    """Press the button of a message and return the answer."""
    chosen = {
        "campaign": campaign.number,
        "position": sealed.position(campaign, index),
        **changes,
    }
    address = f"/w/{sealed.place.slug}/messages/evidence/take/"
    return client(sealed).post(address, asked(sealed, index, **chosen))


def refusal(response: Any) -> str:
    """Return the page that came instead of a file."""
    assert response.headers["Content-Type"].startswith("text/html")
    return " ".join(response.content.decode().split())


def unzipped(response: Any, folder: Path) -> Path:
    """Unpack the file and return its one folder."""
    assert response.headers["Content-Type"] == "application/zip", response.content.decode()[:3000]
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        archive.extractall(folder)
    (found,) = folder.iterdir()
    return found


def judge(sealed: Sealed, folder: Path, **wishes: str) -> verifier.Report:
    """Verify as a reader who trusts the log's key."""
    assert str(read_key(sealed.vkey)) == sealed.vkey
    return verifier.verify(
        folder,
        verifier.Wishes((verifier.read_key(sealed.vkey),), **wishes),  # type: ignore[arg-type]
    )


def test_from_a_number_and_a_day_to_a_file_that_a_stranger_verifies(
    sealed: Sealed, tmp_path: Path
) -> None:
    campaign, segments = sealed.send(rows=7)
    sealed.seal()
    sealed.receipts(segments)
    sealed.seal(hours=1)
    sealed.sign()
    page = find(sealed, index=3)
    assert "1 message to +44 77" in page
    assert campaign.name in page
    folder = unzipped(take(sealed, campaign, 3), tmp_path / "zip")
    assert (folder / "VERIFY.txt").read_text().startswith("HOW TO VERIFY")
    (tmp_path / "key.txt").write_text(sealed.vkey)
    words = ["--trust", "key.txt", "--number", "+44 7700 900003", "--text", "Hello Name3"]
    done = subprocess.run(
        [sys.executable, "-I", folder / "verify" / "verify_evidence.py", folder, *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "RESULT: LEVEL A" in done.stdout
    assert "receipt delivered" in done.stdout
    assert "Disclosed text: Hello Name3" in done.stdout
    summary = (folder / "summary.txt").read_text()
    assert "receipt: delivered" in summary
    assert campaign.name in summary


def test_the_evidence_is_of_one_number_and_tells_nothing_of_the_others(
    sealed: Sealed, tmp_path: Path
) -> None:
    campaign, _ = sealed.send(rows=5)
    sealed.seal()
    sealed.sign()
    folder = unzipped(take(sealed, campaign, 2), tmp_path / "zip")
    assert set(judge(sealed, folder, number=f"+{make.number(2)}").counts) == set()
    assert set(judge(sealed, folder, number=f"+{make.number(3)}").counts) == {"S07"}
    assert "447700900003" not in (folder / "message.json").read_text()


def test_a_message_is_proved_after_the_entries_around_it_were_removed(
    long_ago: Sealed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign, segments = long_ago.send(rows=3)
    long_ago.seal()
    long_ago.receipts(segments)
    long_ago.seal(hours=1)
    long_ago.sign(days=-500)
    before = len(entries(long_ago.place))
    with monkeypatch.context() as owned:
        django_as(long_ago.database.url("owner"), owned)
        removed = prune(
            workspace=long_ago.place.uuid,
            before=long_ago.now - timedelta(days=400),
            actor=Actor("system", "login:ada"),
            why="A year is over.",
            now=long_ago.now,
        )
        connections["default"].close()
    assert removed == before - 2
    long_ago.sign()
    ops = [entry["op"] for entry in entries(long_ago.place)]
    assert ops == ["messages.sealed", "messages.sealed", "retention.prune"]
    folder = unzipped(take(long_ago, campaign, 1), tmp_path / "zip")
    report = judge(long_ago, folder, number=f"+{make.number(1)}")
    assert (report.exit_code, report.findings) == (0, [])


def test_an_erased_number_is_still_answered_for_who_presents_it(
    sealed: Sealed, tmp_path: Path
) -> None:
    campaign, _ = sealed.send(rows=3)
    sealed.seal()
    sealed.sql(
        "UPDATE recipient SET number_sealed = NULL WHERE fingerprint = %s",
        keys().fingerprint(make.number(1)),
    )
    sealed.sign()
    assert "1 message to +44 77" in find(sealed, index=1)
    folder = unzipped(take(sealed, campaign, 1), tmp_path / "zip")
    report = judge(sealed, folder, number=f"+{make.number(1)}", text="Hello Name1")
    assert (report.level, report.findings) == ("A", [])
    assert report.facts["shown"] == {"number": f"+{make.number(1)}"}
    assert set(judge(sealed, folder, text="Hello Name2").counts) == {"S07"}


def test_other_entries_between_the_sealing_and_the_epoch_are_shown_as_hashes(
    sealed: Sealed, tmp_path: Path
) -> None:
    campaign, _ = sealed.send(rows=2)
    sealed.seal()
    find(sealed)
    sealed.sign()
    folder = unzipped(take(sealed, campaign), tmp_path / "zip")
    assert (judge(sealed, folder).level, WHY in (folder / "message.json").read_text()) == (
        "A",
        False,
    )


def test_what_is_not_sealed_yet_says_when(sealed: Sealed) -> None:
    campaign, _ = sealed.send(rows=2)
    assert "Not yet" in find(sealed)
    assert "Nothing of this message is sealed yet." in refusal(take(sealed, campaign))
    sealed.seal()
    assert "its checkpoint is not signed yet" in refusal(take(sealed, campaign))
    sealed.sign()
    assert take(sealed, campaign).headers["Content-Type"] == "application/zip"


def test_the_search_and_the_file_are_recorded_with_reason_and_without_the_number(
    sealed: Sealed,
) -> None:
    campaign, _ = sealed.send(rows=2)
    sealed.seal()
    sealed.sign()
    find(sealed)
    take(sealed, campaign)
    found, taken = entries(sealed.place)[-2:]
    assert (found["op"], taken["op"]) == ("messages.find", "messages.evidence")
    assert found["why"] == taken["why"] == WHY
    for entry in (found, taken):
        assert set(entry["pd"]) == {"number"}
        assert make.number(0)[2:] not in str(entry)


def test_without_a_reason_nothing_is_shown(sealed: Sealed) -> None:
    campaign, _ = sealed.send(rows=2)
    page = find(sealed, why=" ")
    assert "Say why you need it." in page
    assert campaign.name not in page
    assert "Say why you need it." in refusal(take(sealed, campaign, why=""))


def test_another_number_than_the_messages_gets_nothing(sealed: Sealed) -> None:
    campaign, _ = sealed.send(rows=3)
    sealed.seal()
    sealed.sign()
    position = sealed.position(campaign, 0)
    said = refusal(take(sealed, campaign, 1, position=position))
    assert "no such message to this number" in said


def test_a_day_is_that_of_its_zone(sealed: Sealed) -> None:
    campaign, _ = sealed.send(rows=1)
    for at, zone, is_there in (
        ("2026-03-02T23:30:00+00:00", "UTC", False),
        ("2026-03-02T23:30:00+00:00", "Asia/Tashkent", True),
        ("2026-03-03T00:30:00+00:00", "UTC", True),
        ("2026-03-03T23:30:00+00:00", "Asia/Tashkent", False),
    ):
        sealed.sql("UPDATE submission SET happened_at = %s", datetime.fromisoformat(at))
        page = find(sealed, day="2026-03-03", zone=zone)
        assert (campaign.name in page) is is_there
    assert "sent nothing to this number on this day" in page


def test_what_cannot_be_used_is_said_at_its_field(sealed: Sealed) -> None:
    for typed, said in (
        ({"number": "hello"}, "This is not a phone number."),
        ({"day": ""}, "Choose the day."),
        ({"zone": "Nowhere"}, "Choose a time zone of the list."),
    ):
        assert said in find(sealed, **typed)


def test_a_file_that_was_changed_or_lost_is_refused_and_said(sealed: Sealed) -> None:
    campaign, _ = sealed.send(rows=3)
    sealed.seal()
    sealed.sign()
    path = sealed.path(sealed.segments()[0])
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"submitted"', b'"refused!!"', 1))
    assert "is not the file that was sealed" in refusal(take(sealed, campaign))
    path.write_bytes(data[: len(data) // 2])
    assert "What was sealed cannot be read" in refusal(take(sealed, campaign, 2))
    path.unlink()
    assert "No such file" in refusal(take(sealed, campaign))


def test_without_the_sites_secret_there_is_a_sentence(sealed: Sealed, settings: Settings) -> None:
    campaign, _ = sealed.send(rows=2)
    sealed.seal()
    sealed.sign()
    settings.AUDIT_NONCE_FILE.write_bytes(b"another secret than the sequencer's, as long")
    assert "does not lead to what was sealed" in refusal(take(sealed, campaign))
    settings.AUDIT_NONCE_FILE.unlink()
    assert "AUDIT_NONCE_FILE" in refusal(take(sealed, campaign))
