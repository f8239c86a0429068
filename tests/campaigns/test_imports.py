"""Imports: what becomes of each row, and that nothing is lost or stored twice however it stops."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from campaigns.actions import imports, lists
from campaigns.actions.imports import Run, import_chunk, lists_to_import
from campaigns.actions.list_moves import ListRefused, WrongState
from campaigns.models import ListState, OptOut, RecipientFault
from campaigns.queries.list_files import file_of
from campaigns.queries.lists import (
    all_faults,
    columns_of,
    first_faults,
    opted_out_count,
    ready_lists,
    sample,
    waterfall,
)
from campaigns.rules.layouts import Wish
from campaigns.tasks.lists import import_list, nudge_import, sweep_lists
from tests.campaigns.lists import (
    NOW,
    PEOPLE,
    again,
    counts,
    faults,
    finished,
    ordered,
    people,
    uploaded,
)
from tests.conftest import Database
from tests.workspaces import make
from tests.workspaces.log import entries, ops
from workspaces.queries.keys import keys
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope

MIXED = (
    b"phone,name\n"
    b"07700900001,Ann\n"
    b"+44 7700 900002,Bob\n"
    b"9.98E+11,Cy\n"
    b"\n"
    b"447700900001,Ann again\n"
    b'00447700900003,"Dora, Jr"\n'
    b",Eve\n"
)


@pytest.fixture
def author(db: None, settings: Settings, tmp_path: Any) -> Me:
    settings.UPLOAD_DIR = tmp_path / "uploads"
    return make.me_in(make.workspace("care"), Role.AUTHOR)


def test_every_row_is_counted_once(author: Me) -> None:
    lst = finished(author, ordered(author, MIXED))
    assert lst.state == ListState.READY
    assert counts(lst) == (6, 3, 2, 1)
    assert faults(lst) == [(4, "shortened"), (8, "empty")]


def test_recipients_have_one_spelling_their_row_and_their_values(author: Me) -> None:
    lst = finished(author, ordered(author, MIXED))
    assert people(lst) == [
        (2, "447700900001", {"name": "Ann"}),
        (3, "447700900002", {"name": "Bob"}),
        (7, "447700900003", {"name": "Dora, Jr"}),
    ]


@pytest.mark.parametrize("rows", [1, 2, 3, 5])
def test_any_chunk_size_stores_the_same(
    author: Me, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    whole = finished(author, ordered(author, MIXED))
    monkeypatch.setattr(imports, "CHUNK_ROWS", rows)
    pieces = finished(author, ordered(author, MIXED))
    assert (people(pieces), faults(pieces)) == (people(whole), faults(whole))
    assert counts(pieces) == counts(whole)


def test_the_log_says_what_was_ordered_and_what_came_of_it(author: Me) -> None:
    lst = finished(author, ordered(author, MIXED))
    assert ops(author.here)[-2:] == [
        (
            "list.import",
            f"lst_{lst.pk}",
            {"columns": [None, ["name"]], "number_column": [None, 1], "country": [None, "GB"]},
        ),
        (
            "list.ready",
            f"lst_{lst.pk}",
            {
                "row_count": [None, 6],
                "valid_count": [None, 3],
                "duplicate_count": [None, 1],
                "fault_count": [None, 2],
            },
        ),
    ]
    assert entries(author.here)[-1]["act"] == {"kind": "system", "id": "importer"}


def test_clear_numbers_are_only_in_sealed_columns(author: Me) -> None:
    lst = finished(author, ordered(author, MIXED))
    with scope(author.here), connection.cursor() as cursor:
        for table in ("recipient", "recipient_fault", "recipient_list", "staged_recipient"):
            cursor.execute(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} t")  # noqa: S608
            text = cursor.fetchone()[0]
            assert "7700900" not in text
            assert "9.98E" not in text
    assert lst.valid_count == 3


def test_nothing_stays_in_the_staging_table(author: Me) -> None:
    finished(author, ordered(author, MIXED))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM staged_recipient")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("utf-8-sig", "Дилноза ʻ"), ("utf-16", "Дилноза ʻ"), ("cp1251", "Дилноза"), ("cp1252", "Zoë")],
)
def test_names_survive_their_encoding(author: Me, encoding: str, name: str) -> None:
    data = f"phone;name\n07700900001;{name}\n".encode(encoding)
    assert people(finished(author, ordered(author, data)))[0][2] == {"name": name}


@pytest.mark.parametrize(
    "value",
    ["back\\slash", 'quo"te', "tab\there", "new\nline", "{{name}}", "\\N", "'; DROP", "é😀"],
)
def test_values_come_through_as_they_were(author: Me, value: str) -> None:
    quoted = value.replace('"', '""')
    data = f'phone,name\n07700900001,"{quoted}"\n'.encode()
    assert people(finished(author, ordered(author, data)))[0][2] == {"name": value}


def test_a_no_break_space_in_a_value_becomes_a_plain_one(author: Me) -> None:
    lst = finished(author, ordered(author, "phone,name\n07700900001,Ann\u00a0Lee \n".encode()))
    assert people(lst)[0][2] == {"name": "Ann Lee"}


def test_short_rows_have_empty_values_and_long_ones_are_cut(author: Me) -> None:
    data = b"phone,name\n07700900001\n07700900002,Bob,extra\n"
    assert [row[2] for row in people(finished(author, ordered(author, data)))] == [
        {"name": ""},
        {"name": "Bob"},
    ]


def test_a_value_that_is_too_long_is_a_fault(author: Me) -> None:
    data = b"phone,name\n07700900001,Ann\n07700900002," + b"x" * 501 + b"\n"
    lst = finished(author, ordered(author, data))
    assert faults(lst) == [(3, "long_value")]


def test_a_row_that_cannot_be_cut_is_a_fault(author: Me) -> None:
    lst = finished(author, ordered(author, b'phone,name\n07700900001,Ann\n"07700900002,Bob\n'))
    assert faults(lst) == [(3, "broken_row")]
    assert counts(lst) == (2, 1, 1, 0)


def test_columns_that_are_not_taken_are_not_stored(author: Me) -> None:
    lst = finished(author, ordered(author, PEOPLE, names={}))
    assert [row[2] for row in people(lst)] == [{}, {}]
    assert columns_of(lst) == []


def test_a_file_without_a_header_loses_no_row(author: Me) -> None:
    lst = ordered(author, b"07700900001\n07700900002\n", names={})
    assert [row[0] for row in people(finished(author, lst))] == [1, 2]


def test_a_corrected_header_counts(author: Me) -> None:
    lst = ordered(author, PEOPLE, wish=Wish(",", has_header=False))
    assert faults(finished(author, lst)) == [(1, "not_a_number")]


def test_a_list_without_any_number_fails_and_shows_why(author: Me) -> None:
    lst = finished(author, ordered(author, b"phone,name\nnone,Ann\n123,Bob\n"))
    assert lst.state == ListState.FAILED
    assert lst.failure.startswith("No row has a number")
    with scope(author.here):
        assert len(first_faults(lst)) == 2
    assert entries(author.here)[-1]["op"] == "list.fail"


def test_a_file_that_is_gone_fails_the_list(author: Me) -> None:
    lst = ordered(author)
    file_of(lst).unlink()
    assert finished(author, lst).failure == "The file is gone from the server. Upload it again."


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (lists.Choice(7, "GB", {}, Wish()), "column with the phone numbers"),
        (lists.Choice(0, "XX", {}, Wish()), "Choose a country"),
        (lists.Choice(0, "GB", {0: "phone"}, Wish()), "cannot be a placeholder"),
        (lists.Choice(0, "GB", {9: "x"}, Wish()), "cannot be a placeholder"),
        (lists.Choice(0, "GB", {1: "First Name"}, Wish()), "A placeholder name"),
        (lists.Choice(0, "GB", {1: "a", 2: "a"}, Wish()), "Two columns are called a"),
    ],
)
def test_a_choice_that_does_not_fit_is_refused(
    author: Me, choice: lists.Choice, words: str
) -> None:
    lst = uploaded(author, b"phone,name,lang\n07700900001,Ann,en\n")
    with scope(author.here), pytest.raises(ListRefused, match=words):
        lists.choose_columns(by=author, list_id=lst.pk, choice=choice, now=NOW)


def test_columns_are_chosen_once(author: Me) -> None:
    lst = ordered(author)
    choice = lists.Choice(1, "GB", {}, Wish())
    with scope(author.here), pytest.raises(WrongState):
        lists.choose_columns(by=author, list_id=lst.pk, choice=choice, now=NOW)


def test_a_chunk_that_dies_before_its_commit_leaves_nothing(
    author: Me, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "CHUNK_ROWS", 2)
    lst = ordered(author, MIXED)
    with scope(author.here):
        import_chunk(lst.pk, NOW)
        with monkeypatch.context() as death:
            death.setattr(imports, "_insert_faults", _die)
            with pytest.raises(KeyboardInterrupt):
                import_chunk(lst.pk, NOW)
    assert counts(again(lst)) == (1, 1, 0, 0)
    assert counts(finished(author, lst)) == (6, 3, 2, 1)


def _die(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_second_worker_stores_nothing_twice(author: Me, monkeypatch: pytest.MonkeyPatch) -> None:
    lst = ordered(author, MIXED)
    prepare = imports._prepare

    def overtaken(*parts: Any) -> Any:
        """Another worker imports everything while this one reads."""
        monkeypatch.setattr(imports, "_prepare", prepare)
        prepared = prepare(*parts)
        assert import_chunk(lst.pk, NOW).row_count == 6
        return prepared

    monkeypatch.setattr(imports, "_prepare", overtaken)
    with scope(author.here):
        assert import_chunk(lst.pk, NOW).row_count == 0
    assert counts(again(lst)) == (6, 3, 2, 1)


@pytest.mark.parametrize("rows", [1, 2, 20])
def test_reading_ahead_stores_the_same(
    author: Me, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    whole = finished(author, ordered(author, MIXED))
    monkeypatch.setattr(imports, "CHUNK_ROWS", rows)
    lst = ordered(author, MIXED)
    with scope(author.here), Run(lst.pk) as run:
        while not run.step(NOW).is_done:
            pass
    assert (people(lst), faults(lst), counts(again(lst))) == (
        people(whole),
        faults(whole),
        counts(whole),
    )


def test_what_was_read_ahead_for_an_overtaken_place_is_thrown_away(
    author: Me, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "CHUNK_ROWS", 2)
    lst = ordered(author, MIXED)
    with scope(author.here), Run(lst.pk) as run:
        run.step(NOW)
        import_chunk(lst.pk, NOW)
        while not run.step(NOW).is_done:
            pass
    assert counts(again(lst)) == (6, 3, 2, 1)


def test_a_file_that_goes_while_it_is_read_ahead_fails_the_list(
    author: Me, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "CHUNK_ROWS", 2)
    lst = ordered(author, MIXED)
    with scope(author.here), Run(lst.pk) as run:
        run.step(NOW)
        file_of(lst).unlink()
        while not run.step(NOW).is_done:
            pass
    assert again(lst).state == ListState.FAILED


def test_a_list_in_another_workers_hands_is_left_alone(
    database: Database, settings: Settings, tmp_path: Any
) -> None:
    settings.UPLOAD_DIR = tmp_path / "uploads"
    author = make.me_in(make.workspace("care"), Role.AUTHOR)
    lst = ordered(author)
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT set_config('app.workspace', '*', false)")
        cursor.execute("BEGIN")
        cursor.execute("SELECT 1 FROM recipient_list WHERE id = %s FOR UPDATE", [lst.pk])
        with scope(author.here):
            assert import_chunk(lst.pk, NOW).row_count == 0
        cursor.execute("ROLLBACK")
    other.close()
    assert counts(finished(author, lst)) == (2, 2, 0, 0)


def test_the_task_imports_and_removes_the_file(author: Me) -> None:
    lst = ordered(author)
    import_list(lst.pk)
    assert again(lst).state == ListState.READY
    assert not file_of(lst).exists()
    import_list(lst.pk)
    assert counts(again(lst)) == (2, 2, 0, 0)


def test_the_task_asks_for_the_rest_when_its_minute_is_over(
    author: Me, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "CHUNK_ROWS", 1)
    monkeypatch.setattr("campaigns.tasks.lists.BUDGET_SECONDS", -1)
    asked: list[int] = []
    monkeypatch.setattr(import_list, "delay", asked.append)
    lst = ordered(author)
    import_list(lst.pk)
    assert asked == [lst.pk]
    assert again(lst).state == ListState.IMPORTING


def test_a_task_for_a_list_that_is_gone_does_nothing(db: None) -> None:
    import_list(4_711)


def test_the_sweep_takes_up_lists_that_lost_their_worker(
    author: Me, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(import_list, "delay", asked.append)
    lst = ordered(author)
    with scope(author.here):
        assert lists_to_import(NOW + timedelta(seconds=14)) == []
        assert lists_to_import(NOW + timedelta(seconds=16)) == [lst.pk]


def test_the_sweep_removes_files_that_nobody_needs(author: Me) -> None:
    lst = finished(author, ordered(author))
    sweep_lists()
    assert not file_of(lst).exists()


def test_a_broker_that_is_down_only_delays_the_import(
    author: Me, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_list.app.conf, "broker_url", "redis://127.0.0.1:1/0")
    # What is connected is kept in these two. Both come back, so that nobody else is cut off.
    monkeypatch.setattr(import_list.app, "_pool", None)
    monkeypatch.setattr(import_list.app.amqp, "_producer_pool", None)
    nudge_import(1)


def test_the_waterfall_goes_from_rows_to_people_who_can_be_sent_to_now(author: Me) -> None:
    lst = finished(author, ordered(author, MIXED))
    with scope(author.here):
        OptOut.objects.create(
            workspace=author.here,
            fingerprint=keys().fingerprint("447700900002"),
            number_sealed=keys().seal_number("447700900002", author.here.pk),
            source="by_hand",
            added_at=NOW,
        )
        assert [(step.count, step.taken) for step in waterfall(lst, opted_out_count(lst))] == [
            (6, 0),
            (4, 2),
            (3, 1),
            (2, 1),
        ]
        OptOut.objects.update(lifted_at=NOW)
        assert opted_out_count(lst) == 0


def test_faults_are_shown_with_their_cells_and_numbers_masked(author: Me) -> None:
    data = b"phone,name,other\n9.98E+11,Ann,07700900005\n020 7946 0123,Bob,\n"
    lst = finished(author, ordered(author, data + b"07700900001,Cy,\n"))
    with scope(author.here):
        first, second = first_faults(lst)
    assert [cell.text for cell in first.cells] == ["9.98E+11", "Ann", "+44 77 ••• ••• 05"]
    assert [bool(cell.fault) for cell in first.cells] == [True, False, False]
    assert second.cells[0].text == "020 7946 ••••"


def test_the_fault_of_a_long_value_stands_in_its_cell(author: Me) -> None:
    data = b"phone,name\n07700900001,Ann\n07700900002," + b"x" * 501 + b"\n"
    lst = finished(author, ordered(author, data))
    with scope(author.here):
        (fault,) = first_faults(lst)
    assert [bool(cell.fault) for cell in fault.cells] == [False, True]
    assert fault.cells[0].text == "+44 77 ••• ••• 02"


def test_all_faults_come_in_the_order_of_the_file(
    author: Me, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campaigns.queries.lists.FAULT_BATCH", 2)
    data = b"phone\n" + b"".join(b"x%d\n" % number for number in range(7)) + b"07700900001\n"
    lst = finished(author, ordered(author, data, names={}))
    with scope(author.here):
        assert [(row, cells) for row, _reason, cells in all_faults(lst)] == [
            (number + 2, [f"x{number}"]) for number in range(7)
        ]


def test_a_fault_moved_to_another_list_does_not_open(author: Me) -> None:
    one = finished(author, ordered(author, MIXED))
    two = finished(author, ordered(author, MIXED))
    with scope(author.here):
        RecipientFault.objects.filter(recipient_list=two).delete()
        RecipientFault.objects.filter(recipient_list=one).update(recipient_list=two)
        with pytest.raises(ValueError, match="does not open"):
            first_faults(two)


def test_ready_lists_are_offered_and_archived_ones_are_not(author: Me) -> None:
    lst = finished(author, ordered(author))
    uploaded(author)
    with scope(author.here):
        assert [one.pk for one in ready_lists(author.here)] == [lst.pk]
        lists.archive(by=author, list_id=lst.pk, now=NOW)
        assert ready_lists(author.here) == []
        with pytest.raises(WrongState):
            lists.archive(by=author, list_id=lst.pk, now=NOW)
        lists.restore(by=author, list_id=lst.pk, now=NOW)
    assert [op for op, _obj, _diff in ops(author.here)][-2:] == ["list.archive", "list.restore"]


def test_a_sample_shows_no_number(author: Me) -> None:
    lst = finished(author, ordered(author))
    with scope(author.here):
        assert {row.number for row in sample(lst, 5)} == {"+44 77 ••• ••• 01", "+44 77 ••• ••• 02"}
