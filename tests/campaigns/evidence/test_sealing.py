"""Sealing: everything that is recorded is in exactly one segment, whenever it is committed."""

import json
from collections import Counter
from datetime import timedelta
from hashlib import sha256

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from audit.rules import hashes
from audit.rules.canonical import encode, stamp
from audit.rules.segments import TERM_DAYS, line_salt, text_value
from campaigns.actions.sealing import seal_messages
from campaigns.actions.segment_upkeep import prune_segments, remove_strays
from campaigns.models import MessageSegment, Sealing
from campaigns.queries.sealed import key_context
from campaigns.queries.sealing_state import unsealed_since
from campaigns.queries.segment_files import segments_folder
from campaigns.rules.outcome_lines import place_of
from smpp_client.carrier import Kind
from tests import make
from tests.campaigns.evidence.ground import REASON, Sealed
from tests.workspaces import make as people
from tests.workspaces.log import entries
from workspaces.models import Workspace
from workspaces.queries.keys import keys
from workspaces.scope import scope, scope_everywhere

LONG = "Hello {{name}}, " + "this text takes two segments. " * 7


def times_sealed(sealed: Sealed) -> Counter[tuple[int, int, str]]:
    """Return how often each attempt was sealed with each receipt."""
    lines = [line for segment in sealed.segments() for line in sealed.lines(segment)]
    return Counter((line["position"], line["part"], line["receipt"]) for line in lines)


def test_an_hour_is_one_file_whose_root_stands_in_the_chain(sealed: Sealed) -> None:
    campaign, _ = sealed.send(rows=4, text=LONG)
    assert sealed.seal() == 8
    (segment,) = sealed.segments()
    data = sealed.path(segment).read_bytes()
    lines = data.splitlines()
    assert [encode(json.loads(line)) for line in lines] == lines
    assert [place_of(line) for line in lines] == sorted(place_of(line) for line in lines)
    assert [json.loads(line)["n"] for line in lines] == list(range(1, 9))
    entry = [one for one in entries(sealed.place) if one["op"] == "messages.sealed"][-1]
    said = {name: change[1] for name, change in entry["diff"].items()}
    root = hashes.tree_root([hashes.leaf_hash(line) for line in lines])
    assert (said["root"], said["lines"], said["number"]) == (root.hex(), 8, 1)
    assert (said["sha256"], said["bytes"]) == (sha256(data).hexdigest(), len(data))
    assert str(segment.eid) == entry["eid"]
    [[sender]] = sealed.sql(
        "SELECT r.value FROM campaign c JOIN sender_revision r ON r.id = c.sender_revision_id"
        " WHERE c.id = %s",
        campaign.pk,
    )
    assert {json.loads(line)["sender"] for line in lines} == {sender}


def test_a_line_commits_to_its_number_and_its_text_under_one_salt(sealed: Sealed) -> None:
    campaign, _ = sealed.send(rows=3)
    sealed.seal()
    (segment,) = sealed.segments()
    context = key_context(sealed.place.pk, 1)
    key = bytes.fromhex(keys().open(bytes(segment.key_sealed or b""), context))
    line = sealed.lines(segment)[sealed.position(campaign, 1)]
    salt = line_salt(key, line["n"])
    assert line["number"] == hashes.commitment(salt, "number", f"+{make.number(1)}")
    assert line["text"] == hashes.commitment(salt, "text", text_value("Hello Name1"))
    assert make.number(1) not in sealed.path(segment).read_text()


def test_a_receipt_of_a_later_hour_is_sealed_in_that_hour_and_nothing_else(sealed: Sealed) -> None:
    _, segments = sealed.send(rows=4)
    assert sealed.seal() == 4
    assert sealed.seal() == 0
    sealed.receipts(segments[:2])
    assert sealed.seal(hours=1) == 2
    assert sealed.seal(hours=2) == 0
    first, second = sealed.segments()
    assert [line["receipt"] for line in sealed.lines(second)] == ["delivered", "delivered"]
    assert (second.number, second.since_at) == (2, first.until_at)


def test_the_entry_of_a_long_pass_is_of_its_end_and_the_segment_of_its_beginning(
    sealed: Sealed,
) -> None:
    """Verifiers warn for ever of an entry that claims to be much older than its number."""
    sealed.send(rows=1)
    ended = sealed.now + timedelta(minutes=25)
    assert seal_messages(sealed.now, clock=lambda: ended)
    said = entries(sealed.place)[-1]
    assert (said["t"], said["diff"]["until"]) == (stamp(ended), [None, stamp(sealed.now)])
    assert sealed.segments()[0].until_at == sealed.now


def test_what_commits_late_is_sealed_once_although_others_were_before(sealed: Sealed) -> None:
    campaign, segments = sealed.send(rows=5)
    late = sealed.connect("app")
    late.execute("SELECT set_config('app.workspace', '*', false)")
    with late.transaction():
        # A savepoint has a transaction id of its own, which no snapshot lists.
        with late.transaction():
            late.execute(
                "UPDATE submission SET receipt_state = 'delivered' WHERE position = %s",
                [segments[0].key.position],
            )
        sealed.receipts(segments[1:3])
        sealed.seal()
    sealed.seal(hours=1)
    sealed.seal(hours=2)
    found = times_sealed(sealed)
    assert found[segments[0].key.position, 1, "delivered"] == 1
    assert max(found.values()) == 1
    assert {position for position, _, _ in found} == set(range(campaign.total))


def test_a_change_that_is_rolled_back_is_in_no_segment(sealed: Sealed) -> None:
    sealed.send(rows=2)
    late = sealed.connect("app")
    late.execute("SELECT set_config('app.workspace', '*', false)")
    sealed.seal()
    with late.transaction() as undone:
        late.execute("UPDATE submission SET receipt_state = 'delivered'")
        raise psycopg.Rollback(undone)
    assert sealed.seal(hours=1) == 0


def test_every_fate_is_sealed_with_its_answer(sealed: Sealed) -> None:
    sealed.campaign(rows=3)
    with scope_everywhere(REASON):
        one, two, three = sealed.desk.claim()
        sealed.desk.record([one], Kind.REFUSED, 0x0B)
        sealed.desk.record([two], Kind.UNKNOWN)
        sealed.desk.record([three], Kind.DEFERRED, 0x58)
    sealed.seal()
    lines = {line["position"]: line for line in sealed.lines(sealed.segments()[0])}
    found = [
        (lines[one.key.position]["kind"], lines[one.key.position]["status"])
        for one in (one, two, three)
    ]
    assert found == [("refused", 0x0B), ("unknown", 0), ("deferred", 0x58)]


def test_an_erased_number_leaves_its_line_without_commitments(sealed: Sealed) -> None:
    campaign, _ = sealed.send(rows=2)
    sealed.sql(
        "UPDATE recipient SET number_sealed = NULL WHERE fingerprint = %s",
        keys().fingerprint(make.number(0)),
    )
    sealed.seal()
    lines = sealed.lines(sealed.segments()[0])
    gone = lines[sealed.position(campaign, 0)]
    kept = lines[sealed.position(campaign, 1)]
    assert not {"number", "text"} & set(gone)
    assert {"number", "text"} <= set(kept)


def another(sealed: Sealed, slug: str) -> Workspace:
    """Have three messages of another workspace accepted over the same connection."""
    other = people.workspace(slug)
    me = people.me_in(other, "admin")
    with scope_everywhere(REASON):
        route = make.route(other, sealed.desk.connection)
        make.sending(me, route, 3)
        later = timezone.now() + timedelta(seconds=1)  # routes are looked at a few times a second
        sealed.desk.record(sealed.desk.claim(now=later), Kind.SUBMITTED)
    return other


def test_each_workspace_has_its_own_segments(sealed: Sealed) -> None:
    sealed.send(rows=2)
    other = another(sealed, "other")
    assert sealed.seal() == 5
    assert [one.line_count for one in sealed.segments()] == [2]
    assert [one.line_count for one in sealed.segments(other)] == [3]
    with scope(other):
        assert MessageSegment.objects.count() == 1


def test_where_one_file_cannot_be_written_the_others_do_not_stay(sealed: Sealed) -> None:
    """Each try of each minute would leave its own, on a disk that is full."""
    sealed.send(rows=2)
    other = another(sealed, "blocked")
    segments_folder().mkdir(parents=True)
    blocked = segments_folder() / str(other.uuid)
    blocked.write_text("a file where the folder should be")
    with pytest.raises(OSError, match=str(other.uuid)):
        sealed.seal()
    assert [path for path in segments_folder().rglob("*") if path.is_file()] == [blocked]
    blocked.unlink()
    assert sealed.seal() == 5


def test_a_clock_that_was_ahead_and_is_put_back_stops_no_sealing(sealed: Sealed) -> None:
    _campaign, segments = sealed.send(rows=2)
    assert sealed.seal(hours=10 * 365 * 24) == 2
    sealed.receipts(segments)
    assert unsealed_since(sealed.now + timedelta(days=3_650), sealed.now) is not None
    assert sealed.seal(hours=1) == 2
    assert sealed.seal(hours=1) == 0


def test_of_two_passes_one_works(sealed: Sealed) -> None:
    sealed.send(rows=2)
    other = sealed.connect("app")
    with other.transaction():
        other.execute("SELECT pg_advisory_xact_lock(hashtext('seal_messages'))")
        assert sealed.seal() == 0
    assert sealed.seal() == 2


def test_a_disk_that_takes_no_file_seals_nothing_and_loses_nothing(sealed: Sealed) -> None:
    sealed.send(rows=2)
    folder = segments_folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("a file where the folder should be")
    with pytest.raises(OSError, match="segments"):
        sealed.seal()
    assert Sealing.objects.count() == 0
    folder.unlink()
    assert sealed.seal() == 2


def test_days_for_which_no_receipt_is_awaited_are_read_once_a_day(sealed: Sealed) -> None:
    sealed.send(rows=3)
    sealed.seal()
    sealed.sql("UPDATE submission SET batch_on = batch_on - 20")
    # The rows are new versions, of an old day.
    assert sealed.seal(hours=1) == (3 if is_new_day(sealed, 1) else 0)
    hours = 24 - sealed.now.hour
    assert sealed.seal(hours=hours) == (0 if is_new_day(sealed, 1) else 3)
    assert sealed.seal(hours=hours + 1) == 0


def is_new_day(sealed: Sealed, hours: int) -> bool:
    """Whether it is another day so many hours later."""
    return (sealed.now + timedelta(hours=hours)).date() > sealed.now.date()


def test_in_another_database_all_is_sealed_again(sealed: Sealed) -> None:
    sealed.send(rows=2)
    sealed.seal()
    elsewhere = sealed.connect("owner")
    elsewhere.execute("UPDATE sealing SET cluster = 'another', horizon = 2^40")
    assert sealed.seal(hours=1) == 2
    assert sealed.seal(hours=2) == 0


def test_when_the_term_is_over_key_and_file_go_and_the_root_stays(sealed: Sealed) -> None:
    sealed.send(rows=2)
    sealed.seal()
    (before,) = sealed.segments()
    assert prune_segments(sealed.now + timedelta(days=TERM_DAYS - 1)) == 0
    assert prune_segments(sealed.now + timedelta(days=TERM_DAYS + 1)) == 1
    (after,) = sealed.segments()
    assert (after.key_sealed, sealed.path(before).exists()) == (None, False)
    assert bytes(after.root) == bytes(before.root)
    assert entries(sealed.place)[-1]["op"] == "messages.prune"
    assert prune_segments(sealed.now + timedelta(days=TERM_DAYS + 2)) == 0


def test_files_without_a_row_are_removed_a_day_later(sealed: Sealed) -> None:
    sealed.send(rows=2)
    sealed.seal()
    kept = sealed.path(sealed.segments()[0])
    stray = kept.with_name("00000009-killed.jsonl")
    stray.write_text("of a pass that was killed")
    assert remove_strays(sealed.now) == 0
    assert remove_strays(sealed.now + timedelta(days=2)) == 1
    assert list(kept.parent.iterdir()) == [kept]


def test_what_was_sealed_cannot_be_changed_by_the_application(sealed: Sealed) -> None:
    sealed.send(rows=2)
    sealed.seal()
    for statement in (
        "UPDATE message_segment SET root = ''",
        "DELETE FROM message_segment",
        "UPDATE sealing SET horizon = 0",
    ):
        with scope_everywhere(REASON), pytest.raises(Exception, match="permission denied"):
            connection.cursor().execute(statement)
