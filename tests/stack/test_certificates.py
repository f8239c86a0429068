"""The demo authority: good pairs verify on both ends, each bad one fails for its own reason."""

import ssl
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from message_center.stack.certificates import (
    Authority,
    Issued,
    demo_certificates,
    issue_by_stranger,
    issue_expired,
    issue_not_yet_valid,
    issue_self_signed,
    issue_valid,
    issue_wrong_name,
    make_authority,
    read_authority,
)

NOW = datetime.now(UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority in a folder of its own."""
    return make_authority(tmp_path / "ca", name="Test authority", now=NOW)


def test_good_pairs_meet_over_mutual_tls(tmp_path: Path, authority: Authority) -> None:
    server = issue_valid(tmp_path, authority, "server", client=False, now=NOW)
    client = issue_valid(tmp_path, authority, "client", client=True, now=NOW)
    assert _handshake(authority, server, client) in {"TLSv1.2", "TLSv1.3"}


def test_an_address_is_a_server_name_too(tmp_path: Path, authority: Authority) -> None:
    server = issue_valid(tmp_path, authority, "server", client=False, now=NOW)
    client = issue_valid(tmp_path, authority, "client", client=True, now=NOW)
    assert _handshake(authority, server, client, host="127.0.0.1")


def test_every_extension_is_there_for_strict_verification(
    tmp_path: Path, authority: Authority
) -> None:
    server = issue_valid(tmp_path, authority, "server", client=False, now=NOW)
    client = issue_valid(tmp_path, authority, "client", client=True, now=NOW)
    assert _handshake(authority, server, client, flags=ssl.VerifyFlags.VERIFY_X509_STRICT)


def test_a_client_certificate_cannot_serve(tmp_path: Path, authority: Authority) -> None:
    client = issue_valid(tmp_path, authority, "client", client=True, now=NOW)
    with pytest.raises(ssl.SSLCertVerificationError, match="unsuitable certificate purpose"):
        _handshake(authority, client, client)


def test_bad_server_certificates_are_refused_for_their_own_reason(
    tmp_path: Path, authority: Authority
) -> None:
    client = issue_valid(tmp_path, authority, "client", client=True, now=NOW)
    for server, reason in (
        (issue_expired(tmp_path, authority, client=False, now=NOW), "has expired"),
        (issue_not_yet_valid(tmp_path, authority, client=False, now=NOW), "not yet valid"),
        (issue_wrong_name(tmp_path, authority, now=NOW), "Hostname mismatch"),
        (issue_by_stranger(tmp_path, client=False, now=NOW), "unable to get local issuer"),
        (issue_self_signed(tmp_path, client=False, now=NOW), "self-signed certificate"),
    ):
        with pytest.raises(ssl.SSLCertVerificationError, match=reason):
            _handshake(authority, server, client)


def test_bad_client_certificates_are_refused_for_their_own_reason(
    tmp_path: Path, authority: Authority
) -> None:
    server = issue_valid(tmp_path, authority, "server", client=False, now=NOW)
    for client, reason in (
        (issue_expired(tmp_path, authority, client=True, now=NOW), "has expired"),
        (issue_not_yet_valid(tmp_path, authority, client=True, now=NOW), "not yet valid"),
        (issue_by_stranger(tmp_path, client=True, now=NOW), "unable to get local issuer"),
        (issue_self_signed(tmp_path, client=True, now=NOW), "self-signed certificate"),
    ):
        with pytest.raises(ssl.SSLCertVerificationError, match=reason):
            _handshake(authority, server, client)


def test_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    demo_certificates(tmp_path)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("*.key")}
    assert modes == {"ca.key": 0o600, "server.key": 0o600, "client.key": 0o600}


def test_making_the_demo_twice_changes_nothing(tmp_path: Path) -> None:
    first = demo_certificates(tmp_path)
    contents = [path.read_bytes() for path in astuple(first)]
    assert demo_certificates(tmp_path) == first
    assert [path.read_bytes() for path in astuple(first)] == contents


def test_a_certificate_with_eight_days_left_stays(tmp_path: Path) -> None:
    old = demo_certificates(tmp_path, now=NOW).server_cert.read_bytes()
    later = NOW + timedelta(days=365 - 8)
    assert demo_certificates(tmp_path, now=later).server_cert.read_bytes() == old


def test_a_certificate_with_six_days_left_is_renewed(tmp_path: Path) -> None:
    demo_certificates(tmp_path, now=NOW)
    later = NOW + timedelta(days=365 - 6)
    renewed = x509.load_pem_x509_certificate(
        demo_certificates(tmp_path, now=later).server_cert.read_bytes()
    )
    assert renewed.not_valid_after_utc > later + timedelta(days=300)


def test_a_renewal_keeps_the_authority(tmp_path: Path) -> None:
    old = demo_certificates(tmp_path, now=NOW).ca.read_bytes()
    later = NOW + timedelta(days=365 - 6)
    assert demo_certificates(tmp_path, now=later).ca.read_bytes() == old


@pytest.mark.parametrize("name", ["server.pem", "server.key", "client.pem", "client.key"])
def test_a_damaged_file_is_made_again(tmp_path: Path, name: str) -> None:
    demo_certificates(tmp_path)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:50])
    _meet(tmp_path)


@pytest.mark.parametrize("name", ["ca.pem", "ca.key"])
def test_without_its_authority_everything_is_made_again(tmp_path: Path, name: str) -> None:
    demo_certificates(tmp_path)
    (tmp_path / name).unlink()
    _meet(tmp_path)


def test_half_a_file_is_never_left_behind(tmp_path: Path) -> None:
    demo_certificates(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    pairs = {f"{name}.{kind}" for name in ("ca", "server", "client") for kind in ("pem", "key")}
    assert names == pairs | {".lock"}


def _meet(folder: Path) -> None:
    demo = demo_certificates(folder)
    server = Issued(demo.server_cert, demo.server_key)
    client = Issued(demo.client_cert, demo.client_key)
    assert _handshake(read_authority(folder), server, client)


def _handshake(
    authority: Authority,
    server: Issued,
    client: Issued,
    *,
    host: str = "localhost",
    flags: ssl.VerifyFlags = ssl.VerifyFlags.VERIFY_DEFAULT,
) -> str | None:
    """Let the two ends shake hands in memory; return the TLS version, or raise as they do."""
    contexts = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    contexts[1].verify_mode = ssl.CERT_REQUIRED
    for context, pair in zip(contexts, (client, server), strict=True):
        context.verify_flags |= flags
        context.load_verify_locations(authority.path)
        context.load_cert_chain(pair.cert, pair.key)
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        contexts[0].wrap_bio(down, up, server_hostname=host),
        contexts[1].wrap_bio(up, down, server_side=True),
    )
    # Three turns are more than TLS 1.2 needs.
    for end in ends * 3:
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return ends[0].version()
