"""The peer's numbers: one table, its defaults, and the connection's own table before it."""

import pytest
from smpplib import consts

from smpp_client.rules.errors import (
    STATUSES,
    ClassesRefused,
    StatusClass,
    classify,
    classify_bind,
    classify_receipt,
    explain,
    explain_receipt,
    read_receipt_classes,
    read_status_classes,
    status_classes,
    status_of,
    written_classes,
)


def test_every_status_of_smpp_is_in_the_table() -> None:
    assert set(consts.DESCRIPTIONS) == set(STATUSES)


@pytest.mark.parametrize(
    ("status", "status_class"),
    [
        (0x58, StatusClass.SLOW_DOWN),
        (0x14, StatusClass.SLOW_DOWN),
        (0x08, StatusClass.LATER),
        (0x45, StatusClass.LATER),
        (0x0B, StatusClass.FINAL),
        (0x0A, StatusClass.FINAL),
        (0x0F, StatusClass.ALARM),
        (0x400, StatusClass.FINAL),
        (0xFFFFFFFF, StatusClass.FINAL),
    ],
)
def test_a_status_has_its_class(status: int, status_class: StatusClass) -> None:
    assert classify(status) is status_class


def test_a_connections_own_table_comes_first() -> None:
    assert classify(0x401, {0x401: StatusClass.LATER}) is StatusClass.LATER


def test_a_status_is_explained_with_its_number() -> None:
    assert explain(0x58) == "throttled (0x58)"
    assert explain(0x0B) == "bad number (0x0B)"
    assert explain(0x401) == "the SMSC's own error (0x401)"


def test_a_code_of_the_operators_own_is_named_by_its_number() -> None:
    assert status_of(0x4AB).name == "0x4AB"


@pytest.mark.parametrize("status", [0x0E, 0x0F, 0x53])
def test_a_bind_that_would_lock_the_account_is_an_alarm(status: int) -> None:
    assert classify_bind(status) is StatusClass.ALARM


@pytest.mark.parametrize("status", [0x05, 0x08, 0x0D, 0x401])
def test_a_bind_that_may_heal_is_tried_later(status: int) -> None:
    assert classify_bind(status) is StatusClass.LATER


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("", ""),
        ("000", ""),
        ("001", "The number is not in use. (001)"),
        ("999", "The network gave an error. (999)"),
        ("E7", "The network gave an error. (E7)"),
        ("9" * 5000, f"The network gave an error. ({'9' * 5000})"),
    ],
)
def test_a_receipts_error_is_explained(error: str, sentence: str) -> None:
    assert explain_receipt(error) == sentence


def test_a_connections_own_class_of_a_receipts_error_comes_first() -> None:
    assert explain_receipt("006", StatusClass.FINAL).endswith("an error that will not pass. (006)")
    assert "not sent again by itself. (E7)" in explain_receipt("E7", StatusClass.LATER)
    assert all(explain_receipt("1", own) != explain_receipt("1") for own in StatusClass)


def test_a_table_is_read_a_line_at_a_time_and_written_back() -> None:
    table = read_status_classes("0x0400 later\n\n 1025  slow down\n88\tfinal\n")
    assert table == {"0x400": "later", "0x401": "slow_down", "0x58": "final"}
    assert written_classes(table) == "0x400 later\n0x401 slow down\n0x58 final"
    assert classify(0x400, status_classes(table)) is StatusClass.LATER


@pytest.mark.parametrize(
    "line", ["0x400", "0x400 never", "later 0x400", "0x0 final", "0x400 later\n1024 final"]
)
def test_a_line_that_cannot_be_read_is_refused(line: str) -> None:
    with pytest.raises(ClassesRefused):
        read_status_classes(line)


def test_a_receipts_code_is_found_however_it_is_padded() -> None:
    table = read_receipt_classes("034 later\nE12 alarm")
    assert classify_receipt("34", table) is StatusClass.LATER
    assert classify_receipt("e12", table) is StatusClass.ALARM
    assert classify_receipt("35", table) is None
    assert classify_receipt("", table) is None
