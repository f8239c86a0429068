"""Which key signs which epoch, and the note by which one hands over to the next."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.rules.canonical import stamp
from audit.rules.epochs import Epoch
from audit.rules.keyring import KeySpan, hand_over, read_rotation, sign_together
from audit.rules.notes import BadNote, BadSignature, Note, public_key, read_note
from tests.audit.make import NOW

NAME = "audit.telco.example/log"
OLD = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
NEW = Ed25519PrivateKey.from_private_bytes(b"n" * 32)


def epoch(number: int, hours: float = 0) -> Epoch:
    return Epoch(number, stamp(NOW + timedelta(hours=hours)), 1, "00" * 32, "00" * 32)


def test_a_key_signs_from_its_first_epoch_on() -> None:
    key = KeySpan("key", first_epoch=7)
    assert [key.signs(epoch(number)) for number in (6, 7, 8)] == [False, True, True]


def test_a_replaced_key_signs_what_is_earlier_than_its_end() -> None:
    key = KeySpan("key", until=NOW)
    assert [key.signs(epoch(9, hours)) for hours in (-1, 0, 1)] == [True, False, False]


def test_a_rotation_note_reads_back() -> None:
    rotation = read_rotation(str(hand_over(NAME, OLD, NEW, first_epoch=12)))
    assert (rotation.old, rotation.new) == (public_key(NAME, OLD), public_key(NAME, NEW))
    assert rotation.first_epoch == 12


def test_a_rotation_note_begins_with_its_kind_and_names_both_keys() -> None:
    lines = str(hand_over(NAME, OLD, NEW, first_epoch=12)).splitlines()
    assert lines[:5] == [
        "smsc-audit-key-rotation/v1",
        str(public_key(NAME, OLD)),
        str(public_key(NAME, NEW)),
        "12",
        "",
    ]
    assert len(lines) == 7


@pytest.mark.parametrize("signers", [[OLD], [NEW], [NEW, NEW]])
def test_a_rotation_note_needs_both_signatures(signers: list[Ed25519PrivateKey]) -> None:
    body = hand_over(NAME, OLD, NEW, first_epoch=12).body
    with pytest.raises(BadNote, match="both"):
        read_rotation(str(sign_together(body, NAME, signers)))


def test_a_rotation_note_that_was_changed_is_refused() -> None:
    note = str(hand_over(NAME, OLD, NEW, first_epoch=12)).replace("\n12\n", "\n13\n")
    with pytest.raises(BadSignature):
        read_rotation(note)


@pytest.mark.parametrize("body", ["other/v1\na\nb\n1\n", "smsc-audit-key-rotation/v1\na\nb\n"])
def test_another_text_is_no_rotation_note(body: str) -> None:
    with pytest.raises(BadNote):
        read_rotation(str(sign_together(body, NAME, [OLD, NEW])))


def test_each_key_has_its_line() -> None:
    note = sign_together("text\n", NAME, [OLD, NEW])
    assert isinstance(note, Note)
    assert [line.key_id for line in read_note(str(note)).lines] == [
        public_key(NAME, key).key_id for key in (OLD, NEW)
    ]
