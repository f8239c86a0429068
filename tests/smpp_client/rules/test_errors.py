"""The peer's numbers: one table, its defaults, and the connection's own table before it."""

import pytest
from smpplib import consts

from smpp_client.rules.errors import (
    STATUSES,
    StatusClass,
    classify,
    classify_bind,
    explain,
    explain_receipt,
    status_of,
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
