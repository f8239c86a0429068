"""Signed notes, checkpoints and keys: the published ones verify, every change is refused."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.rules.notes import (
    BadNote,
    BadSignature,
    Checkpoint,
    VerifierKey,
    public_key,
    read_checkpoint,
    read_key,
    read_note,
    read_signed_checkpoint,
    sign,
    verify,
)
from tests.audit import vectors

LOG = read_key(vectors.LOG_KEY)
WITNESS = read_key(vectors.WITNESS_KEY)
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)


def test_the_published_keys_are_written_as_they_were_read() -> None:
    assert [str(LOG), str(WITNESS)] == [vectors.LOG_KEY, vectors.WITNESS_KEY]


def test_the_published_checkpoint_verifies() -> None:
    checkpoint = read_signed_checkpoint(vectors.CHECKPOINT, [LOG])
    root = bytes.fromhex(vectors.EPOCH_LEAF)
    assert checkpoint == Checkpoint(vectors.ORIGIN, size=1, root=root)


def test_the_published_cosignature_verifies_and_says_when() -> None:
    verified = verify(read_note(vectors.CHECKPOINT), [LOG, WITNESS])
    assert [(one.key.name, one.at) for one in verified] == [
        (vectors.ORIGIN, None),
        ("witness.regulator.example/w1", 1_772_400_000),
    ]


def test_a_note_is_written_as_it_was_read() -> None:
    assert str(read_note(vectors.CHECKPOINT)) == vectors.CHECKPOINT


def test_a_line_of_an_unknown_key_is_ignored() -> None:
    assert [one.key for one in verify(read_note(vectors.CHECKPOINT), [WITNESS])] == [WITNESS]


def test_a_checkpoint_that_nobody_known_signed_is_refused() -> None:
    with pytest.raises(BadNote, match="No trusted key"):
        read_signed_checkpoint(vectors.CHECKPOINT, [WITNESS])


def test_a_checkpoint_signed_by_a_known_key_of_another_name_is_refused() -> None:
    body = Checkpoint(vectors.ORIGIN, 1, bytes(32)).body
    other = public_key("audit.other.example/log", KEY)
    with pytest.raises(BadNote, match="No trusted key"):
        read_signed_checkpoint(str(sign(body, other.name, KEY)), [other, LOG])


def test_another_key_of_the_same_name_is_not_trusted() -> None:
    body = Checkpoint(vectors.ORIGIN, 1, bytes(32)).body
    with pytest.raises(BadNote, match="No trusted key"):
        read_signed_checkpoint(str(sign(body, vectors.ORIGIN, KEY)), [LOG])


@pytest.mark.parametrize(
    ("old", "new"),
    [("\n1\n", "\n2\n"), ("boT73", "coT73"), ("W/L0BcfmqVLw", "W/L0BcfmqVLx")],
)
def test_a_changed_checkpoint_is_refused(old: str, new: str) -> None:
    with pytest.raises(BadSignature):
        read_signed_checkpoint(vectors.CHECKPOINT.replace(old, new, 1), [LOG])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no signature\n",
        vectors.CHECKPOINT.split("\n\n", 1)[0] + "\n\n",
        vectors.CHECKPOINT.removesuffix("\n"),
        vectors.CHECKPOINT + "more\n",
        vectors.CHECKPOINT.replace("— audit", "-- audit"),
        vectors.CHECKPOINT.replace("W/L0", "W L0"),
        vectors.CHECKPOINT.replace("LG95Cgk=", "LG95Cgl="),
    ],
)
def test_a_note_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        read_note(text)


@pytest.mark.parametrize(
    "body",
    [
        f"{vectors.ORIGIN}\n1\n",
        f"{vectors.ORIGIN}\n01\n{base64.b64encode(bytes(32)).decode()}\n",
        f"{vectors.ORIGIN}\n-1\n{base64.b64encode(bytes(32)).decode()}\n",
        f"{vectors.ORIGIN}\n1\n{base64.b64encode(bytes(31)).decode()}\n",
        f"{vectors.ORIGIN}\n1\n{base64.b64encode(bytes(32)).decode()}\nextension\n",
    ],
)
def test_a_checkpoint_of_another_form_is_refused(body: str) -> None:
    with pytest.raises(BadNote):
        read_checkpoint(body)


@pytest.mark.parametrize(
    "text",
    [
        "name",
        "name+00000000",
        vectors.LOG_KEY.replace("5bf2f405", "5bf2f406"),
        vectors.LOG_KEY.replace("+AZJz", "+BZJz"),
        vectors.LOG_KEY.replace("audit.telco", "audit.other"),
        vectors.LOG_KEY.replace("+5bf", " +5bf"),
        vectors.LOG_KEY[:-4],
    ],
)
def test_a_damaged_key_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        read_key(text)


def test_a_signed_checkpoint_verifies_with_its_public_key() -> None:
    checkpoint = Checkpoint("audit.example/one", 7, b"r" * 32)
    note = sign(checkpoint.body, checkpoint.origin, KEY)
    assert read_signed_checkpoint(str(note), [public_key(checkpoint.origin, KEY)]) == checkpoint


def test_signing_again_gives_the_same_note() -> None:
    assert sign("body\n", "name", KEY) == sign("body\n", "name", KEY)


@pytest.mark.parametrize("name", ["", "two words", "a+b"])
def test_a_name_that_cannot_stand_in_a_line_names_no_key(name: str) -> None:
    with pytest.raises(BadNote):
        public_key(name, KEY)


def test_a_body_without_its_last_line_feed_is_not_signed() -> None:
    with pytest.raises(BadNote):
        sign("body", "name", KEY)


def test_a_cosignature_under_a_log_key_of_the_same_bytes_is_another_key() -> None:
    as_log = VerifierKey(WITNESS.name, WITNESS.public)
    assert verify(read_note(vectors.CHECKPOINT), [as_log]) == ()
