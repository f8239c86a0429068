"""Certificate files that OpenSSL opens and nobody can read: refused with a sentence each."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from message_center.stack.certificates import issue_valid, make_authority
from smpp_client.queries.certificates import (
    CertificateFiles,
    CertificatesRefused,
    read_certificates,
)

NOW = datetime.now(UTC)
EC_KEY, NO_KEY = bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06072a8648ce3d027f")


@pytest.fixture
def files(tmp_path: Path) -> CertificateFiles:
    """Three files with which nothing is wrong."""
    authority = make_authority(tmp_path, name="An authority")
    pair = issue_valid(tmp_path, authority, "client", client=True, now=NOW)
    return CertificateFiles(str(authority.path), str(pair.cert), str(pair.key))


def with_broken_extension(path: str) -> None:
    """Write a certificate whose basic constraints are no ASN.1."""
    name, key = x509.Name([]), ec.generate_private_key(ec.SECP256R1())
    broken = x509.UnrecognizedExtension(x509.BasicConstraints.oid, b"\xff")
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(broken, critical=True)
        .sign(key, hashes.SHA256())
    )
    Path(path).write_bytes(made.public_bytes(Encoding.PEM))


def with_unknown_key(path: str) -> None:
    """Let the file's public key be of a kind that nobody knows."""
    made = x509.load_pem_x509_certificate(Path(path).read_bytes())
    der = made.public_bytes(Encoding.DER).replace(EC_KEY, NO_KEY, 1)
    unknown = x509.load_der_x509_certificate(der)
    Path(path).write_bytes(unknown.public_bytes(Encoding.PEM))


@pytest.mark.parametrize(
    ("field", "spoil"), [("ca", with_broken_extension), ("cert", with_unknown_key)]
)
def test_a_certificate_that_cannot_be_read_is_refused_at_its_field(
    files: CertificateFiles, field: str, spoil: Callable[[str], None]
) -> None:
    read_certificates(files, NOW)
    spoil(getattr(files, field))
    with pytest.raises(CertificatesRefused, match="cannot be read") as refused:
        read_certificates(files, NOW)
    assert refused.value.field == f"{field}_file"
