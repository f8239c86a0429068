"""Opt-outs: added, imported, found, lifted, each once, each written down."""

from datetime import timedelta

import pytest
from django.db import connection

from campaigns.actions import opt_outs
from campaigns.actions.opt_outs import (
    Imported,
    OptOutRefused,
    add_opt_out,
    import_opt_outs,
    lift_opt_out,
)
from campaigns.models import OptOut
from campaigns.queries.opt_outs import (
    find_opt_out,
    opt_out_count,
    opt_outs_of,
    page_of_opt_outs,
)
from campaigns.rules.faults import Fault
from tests.campaigns.lists import NOW
from tests.workspaces import make
from tests.workspaces.log import entries, ops
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope

pytestmark = pytest.mark.django_db

NUMBER = "07700 900001"


@pytest.fixture
def author(db: None) -> Me:
    return make.me_in(make.workspace("care"), Role.AUTHOR)


def added(me: Me, text: str = NUMBER, country: str = "GB") -> OptOut:
    """Opt a number out."""
    with scope(me.here):
        return add_opt_out(by=me, text=text, country=country, words="call", now=NOW)


def imported(me: Me, data: bytes, country: str = "GB") -> Imported:
    """Opt the numbers of a file out."""
    with scope(me.here):
        return import_opt_outs(by=me, data=data, country=country, words="STOP", now=NOW)


def lift(me: Me, one: OptOut, reason: str = "asked by e-mail") -> None:
    """Lift an opt-out."""
    with scope(me.here):
        lift_opt_out(by=me, opt_out_id=one.pk, reason=reason, now=NOW + timedelta(hours=1))


def test_an_added_number_is_sealed_and_found_by_any_spelling(author: Me) -> None:
    one = added(author)
    with scope(author.here):
        for spelling in ("+447700900001", "447700900001", "07700-900-001"):
            found = opt_outs_of(author.here, spelling, "GB")
            assert not isinstance(found, Fault)
            assert [(row.row.pk, row.number) for row in found] == [(one.pk, "+44 77 ••• ••• 01")]


def test_the_log_commits_to_the_number_and_does_not_say_it(author: Me) -> None:
    one = added(author)
    entry = entries(author.here)[-1]
    assert (entry["op"], entry["obj"]["id"], entry["why"]) == (
        "optout.add",
        f"opt_{one.pk}",
        "call",
    )
    assert list(entry["pd"]) == ["number"]
    assert "7700900001" not in str(entry)


def test_a_number_is_opted_out_once(author: Me) -> None:
    added(author)
    with pytest.raises(OptOutRefused, match="opted out already") as refused:
        added(author, "+447700900001")
    assert refused.value.field == "number"
    assert len(ops(author.here)) == len(set(map(str, ops(author.here))))


@pytest.mark.parametrize(
    ("text", "words"), [("", "Add a phone number"), ("12", "Digits are missing"), ("x", "not a")]
)
def test_what_is_no_number_is_refused_with_its_sentence(author: Me, text: str, words: str) -> None:
    with pytest.raises(OptOutRefused, match=words):
        added(author, text)


def test_an_unknown_country_is_refused(author: Me) -> None:
    with pytest.raises(OptOutRefused, match="Choose a country"):
        added(author, country="XX")
    with pytest.raises(OptOutRefused, match="Choose a country"):
        imported(author, b"07700900001\n", "XX")


def test_an_import_adds_what_is_new_and_tells_the_rest(author: Me) -> None:
    added(author)
    done = imported(author, b"phone;why\n07700900001;x\n07700900002;x\n07700900002;x\n12;x\n")
    assert (done.added_count, done.known_count, done.fault_count) == (1, 2, 1)
    assert [(one.row_number, one.sentence, one.text) for one in done.faults] == [
        (5, "Digits are missing.", "12")
    ]
    assert ops(author.here)[-1] == (
        "optout.import",
        f"wsp_{author.here.pk}",
        {"added": [None, 1], "known": [None, 2], "faults": [None, 1]},
    )


def test_an_import_twice_adds_nothing_the_second_time(author: Me) -> None:
    data = b"".join(b"0770090%04d\n" % index for index in range(1000))
    assert imported(author, data).added_count == 1000
    assert imported(author, data).known_count == 1000
    with scope(author.here):
        assert opt_out_count(author.here) == 1000


def test_a_large_import_moves_in_batches(author: Me, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opt_outs, "BATCH", 3)
    assert imported(author, b"".join(b"077009000%02d\n" % n for n in range(10))).added_count == 10


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "The file is empty"),
        (b"PK\x03\x04", "Excel workbook"),
        (b"phone,name\n", "no rows below"),
        (b"x" * 10_000_001, "10 MB"),
    ],
)
def test_a_file_that_is_no_list_is_refused(author: Me, data: bytes, words: str) -> None:
    with pytest.raises(OptOutRefused, match=words):
        imported(author, data)


def test_too_many_rows_are_refused_before_anything_is_stored(
    author: Me, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opt_outs, "MOST_IMPORT_ROWS", 2)
    with pytest.raises(OptOutRefused, match="Split it"):
        imported(author, b"07700900001\n07700900002\n07700900003\n")
    with scope(author.here):
        assert opt_out_count(author.here) == 0


def test_a_lifted_opt_out_stays_in_the_history_and_suppresses_no_more(author: Me) -> None:
    one = added(author)
    lift(author, one)
    with scope(author.here):
        assert opt_out_count(author.here) == 0
        (row,) = page_of_opt_outs(author.here, is_lifted=True).rows
    assert (row.row.pk, row.row.lifted_by) == (one.pk, author.user)
    entry = entries(author.here)[-1]
    assert (entry["op"], entry["why"], list(entry["pd"])) == (
        "optout.lift",
        "asked by e-mail",
        ["number"],
    )


def test_a_lifted_number_can_be_opted_out_again(author: Me) -> None:
    lift(author, added(author))
    assert added(author).lifted_at is None


def test_an_opt_out_is_lifted_once(author: Me) -> None:
    one = added(author)
    lift(author, one)
    with pytest.raises(OptOutRefused, match="lifted already"):
        lift(author, one)


def test_lifting_needs_a_reason(author: Me) -> None:
    with pytest.raises(OptOutRefused, match="Say why"):
        lift(author, added(author), "  x ")


def test_a_neighbours_opt_outs_do_not_exist(author: Me) -> None:
    one = added(author)
    stranger = make.me_in(make.workspace("roaming"), Role.ADMIN)
    with scope(stranger.here):
        assert opt_outs_of(stranger.here, NUMBER, "GB") == []
        assert find_opt_out(stranger.here, one.pk) is None
        assert page_of_opt_outs(stranger.here, is_lifted=False).rows == []
    with pytest.raises(OptOutRefused):
        lift(stranger, one)
    assert added(stranger).workspace == stranger.here


def test_pages_follow_each_other_without_gap_or_repetition(
    author: Me, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campaigns.queries.opt_outs.PAGE", 2)
    imported(author, b"".join(b"0770090000%d\n" % number for number in range(5)))
    seen, before = [], 0
    with scope(author.here):
        while True:
            page = page_of_opt_outs(author.here, is_lifted=False, before=before)
            seen += [one.row.pk for one in page.rows]
            if not page.before:
                break
            before = page.before
        everything = list(OptOut.objects.order_by("-pk").values_list("pk", flat=True))
    assert seen == everything


def test_an_opt_out_is_what_the_claim_looks_at(author: Me) -> None:
    """The claim joins on workspace, fingerprint and a missing lift; the row has to be that one."""
    one = added(author)
    with scope(author.here), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM opt_out WHERE workspace_id = %s AND fingerprint = %s"
            " AND lifted_at IS NULL",
            [author.here.pk, bytes(one.fingerprint)],
        )
        assert cursor.fetchone() == (1,)
