"""Secrets that an installation makes for itself."""

import base64
import stat
from pathlib import Path

from message_center.stack.secret_files import SecretFiles


def test_a_secret_stays_the_same(tmp_path: Path) -> None:
    first = SecretFiles(tmp_path / "secrets").word("valkey")
    assert SecretFiles(tmp_path / "secrets").word("valkey") == first


def test_two_secrets_differ(tmp_path: Path) -> None:
    secrets = SecretFiles(tmp_path)
    assert secrets.word("one") != secrets.word("two")


def test_only_the_owner_may_read_them(tmp_path: Path) -> None:
    secrets = SecretFiles(tmp_path / "secrets")
    secrets.word("one")
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "secrets" / "one").stat().st_mode) == 0o600


def test_a_key_file_holds_32_bytes(tmp_path: Path) -> None:
    path = SecretFiles(tmp_path).key_file("installation.key")
    assert len(base64.b64decode(path.read_text())) == 32
