"""Checkpoints go outside: when, once, with a receipt, and with an alarm when they do not."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from audit.actions.anchors import installed as finding
from audit.actions.anchors import sending
from audit.actions.anchors.alarms import tell_late, tell_silence
from audit.actions.anchors.file import FileAnchor
from audit.actions.anchors.installed import Installed, installed
from audit.actions.anchors.sending import due, send_newest
from audit.actions.anchors.witness import WitnessAnchor
from audit.actions.sign import Refused
from audit.models import Anchor, AnchorReceipt
from audit.queries.anchors import AnchorState, anchor_states, last_receipt, newest_checkpoint
from audit.queries.status import Silence, silence
from audit.rules.anchoring import (
    AnchorRefused,
    Expected,
    Given,
    Last,
    SignedCheckpoint,
    Unreachable,
    pause_after,
)
from audit.tasks.anchors import send_to_anchor, sweep_anchors
from audit.verifier import verify_evidence as verifier
from tests.audit import handed
from tests.audit.authority import authority
from tests.audit.conftest import Log
from tests.audit.make import INSTALL, MARKETING, NOW, rows
from tests.audit.site import HOUR, Site
from tests.audit.witness import witness

MINUTE = timedelta(minutes=1)


@dataclass
class Friend:
    """An anchor that does what the test wants; `fails` is raised once for each of its members, and
    its clock `is_ahead` of the log's.
    """

    name: str = "friend"
    kind: str = "friend"
    period: timedelta = timedelta(0)
    fails: list[Exception] = field(default_factory=list)
    got: list[int] = field(default_factory=list)
    is_ahead: timedelta = timedelta(0)

    def send(self, checkpoint: SignedCheckpoint, last: Last | None) -> Given:
        if self.fails:
            raise self.fails.pop(0)
        self.got.append(checkpoint.epoch)
        return Given(b"thanks", checkpoint.at + self.is_ahead)

    def set_up(self) -> Installed:
        patience = max(self.period, timedelta(hours=1)) + timedelta(hours=2)
        return Installed(Expected(self.name, self.kind, self.period, patience), self)


@pytest.fixture
def site(log: Log, tmp_path: Path) -> Site:
    """One signed epoch at NOW."""
    site = Site(log, tmp_path / "audit")
    site.hours(1)
    return site


@pytest.fixture
def friend(site: Site) -> Friend:
    return Friend()


def at(minutes: float) -> datetime:
    return NOW + minutes * MINUTE


def send(friend: Friend, minutes: float) -> bool:
    """Do what a sweep and its task do."""
    one = friend.set_up()
    return bool(due([one], now=at(minutes))) and send_newest(one, now=at(minutes))


def state(friend: Friend, minutes: float) -> AnchorState:
    [found] = anchor_states([friend.set_up().expected], now=at(minutes))
    return found


def alarms(site: Site) -> list[tuple[str, str, str]]:
    """Return op, result and reason of what anchors recorded."""
    query = (
        "SELECT op, result, coalesce(body::json ->> 'why', '') FROM audit_event WHERE ws = %s"
        " AND (op LIKE 'anchor.%%' OR op = 'checkpoint.late') ORDER BY id"
    )
    return rows(site.superuser, query, INSTALL)


def test_a_receipt_is_kept_and_its_digest_enters_the_system_chain(
    site: Site, friend: Friend
) -> None:
    assert send(friend, 1)
    [receipt] = AnchorReceipt.objects.all()
    note = (site.notes()[0] or "").encode()
    assert (receipt.anchor, receipt.epoch, bytes(receipt.content)) == ("friend", 0, b"thanks")
    assert bytes(receipt.note_digest) == sha256(note).digest()
    [(diff,)] = rows(
        site.superuser,
        "SELECT body::json -> 'diff' FROM audit_event WHERE eid = %s AND op = 'anchor.receipt'",
        receipt.eid,
    )
    assert diff == {
        "epoch": [None, 0],
        "note_sha256": [None, sha256(note).hexdigest()],
        "receipt_sha256": [None, sha256(b"thanks").hexdigest()],
        "attested_at": [None, "2026-03-01T09:00:00.000000Z"],
    }


def test_a_receipt_forces_no_epoch_of_its_own(site: Site, friend: Friend) -> None:
    send(friend, 1)
    assert site.sequence(120).epoch is None


def test_a_checkpoint_goes_out_once(site: Site, friend: Friend) -> None:
    assert [send(friend, 1), send(friend, 2)] == [True, False]
    assert friend.got == [0]


def test_a_try_that_ends_while_another_one_looks_leaves_nothing_to_send(
    site: Site, friend: Friend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same task delivered twice: the second sees no receipt, then the first one ends."""
    one, looks = friend.set_up(), iter([True])
    assert due([one], now=at(1))

    def slow_look(name: str) -> Last | None:
        seen = last_receipt(name)
        if next(looks, False):
            assert send_newest(one, now=at(1.5))
        return seen

    monkeypatch.setattr(sending, "last_receipt", slow_look)
    assert not send_newest(one, now=at(2))
    assert friend.got == [0]
    assert (state(friend, 3).failure, AnchorReceipt.objects.count()) == ("", 1)


def test_every_new_checkpoint_goes_out_and_only_the_newest(site: Site, friend: Friend) -> None:
    send(friend, 1)
    for hour in (1, 2):
        site.sequence(hour * HOUR)
    site.sign()
    send(friend, 121)
    assert friend.got == [0, 2]


def test_an_anchor_with_a_period_waits_for_it(site: Site) -> None:
    daily = Friend(period=timedelta(days=1))
    send(daily, 1)
    site.sequence(HOUR)
    site.sign()
    assert not send(daily, 61)
    assert send(daily, 24 * 60 + 1)


def test_a_receipt_from_long_before_the_checkpoint_is_not_kept(site: Site) -> None:
    """Our clock is ahead then, and a verifier refuses every bundle that has it (T02)."""
    slow = Friend(is_ahead=timedelta(minutes=-6))
    assert not send(slow, 1)
    assert not AnchorReceipt.objects.exists()
    [(op, result, why)] = alarms(site)
    assert (op, result) == ("anchor.refused", "failed")
    assert "360 s before the checkpoint's: our clock is ahead" in why
    slow.is_ahead = timedelta(minutes=-5)
    assert send(slow, 5)


def test_a_clock_that_was_ahead_and_is_put_back_stops_no_anchor(site: Site) -> None:
    daily = Friend(period=timedelta(days=1))
    years = 10 * 365 * 24 * 60
    assert send(daily, years)
    site.sequence(HOUR)
    site.sign()
    assert state(daily, 61).is_late
    assert send(daily, 61)
    assert not state(daily, 62).is_late


def test_a_try_that_a_clock_put_off_for_years_is_made_again(site: Site, friend: Friend) -> None:
    friend.fails = [Unreachable("no route")]
    assert not send(friend, 10 * 365 * 24 * 60)
    assert send(friend, 1)


def test_an_unsigned_epoch_does_not_go_out(site: Site, friend: Friend) -> None:
    site.sequence(HOUR)
    send(friend, 61)
    assert friend.got == [0]


def test_before_the_first_checkpoint_nothing_is_due(log: Log) -> None:
    assert not send(Friend(), 0)


def test_a_failure_is_tried_again_with_longer_and_longer_pauses(site: Site, friend: Friend) -> None:
    friend.fails = [Unreachable("Nobody there.")] * 3
    tries = [minute for minute in range(20) if _tries(friend, minute)]
    assert tries == [0, 1, 3, 7]
    assert friend.got == [0]
    assert state(friend, 8).failure == ""


def _tries(friend: Friend, minute: int) -> bool:
    waiting = len(friend.fails)
    return send(friend, minute) or len(friend.fails) < waiting


def test_pauses_double_up_to_half_an_hour() -> None:
    minutes = [pause_after(count) // MINUTE for count in (1, 2, 3, 4, 5, 6, 7, 50)]
    assert minutes == [1, 2, 4, 8, 16, 30, 30, 30]


def test_a_try_that_died_counts_as_a_failure(site: Site, friend: Friend) -> None:
    friend.fails = [SystemError("the power went out")]
    with pytest.raises(SystemError):
        send(friend, 0)
    assert state(friend, 0).failure == "The last try did not end."
    assert not send(friend, 0.5)
    assert send(friend, 1)


def test_two_workers_do_not_try_at_the_same_time(site: Site, friend: Friend) -> None:
    one = friend.set_up()

    class Slow(Friend):
        def send(self, checkpoint: SignedCheckpoint, last: Last | None) -> Given:
            assert not send_newest(one, now=at(1))
            return super().send(checkpoint, last)

    due([one], now=at(1))
    assert send_newest(Slow().set_up(), now=at(1))
    assert AnchorReceipt.objects.count() == 1


def test_an_unreachable_anchor_is_no_alarm_at_once(site: Site, friend: Friend) -> None:
    friend.fails = [Unreachable("Nobody there.")]
    send(friend, 1)
    found = state(friend, 1)
    assert (found.failure, found.is_alarming) == ("Nobody there.", False)
    assert alarms(site) == []


def test_a_refused_checkpoint_raises_its_alarm_once(site: Site, friend: Friend) -> None:
    friend.fails = [AnchorRefused("The file was cut.")] * 2
    send(friend, 0)
    send(friend, 1)
    assert alarms(site) == [("anchor.refused", "failed", "The file was cut.")]
    found = state(friend, 1)
    assert (found.is_refused, found.is_alarming, found.failure) == (True, True, "The file was cut.")


def test_the_log_forgets_nothing_so_that_no_address_of_an_anchor_enters_it(
    site: Site, friend: Friend
) -> None:
    friend.fails = [
        AnchorRefused(
            "https://me:s3cret@tsa.example:8443/stamp?key=s3cret: no <jane@telco.example>"
        ),
        Unreachable("https://me:s3cret@tsa.example/stamp does not answer."),
    ]
    send(friend, 0)
    said = "https://tsa.example:8443: no <…@telco.example>"
    assert alarms(site) == [("anchor.refused", "failed", said)]
    assert state(friend, 0).failure == said
    send(friend, 10)
    tell_late([friend.set_up().expected], now=at(10_000))
    [_refused, (op, _result, why)] = alarms(site)
    assert op == "anchor.late"
    assert why.endswith("yet. https://tsa.example does not answer.")


def test_the_next_receipt_ends_the_alarm_and_a_new_refusal_raises_it_again(
    site: Site, friend: Friend
) -> None:
    friend.fails = [AnchorRefused("No.")]
    send(friend, 0)
    send(friend, 1)
    assert not state(friend, 1).is_alarming
    site.sequence(HOUR)
    site.sign()
    friend.fails = [AnchorRefused("No again.")]
    send(friend, 61)
    ops = [op for op, _result, _why in alarms(site)]
    assert ops == ["anchor.refused", "anchor.receipt", "anchor.refused"]


def test_a_late_anchor_raises_its_alarm_once(site: Site, friend: Friend) -> None:
    send(friend, 0)
    wanted = [friend.set_up().expected]
    assert tell_late(wanted, now=at(180)) == []
    assert tell_late(wanted, now=at(181)) == ["friend"]
    assert tell_late(wanted, now=at(182)) == []
    said = "No checkpoint was placed there since 2026-03-01 09:00 UTC."
    assert alarms(site)[-1] == ("anchor.late", "failed", said)
    assert state(friend, 181).is_late


def test_an_anchor_that_never_gave_anything_becomes_late_too(site: Site, friend: Friend) -> None:
    friend.fails = [Unreachable("Nobody there.")]
    send(friend, 0)
    assert tell_late([friend.set_up().expected], now=at(181)) == ["friend"]
    assert alarms(site)[-1][2] == "No checkpoint was placed there yet. Nobody there."


def test_after_a_late_receipt_the_alarm_can_be_raised_again(site: Site, friend: Friend) -> None:
    send(friend, 0)
    wanted = [friend.set_up().expected]
    tell_late(wanted, now=at(200))
    site.sequence(200 * 60)
    site.sign()
    assert send(friend, 201)
    assert not state(friend, 201).is_late
    assert tell_late(wanted, now=at(400)) == ["friend"]


# --- The signer's silence


def test_an_epoch_that_stays_unsigned_is_told(site: Site) -> None:
    site.sequence(HOUR)
    assert silence(now=at(61)) is None
    found = silence(now=at(63))
    assert found == Silence(at(60), is_unsigned=True)
    assert [tell_silence(found, now=at(63)), tell_silence(found, now=at(64))] == [True, False]
    [(op, result, why)] = alarms(site)
    assert (op, result) == ("checkpoint.late", "failed")
    assert why.startswith("The epoch of 2026-03-01 10:00 UTC has no signature")


def test_a_sequencer_that_stopped_is_told(site: Site) -> None:
    assert silence(now=at(70)) is None
    assert silence(now=at(71)) == Silence(at(0), is_unsigned=False)


def test_the_silence_can_be_told_again_after_it_ended(site: Site) -> None:
    found = Silence(at(0), is_unsigned=False)
    told = [tell_silence(one, now=at(80)) for one in (found, None, found)]
    assert told == [True, False, True]


def test_a_signer_that_refuses_raises_the_alarm(site: Site) -> None:
    site.attack("UPDATE audit_event SET body = body || ' ' WHERE ws = :marketing")
    site.rehash()
    site.sequence(HOUR)
    with pytest.raises(Refused):
        site.sign()
    assert silence(now=at(63)) == Silence(at(60), is_unsigned=True)


# --- Which there are


@pytest.fixture
def nothing(settings: Settings) -> Settings:
    return settings


def test_without_settings_there_is_none(nothing: Settings) -> None:
    assert installed() == []


def test_an_anchor_is_there_when_its_setting_is(nothing: Settings) -> None:
    nothing.AUDIT_ANCHOR_FILE = "/anchors/file"
    nothing.AUDIT_TSA_URL = "http://tsa.example/"
    nothing.AUDIT_ANCHOR_MAIL = ["notary@regulator.example"]
    nothing.AUDIT_ANCHOR_SYSLOG = "udp://log.example:514"
    nothing.AUDIT_WITNESS_URL = "https://witness.example/"
    names = [(one.expected.name, one.expected.kind) for one in installed()]
    assert names == [(name, name) for name in ("file", "tsa", "mail", "syslog", "witness")]


def test_patience_is_the_period_and_the_grace(nothing: Settings) -> None:
    nothing.AUDIT_ANCHOR_MAIL = ["notary@regulator.example"]
    nothing.AUDIT_ANCHOR_FILE = "/anchors/file"
    hours = [one.expected.patience // timedelta(hours=1) for one in installed()]
    assert hours == [3, 26]


@dataclass
class Point:
    """An entry point of another package."""

    name: str
    value: str
    made: object

    def load(self) -> object:
        if isinstance(self.made, Exception):
            raise self.made
        return lambda: self.made


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Point]]:
    points: list[Point] = []
    monkeypatch.setattr(finding, "entry_points", lambda group: points)
    finding._plugged.cache_clear()
    yield points
    finding._plugged.cache_clear()


def test_other_packages_bring_their_own(plugged: list[Point], nothing: Settings) -> None:
    plugged += [Point("friend", "friends:make", Friend()), Point("off", "friends:off", None)]
    assert [one.expected.name for one in installed()] == ["friend"]


def test_one_that_cannot_be_loaded_is_shown_as_refused(
    site: Site, plugged: list[Point], nothing: Settings
) -> None:
    plugged.append(Point("friend", "friends:make", ImportError("no friends")))
    [one] = installed()
    due([one], now=at(1))
    assert not send_newest(one, now=at(1))
    [(_op, _result, why)] = alarms(site)
    assert why == "The anchor friends:make cannot be used: ImportError: no friends"


# --- The command


def listed(*words: str) -> tuple[int, str]:
    """Return the exit code and what `audit_anchors` said."""
    out = StringIO()
    try:
        call_command("audit_anchors", *words, stdout=out)
    except SystemExit as left:
        return int(left.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_the_command_says_when_there_is_no_anchor(nothing: Settings) -> None:
    assert listed() == (2, "No checkpoint leaves this machine: no anchor is set up.\n")


def test_the_command_hands_out_what_waits_and_lists_it(
    site: Site, nothing: Settings, tmp_path: Path
) -> None:
    nothing.AUDIT_ANCHOR_FILE, nothing.DEBUG = str(tmp_path / "file"), True
    code, said = listed("--now")
    assert (code, said.startswith("file (file): REFUSED, no receipt yet; There is no file")) == (
        2,
        True,
    )
    (tmp_path / "file").touch()
    Anchor.objects.update(next_try_at=NOW)
    code, said = listed("--now")
    assert (code, said.startswith("file (file): ok, epoch 0, ")) == (0, True)


# --- The worker, and the reader at the end


def test_the_sweep_and_its_tasks_do_it_all(
    site: Site, nothing: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    nothing.AUDIT_ANCHOR_FILE, nothing.DEBUG = str(tmp_path / "file"), True
    monkeypatch.setattr(send_to_anchor, "delay", send_to_anchor)
    sweep_anchors()
    assert [row.epoch for row in AnchorReceipt.objects.all()] == [0]
    ops = [op for (op,) in rows(site.superuser, "SELECT op FROM audit_event ORDER BY id")]
    assert ops[-4:] == ["anchor.receipt", "checkpoint.late", "audit.late", "log_key.publish"]
    assert Anchor.objects.get(name="file").try_count == 0


def test_a_reader_reaches_level_c_by_stamp_and_cosignature(
    site: Site, nothing: Settings, tmp_path: Path
) -> None:
    """The receipts as they are stored, in the places that the format names."""
    with (
        authority(tmp_path / "tsa") as tsa,
        witness(handed.ORIGIN, site.key.public) as seen,
    ):
        nothing.AUDIT_TSA_URL, nothing.AUDIT_TSA_CA = tsa.url, str(tsa.ca)
        nothing.AUDIT_WITNESS_URL, nothing.AUDIT_WITNESS_KEY = seen.url, seen.verifier_key
        seen.clock = int(NOW.timestamp()) + 5
        anchors = installed()
        due(anchors, now=at(0))
        assert [send_newest(one, now=datetime.now(UTC)) for one in anchors] == [True, True]
    receipts = {row.kind: bytes(row.content) for row in AnchorReceipt.objects.all()}
    report = handed.read(
        site,
        tmp_path / "bundle",
        str(site.key),
        files={"anchors/0-tsa.tsr": receipts["tsa"]},
        note=(site.notes()[0] or "") + receipts["witness"].decode(),
        witnesses=(verifier.read_key(seen.verifier_key),),
        witness_count=1,
        authority=tsa.ca,
        workspace=str(MARKETING),
    )
    assert (report.exit_code, report.level) == (0, "C"), report.findings
    assert len(report.grounds) == 2


def test_the_newest_checkpoint_proves_that_it_continues_the_older_ones(site: Site) -> None:
    for hour in range(1, 6):
        site.sequence(hour * HOUR)
    site.sign()
    with witness(handed.ORIGIN, site.key.public) as seen:
        newest = newest_checkpoint()
        assert newest is not None
        assert newest.proof(0) == []
        anchor = WitnessAnchor(seen.url, seen.verifier_key)
        seen.seen[handed.ORIGIN] = (1, site.epochs()[0].leaf())
        anchor.send(newest, Last(0, b"", NOW))
        assert seen.seen[handed.ORIGIN][0] == 6


def test_a_file_on_disk_gets_the_stored_note(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    newest = newest_checkpoint()
    assert newest is not None
    FileAnchor(str(tmp_path / "file"), may_be_own=True).send(newest, None)
    assert (site.notes()[0] or "").splitlines()[0] in (tmp_path / "file").read_text()
