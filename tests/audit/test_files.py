"""The files of the audit log: the site's secret and the signing key."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from audit.actions.secret_file import BadSecret, site_secret, write_new
from audit.actions.signing_key import (
    BadKey,
    is_readable_by_others,
    show_verifier_keys,
    signing_key,
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_secret_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "nonce"
    secret = site_secret(path, may_create=True)
    assert (len(secret), site_secret(path), mode(path)) == (64, secret, 0o400)


def test_a_reader_of_the_secret_makes_none(tmp_path: Path) -> None:
    with pytest.raises(BadSecret, match="cannot be read: No such file"):
        site_secret(tmp_path / "nonce")
    assert list(tmp_path.iterdir()) == []


def test_white_space_around_a_secret_is_not_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "nonce"
    path.write_text(f"  {'s' * 32}\n")
    assert site_secret(path) == b"s" * 32


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "nonce"
    path.write_text("short\n")
    with pytest.raises(BadSecret, match="shorter than 32"):
        site_secret(path)


def test_a_secret_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSecret, match="cannot be read"):
        site_secret(tmp_path)


def test_of_two_that_make_a_file_the_first_wins(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert write_new(path, b"first")
    assert not write_new(path, b"second")
    assert (path.read_bytes(), [one.name for one in tmp_path.iterdir()]) == (b"first", ["file"])


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    key = signing_key(path, may_create=True)
    again = signing_key(path, may_create=False)
    assert again.private_bytes_raw() == key.private_bytes_raw()
    assert (mode(path), is_readable_by_others(path)) == (0o400, False)


def test_a_key_that_others_may_read_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    signing_key(path, may_create=True)
    path.chmod(0o440)
    assert is_readable_by_others(path)


def test_a_lost_key_is_not_replaced_in_silence(tmp_path: Path) -> None:
    with pytest.raises(BadKey, match="is gone"):
        signing_key(tmp_path / "key.pem", may_create=False)


def test_a_file_without_a_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("no key\n")
    with pytest.raises(BadKey, match="holds no private key"):
        signing_key(tmp_path / "key.pem", may_create=True)


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    pem = generate_private_key(SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "key.pem").write_bytes(pem)
    with pytest.raises(BadKey, match="not Ed25519"):
        signing_key(tmp_path / "key.pem", may_create=True)


def test_the_verifier_key_is_shown_beside_the_signing_key(tmp_path: Path) -> None:
    show_verifier_keys(tmp_path / "key.pem", "name+id+key\n")
    assert (tmp_path / "key.vkey").read_text() == "name+id+key\n"


def test_a_folder_that_cannot_be_written_hides_no_key(tmp_path: Path) -> None:
    show_verifier_keys(tmp_path / "absent" / "key.pem", "name+id+key\n")
