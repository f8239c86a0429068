"""What the pages ask of the log, as the runtime role within a workspace's scope."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.db import connection

from audit.queries import names
from audit.queries.entries import Filter, Row, entry_of, of_object, page
from audit.queries.status import chain_status
from audit.rules.events import Actor, Obj
from tests.audit.conftest import Log
from tests.audit.make import INSTALL, MARKETING, NOW, ROAMING, append
from tests.audit.site import HOUR, Site


def see(scope: UUID | str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.workspace_uuid', %s, false)", [str(scope)])


@pytest.fixture
def site(log: Log, tmp_path: Path) -> Site:
    site = Site(log, tmp_path / "audit")
    see(MARKETING)
    return site


def numbers(rows: Sequence[Row]) -> list[int | None]:
    return [row.seq for row in rows]


def test_the_newest_entry_comes_first(site: Site) -> None:
    site.write(MARKETING, MARKETING, ROAMING)
    site.sequence(0)
    assert numbers(page(MARKETING).rows) == [2, 1]


def test_what_waits_for_a_number_is_shown_before_all(site: Site) -> None:
    site.write()
    site.sequence(0)
    waiting = site.write()
    rows = page(MARKETING).rows
    assert numbers(rows) == [None, 1]
    assert (rows[0].eid, rows[0].hash) == (waiting.eid, None)


def test_older_entries_are_asked_for_by_number(site: Site) -> None:
    site.write(*[MARKETING] * 5)
    site.sequence(0)
    first = page(MARKETING, limit=2)
    second = page(MARKETING, limit=2, before=first.before)
    last = page(MARKETING, limit=2, before=second.before)
    assert [numbers(one.rows) for one in (first, second, last)] == [[5, 4], [3, 2], [1]]
    assert last.before is None


def test_a_full_last_page_says_that_it_is_the_last(site: Site) -> None:
    site.write(MARKETING, MARKETING)
    site.sequence(0)
    assert page(MARKETING, limit=2).before is None


def test_a_row_says_all_that_was_recorded(site: Site) -> None:
    event = append(
        site.runtime,
        actor=Actor("api", "key_1", "usr_6"),
        diff={"state": ("in_review", "approved")},
        personal={"msisdn": "ab" * 32},
        why="Fits.",
        request_id="req_1",
        result="denied",
    )
    site.sequence(HOUR)
    [row] = page(MARKETING).rows
    assert (row.eid, row.seq, row.at) == (event.eid, 1, NOW + timedelta(hours=1))
    assert (row.op, row.result, row.actor) == ("campaign.approve", "denied", event.actor)
    assert (row.obj, row.claimed_at) == (Obj("campaign", "cmp_3"), NOW)
    assert row.diff == {"state": ["in_review", "approved"]}
    assert (row.personal, row.why, row.request_id) == (["msisdn"], "Fits.", "req_1")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter(op="campaign."), [4, 3, 1]),
        (Filter(op="campaign.pause"), [3]),
        (Filter(op="camp%"), []),
        (Filter(actor="usr_7"), [3]),
        (Filter(result="denied"), [4]),
        (Filter(ids=["usr_7", "snd_1"]), [3, 2]),
        (Filter(since=NOW + timedelta(hours=2)), [4, 3]),
        (Filter(until=NOW + timedelta(hours=2)), [2, 1]),
        (
            Filter(op="campaign.", since=NOW + timedelta(hours=1), until=NOW + timedelta(hours=3)),
            [3],
        ),
    ],
)
def test_entries_are_filtered(site: Site, wanted: Filter, found: list[int]) -> None:
    append(site.runtime)
    site.sequence(0)
    append(site.runtime, op="sender.approve", obj=Obj("sender", "snd_1"))
    site.sequence(HOUR)
    append(site.runtime, op="campaign.pause", actor=Actor("user", "usr_7"))
    site.sequence(2 * HOUR)
    append(site.runtime, result="denied")
    site.sequence(3 * HOUR)
    assert numbers(page(MARKETING, wanted=wanted).rows) == found


def test_what_waits_is_filtered_too(site: Site) -> None:
    append(site.runtime)
    append(site.runtime, op="sender.approve")
    [row] = page(MARKETING, wanted=Filter(op="sender.")).rows
    assert row.op == "sender.approve"


def test_what_waits_is_not_part_of_a_period_that_is_over(site: Site) -> None:
    append(site.runtime)
    assert page(MARKETING, wanted=Filter(until=NOW + timedelta(days=400))).rows == []


def test_another_workspaces_entries_are_not_seen_even_when_asked_for(site: Site) -> None:
    event = site.write(ROAMING)
    site.sequence(0)
    assert page(ROAMING).rows == []
    assert entry_of(ROAMING, event.eid) is None
    assert chain_status(ROAMING, now=NOW).entry_count == 0


def test_another_workspaces_entry_is_not_this_ones(site: Site) -> None:
    event = site.write(ROAMING)
    see("*")
    assert entry_of(MARKETING, event.eid) is None


def test_one_entry_is_found_by_its_event(site: Site) -> None:
    event = site.write()
    site.sequence(0)
    row = entry_of(MARKETING, event.eid)
    assert row is not None
    assert (row.seq, row.prev is not None) == (1, True)


def test_an_entry_that_does_not_exist_is_none(site: Site) -> None:
    assert entry_of(MARKETING, uuid4()) is None


def test_an_objects_history_is_its_own(site: Site) -> None:
    append(site.runtime, obj=Obj("campaign", "cmp_3"))
    append(site.runtime, obj=Obj("campaign", "cmp_4"))
    append(site.runtime, obj=Obj("sender", "cmp_3"))
    site.sequence(0)
    append(site.runtime, obj=Obj("campaign", "cmp_3"))
    assert numbers(of_object(MARKETING, Obj("campaign", "cmp_3"))) == [None, 1]


def test_the_status_counts_what_is_signed_open_and_waiting(site: Site) -> None:
    site.write(MARKETING, MARKETING)
    site.sequence(0)
    site.sign()
    site.write()
    site.sequence(1)
    site.write()
    status = chain_status(MARKETING, now=NOW + timedelta(minutes=5))
    assert (status.signed_count, status.open_count, status.waiting_count) == (2, 1, 1)
    assert (status.age, status.is_stale) == (timedelta(minutes=5), False)


def test_the_status_names_the_last_checkpoints_oldest_first(site: Site) -> None:
    site.hours(7)
    status = chain_status(MARKETING, now=NOW)
    assert [(one.epoch, one.entry_count) for one in status.checkpoints] == [
        (2, 3),
        (3, 4),
        (4, 5),
        (5, 6),
        (6, 7),
    ]
    assert status.last is not None
    assert status.last.root == site.held.root.hex()


def test_an_epoch_without_news_keeps_the_length(site: Site) -> None:
    site.hours(1)
    for hour in (1, 2):
        site.sequence(hour * HOUR)
    site.sign()
    assert [one.entry_count for one in chain_status(MARKETING, now=NOW).checkpoints] == [1, 1, 1]


def test_an_overdue_checkpoint_is_stale(site: Site) -> None:
    site.hours(1)
    assert chain_status(MARKETING, now=NOW + timedelta(minutes=71)).is_stale


def test_a_chain_that_was_never_signed_is_stale(site: Site) -> None:
    site.write()
    site.sequence(0)
    status = chain_status(MARKETING, now=NOW)
    assert (status.is_stale, status.age, status.signed_count, status.open_count) == (
        True,
        None,
        0,
        1,
    )


def test_the_system_chain_is_read_with_a_scope_of_everything(site: Site) -> None:
    site.sequence(0)
    site.sequence(1)
    see("*")
    assert [row.op for row in page(INSTALL).rows] == ["sequencer.start"]


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_resolvers", {})
    monkeypatch.setattr(names, "_finders", {})


def test_names_are_asked_for_once_and_only_the_known_come_back(registry: None) -> None:
    asked: list[Sequence[str]] = []

    def resolve(ids: Sequence[str]) -> Mapping[str, str]:
        asked.append(ids)
        return {"usr_6": "Malika Yusupova"}

    names.register("user", resolve)
    assert names.names("user", ["usr_7", "usr_6", "usr_6"]) == {"usr_6": "Malika Yusupova"}
    assert asked == [["usr_6", "usr_7"]]


def test_nobody_is_asked_for_no_ids_or_an_unknown_kind(registry: None) -> None:
    assert names.names("user", []) == {}
    assert names.names("planet", ["p_1"]) == {}


def test_a_text_is_looked_up_among_all_names_and_taken_as_an_id(registry: None) -> None:
    names.register("user", lambda ids: {}, find=lambda text: ["usr_6"] if "mal" in text else [])
    names.register("campaign", lambda ids: {}, find=lambda text: ["cmp_3"])
    assert names.find("mal") == ["cmp_3", "mal", "usr_6"]
