"""A database that was restored from a backup sends nothing before two people have decided."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.utils import timezone
from pytest_django.fixtures import Settings

from campaigns.actions.restoring import Confirmed, RestoreRefused, ask_restore, confirm_restore
from campaigns.actions.sending.guard import DOUBTFUL, GuardedDesk
from campaigns.management.commands import confirm_restore as command
from campaigns.models import Campaign, Progress, Submission
from campaigns.queries.diagnostics import findings
from smpp_client.carrier import Fenced, Kind
from smpp_client.models import Connection
from tests import make
from tests.campaigns.sending.ground import Ground, counts, derived
from workspaces.actions.epoch_file import EpochFile
from workspaces.models import Installation
from workspaces.rules.epochs import Choice, Doubt, Epoch


@pytest.fixture
def file(tmp_path: Path) -> EpochFile:
    return EpochFile(tmp_path / "data" / "installation_epoch")


@pytest.fixture
def guarded(desk: Ground, file: EpochFile) -> Ground:
    """The desk's ground with the desk that the sender has."""
    desk.desk.close()
    desk.desk = GuardedDesk(file)
    return desk


def installation() -> Installation:
    return Installation.objects.get(id=1)


def put_back(file: EpochFile, *, seconds: float = 10) -> None:
    """Let the file be of an epoch that this database never saw, reached some seconds later."""
    row = installation()
    at = (row.epoch_at or timezone.now()) + timedelta(seconds=seconds)
    file.raise_to(Epoch(row.uuid, row.epoch + 5, at))


def newest(file: EpochFile) -> Path:
    (found,) = file.path.parent.iterdir()
    return found


def again(guarded: Ground, file: EpochFile) -> None:
    """Start the sender's desk anew."""
    guarded.desk.close()
    guarded.desk = GuardedDesk(file)


def test_the_file_follows_the_database(guarded: Ground, file: EpochFile) -> None:
    make.sending(guarded.author, guarded.route, rows=3)
    assert len(guarded.claim(room=1)) == 1
    kept = file.read()
    assert kept is not None
    assert (kept.installation, kept.number) == (installation().uuid, installation().epoch)
    assert kept.number > 1


def test_a_crash_before_the_file_was_written_is_no_doubt(guarded: Ground, file: EpochFile) -> None:
    make.sending(guarded.author, guarded.route, rows=3)
    guarded.claim(room=1)
    Installation.objects.update(epoch=installation().epoch + 1)
    again(guarded, file)
    assert len(guarded.claim(room=1)) == 1
    assert installation().doubt == ""


def test_a_crash_before_the_first_epoch_is_no_doubt(guarded: Ground, file: EpochFile) -> None:
    make.sending(guarded.author, guarded.route, rows=3)
    file.raise_to(Epoch(installation().uuid, 1, datetime.now(UTC)))
    assert len(guarded.claim(room=1)) == 1


def test_a_database_behind_its_file_claims_nothing(guarded: Ground, file: EpochFile) -> None:
    campaign = make.sending(guarded.author, guarded.route, rows=3)
    guarded.claim(room=1)
    put_back(file)
    again(guarded, file)
    assert not guarded.claim()
    assert installation().doubt == Doubt.BEHIND
    assert Progress.objects.get(campaign=campaign).reason == DOUBTFUL
    found = {each.name: each for each in findings(timezone.now())}
    assert found["Installation"].tone == "bad"
    again(guarded, file)
    assert not guarded.claim()


def test_a_lost_file_is_a_doubt(guarded: Ground, file: EpochFile) -> None:
    make.sending(guarded.author, guarded.route, rows=3)
    guarded.claim(room=1)
    newest(file).unlink()
    again(guarded, file)
    assert not guarded.claim()
    assert installation().doubt == Doubt.FILE_MISSING


def test_a_broken_file_is_a_doubt(guarded: Ground, file: EpochFile) -> None:
    make.sending(guarded.author, guarded.route, rows=3)
    guarded.claim(room=1)
    newest(file).write_text("garbage")
    again(guarded, file)
    assert not guarded.claim()
    assert installation().doubt == Doubt.FILE_UNREADABLE


def test_a_file_of_any_octets_is_a_doubt(guarded: Ground, file: EpochFile) -> None:
    make.sending(guarded.author, guarded.route, rows=3)
    guarded.claim(room=1)
    newest(file).write_bytes(b"\xff\xfe\0")
    again(guarded, file)
    assert not guarded.claim()
    assert installation().doubt == Doubt.FILE_UNREADABLE


def test_an_epoch_that_another_sender_advances_meanwhile_is_no_doubt(
    guarded: Ground, file: EpochFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database was read before it, the file after."""
    make.sending(guarded.author, guarded.route, rows=3)
    guarded.claim(room=1)
    again(guarded, file)
    read = file.read

    def read_after_another() -> Epoch | None:
        monkeypatch.setattr(file, "read", read)
        row = installation()
        Installation.objects.update(epoch=row.epoch + 1)
        file.raise_to(Epoch(row.uuid, row.epoch + 1, timezone.now()))
        return read()

    monkeypatch.setattr(file, "read", read_after_another)
    assert not guarded.claim()
    assert installation().doubt == ""
    assert len(guarded.claim(room=1)) == 1


def test_a_folder_that_cannot_be_read_stops_claims_and_is_no_doubt(
    guarded: Ground, file: EpochFile
) -> None:
    campaign = make.sending(guarded.author, guarded.route, rows=3)
    guarded.claim(room=1)
    folder = file.path.parent
    aside = folder.rename(folder.with_name("aside"))
    folder.write_text("no folder")
    again(guarded, file)
    assert not guarded.claim()
    assert "epoch file" in Progress.objects.get(campaign=campaign).reason
    assert installation().doubt == ""
    folder.unlink()
    aside.rename(folder)
    assert len(guarded.claim()) == 2


def test_a_file_that_cannot_be_written_stops_claims_and_says_so(
    guarded: Ground, file: EpochFile
) -> None:
    campaign = make.sending(guarded.author, guarded.route, rows=3)
    file.path.parent.write_text("no folder")
    assert not guarded.claim()
    assert "epoch file" in Progress.objects.get(campaign=campaign).reason
    assert installation().doubt == ""
    file.path.parent.unlink()
    assert len(guarded.claim()) == 3


def test_a_living_sender_misses_the_batch_it_was_given(guarded: Ground, file: EpochFile) -> None:
    make.sending(guarded.author, guarded.route, rows=3)
    segments = guarded.claim(room=1)
    guarded.record(segments, Kind.SUBMITTED)
    with database.cursor() as cursor:
        cursor.execute("DELETE FROM batch")
    guarded.desk._claims.close()
    assert not guarded.claim()
    assert installation().doubt == Doubt.CLAIM_MISSING


def test_a_connection_that_was_merely_lost_is_no_doubt(guarded: Ground) -> None:
    make.sending(guarded.author, guarded.route, rows=3)
    guarded.claim(room=1)
    guarded.desk._claims.close()
    assert len(guarded.claim(room=1)) == 1


@pytest.fixture
def doubted(guarded: Ground, file: EpochFile) -> Campaign:
    """A campaign of 60 with 10 submitted, in a database that is 10 seconds behind."""
    Connection.objects.update(rate=2)
    campaign = make.sending(guarded.author, guarded.route, rows=60)
    guarded.record(guarded.claim(room=10), Kind.SUBMITTED)
    put_back(file, seconds=10)
    again(guarded, file)
    assert not guarded.claim()
    return campaign


def take_again(guarded: Ground) -> None:
    """Take the lease anew, as the sender does when it has lost it."""
    taken = guarded.leases.take(guarded.connection.pk)
    assert taken is not None
    guarded.held = taken
    guarded.desk.settle(taken.key)


def decide(choice: Choice, file: EpochFile) -> Confirmed:
    first, second = make.user(is_super_admin=True), make.user(is_super_admin=True)
    now = timezone.now()
    ask_restore(by=first, choice=choice, why="restored after a disk died", now=now)
    return confirm_restore(by=second, file=file, now=now)


def test_what_can_have_been_sent_becomes_unknown_and_the_rest_goes_on(
    guarded: Ground, doubted: Campaign, file: EpochFile
) -> None:
    done = decide(Choice.UNKNOWN, file)
    # 10 s between the epochs and 5 s of uncertainty, at 2 segments/s.
    assert done.unknown_count == 30
    assert counts(doubted) == {"submitted": 10, "unknown": 30, "queued": 20} == derived(doubted)
    assert set(Submission.objects.filter(kind="unknown").values_list("cause", flat=True)) == {
        "the database was restored from a backup"
    }
    take_again(guarded)
    assert len(guarded.claim()) == 20
    assert installation().doubt == ""


def test_everything_that_waits_can_be_made_unknown(
    guarded: Ground, doubted: Campaign, file: EpochFile
) -> None:
    assert decide(Choice.ALL_UNKNOWN, file).unknown_count == 50
    assert counts(doubted) == {"submitted": 10, "unknown": 50} == derived(doubted)
    take_again(guarded)
    assert not guarded.claim()


def test_two_people_may_let_it_go_on(guarded: Ground, doubted: Campaign, file: EpochFile) -> None:
    assert decide(Choice.GO_ON, file).unknown_count == 0
    take_again(guarded)
    assert len(guarded.claim()) == 50


def test_deferred_segments_are_in_doubt_too(guarded: Ground, file: EpochFile) -> None:
    campaign = make.sending(guarded.author, guarded.route, rows=2)
    guarded.record(guarded.claim(), Kind.DEFERRED, 0x58)
    put_back(file)
    again(guarded, file)
    assert not guarded.claim()
    assert decide(Choice.UNKNOWN, file).unknown_count == 2
    assert counts(campaign) == {"unknown": 2} == derived(campaign)


def test_a_campaign_that_began_after_the_backup_is_in_doubt_too(
    guarded: Ground, file: EpochFile
) -> None:
    Connection.objects.update(rate=2)
    make.sending(guarded.author, guarded.route, rows=1)
    guarded.claim()
    late = make.approved(guarded.author, guarded.route, rows=50)
    put_back(file, seconds=10)
    again(guarded, file)
    make.sending(guarded.author, guarded.route, rows=1)
    assert not guarded.claim()
    decide(Choice.UNKNOWN, file)
    assert counts(late) == {"unknown": 30, "queued": 20} == derived(late)


def test_what_cannot_be_written_beside_the_database_is_not_confirmed(
    doubted: Campaign, file: EpochFile
) -> None:
    before = installation()
    folder = file.path.parent
    aside = folder.rename(folder.with_name("aside"))
    folder.write_text("no folder")
    with pytest.raises((FileExistsError, NotADirectoryError)):
        decide(Choice.UNKNOWN, file)
    assert (installation().doubt, installation().epoch) == (Doubt.BEHIND, before.epoch)
    folder.unlink()
    aside.rename(folder)
    assert decide(Choice.UNKNOWN, file).unknown_count


def test_nobody_confirms_what_he_asked_for(doubted: Campaign, file: EpochFile) -> None:
    first = make.user(is_super_admin=True)
    ask_restore(by=first, choice=Choice.GO_ON, why="a drill", now=timezone.now())
    same_person = make.user(is_super_admin=True, person=first.person)
    for user in (first, same_person):
        with pytest.raises(RestoreRefused, match="Another person"):
            confirm_restore(by=user, file=file, now=timezone.now())
    assert installation().doubt == Doubt.BEHIND


def test_only_super_admins_decide(guarded: Ground, doubted: Campaign) -> None:
    with pytest.raises(RestoreRefused, match="super admins"):
        ask_restore(by=guarded.author.user, choice=Choice.GO_ON, why="x", now=timezone.now())


def test_without_a_doubt_there_is_nothing_to_decide(guarded: Ground) -> None:
    with pytest.raises(RestoreRefused, match="no doubt"):
        ask_restore(
            by=make.user(is_super_admin=True), choice=Choice.GO_ON, why="x", now=timezone.now()
        )


def test_the_command_asks_for_a_password_and_shows_what_is_in_doubt(
    guarded: Ground,
    doubted: Campaign,
    file: EpochFile,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.EPOCH_FILE = file.path
    first, second = make.user(is_super_admin=True), make.user(is_super_admin=True)
    assert "of 50 messages at most 30" in run()
    monkeypatch.setattr(command, "getpass", lambda _prompt: "wrong")
    with pytest.raises(CommandError, match="not right"):
        run("--choice", "unknown", "--why", "a drill", "--email", first.email)
    monkeypatch.setattr(command, "getpass", lambda _prompt: "correct horse battery")
    run("--choice", "unknown", "--why", "a drill", "--email", first.email)
    assert f"{first.email} asked for unknown: a drill" in run()
    assert "30 messages are unknown" in run("--confirm", "--email", second.email)
    assert "no doubt" in run()


def test_a_campaign_that_waited_for_its_approval_at_the_backup_is_named(
    guarded: Ground, doubted: Campaign, file: EpochFile, settings: Settings
) -> None:
    """Who approves it now may send it a second time; no list of what was sending holds it."""
    settings.EPOCH_FILE = file.path
    waiting = make.in_review(guarded.author, guarded.route, name="Weekend 20 GB")
    ready = make.ready(guarded.author, guarded.route, name="Roaming news")
    printed = run()
    for one in (waiting, ready):
        assert f"campaign {one.number} ({one.name}) waited for its approval" in printed
    assert f"campaign {doubted.number} ({doubted.name}) waited" not in printed


def run(*words: str) -> str:
    out = StringIO()
    call_command("confirm_restore", *words, stdout=out)
    return out.getvalue()


def test_a_living_sender_loses_its_lease_with_the_doubt(
    guarded: Ground, doubted: Campaign, file: EpochFile
) -> None:
    decide(Choice.GO_ON, file)
    with pytest.raises(Fenced):
        guarded.claim()
