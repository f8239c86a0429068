"""Values go and entries go, each with an entry that says so; every hash stays valid."""

from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.utils import timezone
from psycopg import errors

from audit.actions.erase import EraseRefused, erase
from audit.actions.prune import PruneRefused, prune
from audit.actions.record import record
from audit.queries import chains
from audit.queries.checking import check
from audit.queries.kept import kept
from audit.queries.verification import verify
from audit.rules.canonical import decode_event
from audit.rules.events import Actor, Erased, Obj
from audit.rules.findings import Outside
from audit.rules.segments import TERM_DAYS
from tests.audit.conftest import Log
from tests.audit.make import (
    MARKETING,
    NOW,
    ROAMING,
    Connection,
    append,
    django_as,
    rows,
    see,
    without_guards,
)
from tests.audit.site import HOUR, Site

ADMIN = Actor("user", "usr_1")
WHAT = Obj("opt_out", "opt_1")
BASIS = "Request of the person, article 17(1)(b)"
YEARS = -3 * 365 * 24 * HOUR


@pytest.fixture
def site(log: Log, tmp_path: Path) -> Site:
    return Site(log, tmp_path / "audit")


@pytest.fixture
def reader(site: Site) -> Connection:
    chains.see_everything(site.runtime)
    return site.runtime


def personal(ws: UUID = MARKETING) -> UUID:
    """Record an act with two personal values."""
    return record(
        "optout.add",
        workspace=ws,
        actor=ADMIN,
        obj=WHAT,
        now=NOW,
        personal={"number": "+447700900001", "name": "Ada"},
    )


def erase_from(*values: Erased, ws: UUID = MARKETING, basis: str = BASIS) -> int:
    return erase(workspace=ws, values=values, actor=ADMIN, obj=WHAT, basis=basis, now=NOW)


def found(site: Site, reader: Connection) -> list[str]:
    """Return the codes of everything that the signer, the check and the verification say."""
    site.sign()
    report, _ = check(reader, before=None, outside=Outside(), now=NOW)
    whole = verify(reader, workspace=None, outside=Outside(), now=NOW)
    return [
        one.code
        for one in report.findings + whole.findings
        if one.code not in {"H00", "A00", "K00", "E05"}
    ]


def test_an_erased_value_is_gone_and_every_hash_is_valid(site: Site, reader: Connection) -> None:
    eid = personal()
    site.hours(1)
    assert erase_from(Erased(1, "number")) == 1
    assert kept(MARKETING, eid) == ["name"]
    left = rows(site.superuser, "SELECT field, value FROM audit_private.audit_disclosure")
    assert left == [("name", "Ada")]
    site.sequence(HOUR)
    assert found(site, reader) == []


def test_the_entry_names_what_was_erased_and_on_what_ground(site: Site) -> None:
    personal()
    site.sequence(0)
    erase_from(Erased(1, "number"), Erased(1, "name"))
    [(body,)] = rows(site.superuser, "SELECT body FROM audit_event WHERE op = 'pd.erase'")
    said = decode_event(body.encode())
    assert said["erased"] == [{"field": "name", "seq": 1}, {"field": "number", "seq": 1}]
    assert (said["why"], said["act"]["id"]) == (BASIS, "usr_1")


@pytest.mark.parametrize(
    "value", [Erased(2, "number"), Erased(1, "address")], ids=["no entry", "no value"]
)
def test_what_no_entry_commits_to_is_not_erased(site: Site, value: Erased) -> None:
    personal()
    site.sequence(0)
    with pytest.raises(EraseRefused, match="no such value"):
        erase_from(Erased(1, "number"), value)
    assert rows(site.superuser, "SELECT count(*) FROM audit_event WHERE op = 'pd.erase'") == [(0,)]
    assert rows(site.superuser, "SELECT count(*) FROM audit_private.audit_disclosure") == [(2,)]


def test_a_neighbours_value_is_not_erased(site: Site) -> None:
    personal(ROAMING)
    site.sequence(0)
    with pytest.raises(EraseRefused):
        erase_from(Erased(1, "number"))


def test_erasing_needs_a_legal_ground(site: Site) -> None:
    with pytest.raises(EraseRefused, match="legal ground") as refused:
        erase_from(Erased(1, "number"), basis="because")
    assert refused.value.field == "basis"


def test_nothing_is_erased_by_an_entry_of_another_transaction(site: Site) -> None:
    personal()
    site.sequence(0)
    erase_from(Erased(1, "number"))
    [(eid,)] = rows(site.superuser, "SELECT eid FROM audit_event WHERE op = 'pd.erase'")
    with pytest.raises(errors.InsufficientPrivilege, match="this transaction"):
        site.runtime.execute("SELECT audit_erase(%s, %s)", [MARKETING, eid])


@pytest.mark.parametrize("deed", ["DELETE FROM", "TRUNCATE"])
def test_a_superuser_erases_nothing_without_an_entry(site: Site, deed: str) -> None:
    personal()
    with pytest.raises(errors.InsufficientPrivilege):
        site.superuser.execute(f"{deed} audit_private.audit_disclosure")


def old_entries(site: Site) -> None:
    """Three entries of three years ago, signed, and one of today."""
    for hour in range(3):
        personal()
        site.sequence(YEARS + hour * HOUR)
        site.sign()
    site.hours(1)


def as_owner(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    django_as(site.log.ground.url("owner", site.log.name), monkeypatch)


def remove(before: datetime) -> int:
    return prune(
        workspace=MARKETING, before=before, actor=ADMIN, why="Five years are over.", now=NOW
    )


def test_removed_entries_leave_a_chain_that_verifies(
    site: Site, reader: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_entries(site)
    as_owner(site, monkeypatch)
    assert remove(NOW - timedelta(days=400)) == 3
    site.sequence(HOUR)
    assert found(site, reader) == []
    assert rows(site.superuser, "SELECT count(*) FROM audit_private.audit_disclosure") == [(0,)]
    see(site.runtime, MARKETING)
    left = [entry.is_removed for entry in chains.entries(site.runtime, MARKETING, after=0)]
    assert left == [True, True, True, False, False]


def test_what_sealed_messages_stays_for_the_term_of_their_evidence(
    site: Site, reader: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for days in (TERM_DAYS + 10, TERM_DAYS - 10, 500):
        append(site.runtime, op="messages.sealed", obj=Obj("segment", "seg_1"))
        personal()
        site.sequence((timezone.now() - timedelta(days=days) - NOW).total_seconds())
    site.sequence((timezone.now() - NOW).total_seconds())
    site.sign()
    as_owner(site, monkeypatch)
    assert remove(timezone.now() - timedelta(days=400)) == 4
    site.sequence((timezone.now() - NOW).total_seconds())
    assert found(site, reader) == []
    see(site.runtime, MARKETING)
    left = [entry.is_removed for entry in chains.entries(site.runtime, MARKETING, after=0)]
    assert left == [True, True, False, True, False, True, False]
    # The database spares them for the term that the product knows.
    query = "SELECT prosrc FROM pg_proc WHERE proname = 'audit_prune'"
    [(source,)] = rows(site.superuser, query)
    assert f"interval '{TERM_DAYS} days'" in source


def test_a_new_signer_follows_what_was_removed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    old_entries(site)
    as_owner(site, monkeypatch)
    remove(NOW - timedelta(days=400))
    site.sequence(HOUR)
    for name in ("signer.json", "held.note"):
        (site.folder.path / name).unlink()
    site.signer = None
    signer = site.start_signer(trusts=True)
    assert signer is not None
    assert len(signer.step(now=NOW)) == len(site.epochs())


def test_nothing_younger_than_a_year_is_removed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.write()
    site.sequence(0)
    site.sign()
    as_owner(site, monkeypatch)
    with pytest.raises(PruneRefused, match="older than a year"):
        prune(
            workspace=MARKETING,
            before=datetime.now(NOW.tzinfo) + timedelta(days=1),
            actor=ADMIN,
            why="Nobody needs it.",
            now=NOW,
        )


def test_nothing_is_removed_before_a_checkpoint_covers_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.write()
    site.sequence(YEARS)
    as_owner(site, monkeypatch)
    with pytest.raises(PruneRefused, match="under a signed checkpoint"):
        remove(NOW - timedelta(days=400))


def test_the_running_product_removes_nothing(site: Site) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        site.runtime.execute("SELECT audit_prune(%s, %s)", [MARKETING, MARKETING])


def test_an_event_that_a_superuser_takes_away_as_if_by_term_is_found(
    site: Site, reader: Connection
) -> None:
    site.hours(2)
    with without_guards(site.superuser):
        site.superuser.execute(
            "INSERT INTO audit_pruned (event_id, eid, leaf) SELECT v.id, v.eid, v.leaf"
            " FROM audit_event v JOIN audit_entry e ON e.event_id = v.id"
            " WHERE e.ws = %s AND e.seq = 2",
            [MARKETING],
        )
        site.superuser.execute(
            "DELETE FROM audit_event WHERE id = (SELECT event_id FROM audit_pruned)"
        )
    assert found(site, reader) == ["C01", "C01"]
