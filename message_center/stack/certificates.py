"""A small certificate authority for the demo and the tests. Production brings its own certificates.

Keys are EC P-256 (a pair takes a millisecond). Every file is written beside its place and renamed,
keys with mode 0600, so a reader never meets half a file.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 365
RENEW_WITHIN = timedelta(days=7)


@dataclass(frozen=True)
class Authority:
    """A certificate authority that can sign: its PEM file, and its parsed certificate and key."""

    path: Path
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Issued:
    """The PEM files of one certificate and its private key."""

    cert: Path
    key: Path


@dataclass(frozen=True)
class DemoCertificates:
    """What the demo's two ends of the wire need: one authority, a server pair, a client pair."""

    ca: Path
    server_cert: Path
    server_key: Path
    client_cert: Path
    client_key: Path


def make_authority(folder: Path, *, name: str, now: datetime | None = None) -> Authority:
    """Make an authority that starts yesterday and lasts ten years; write `ca.pem`, `ca.key`."""
    now = now or datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name)
    draft = _draft(subject, subject, key.public_key(), key.public_key())
    draft = draft.not_valid_before(now - timedelta(days=1))
    draft = draft.not_valid_after(now + timedelta(days=AUTHORITY_DAYS))
    draft = draft.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    draft = draft.add_extension(_usage(authority=True), critical=True)
    certificate = draft.sign(key, hashes.SHA256())
    _write_key(folder / "ca.key", key)
    _write(folder / "ca.pem", certificate.public_bytes(serialization.Encoding.PEM))
    return Authority(folder / "ca.pem", certificate, key)


def read_authority(folder: Path) -> Authority:
    """Read what make_authority wrote; OSError or ValueError when it is missing or damaged."""
    key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), password=None)
    certificate = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    if (
        not isinstance(key, ec.EllipticCurvePrivateKey)
        or certificate.public_key() != key.public_key()
    ):
        raise ValueError(f"{folder / 'ca.key'} is not the key of {folder / 'ca.pem'}.")
    return Authority(folder / "ca.pem", certificate, key)


def issue(
    folder: Path,
    authority: Authority,
    name: str,
    *,
    server_names: tuple[str, ...] = LOCAL_NAMES,
    client: bool,
    not_before: datetime,
    not_after: datetime,
) -> Issued:
    """Sign one certificate and write `NAME.pem` and `NAME.key` into the folder.

    A server certificate (client=False) carries `server_names`, host names or IP addresses; a
    client certificate carries none.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    draft = _leaf(
        name, authority.certificate.subject, key, authority.key.public_key(), client=client
    )
    if not client:
        draft = draft.add_extension(_server_names(server_names), critical=False)
    draft = draft.not_valid_before(not_before).not_valid_after(not_after)
    return _keep(folder, name, draft.sign(authority.key, hashes.SHA256()), key)


def issue_valid(
    folder: Path,
    authority: Authority,
    name: str,
    *,
    client: bool,
    now: datetime,
    server_names: tuple[str, ...] = LOCAL_NAMES,
) -> Issued:
    """Issue a certificate that starts an hour before `now` and lasts a year."""
    return issue(
        folder,
        authority,
        name,
        server_names=server_names,
        client=client,
        not_before=now - timedelta(hours=1),
        not_after=now + timedelta(days=CERTIFICATE_DAYS),
    )


def issue_expired(folder: Path, authority: Authority, *, client: bool, now: datetime) -> Issued:
    """Issue `expired.pem`: right in everything, but over since an hour."""
    return issue(
        folder,
        authority,
        "expired",
        client=client,
        not_before=now - timedelta(hours=2),
        not_after=now - timedelta(hours=1),
    )


def issue_not_yet_valid(
    folder: Path, authority: Authority, *, client: bool, now: datetime
) -> Issued:
    """Issue `not-yet-valid.pem`: right in everything, but it starts tomorrow."""
    return issue(
        folder,
        authority,
        "not-yet-valid",
        client=client,
        not_before=now + timedelta(days=1),
        not_after=now + timedelta(days=CERTIFICATE_DAYS),
    )


def issue_wrong_name(folder: Path, authority: Authority, *, now: datetime) -> Issued:
    """Issue `wrong-name.pem`: a server certificate for a host nobody here connects to."""
    names = ("smsc.example.net",)
    return issue_valid(folder, authority, "wrong-name", client=False, now=now, server_names=names)


def issue_by_stranger(folder: Path, *, client: bool, now: datetime) -> Issued:
    """Issue `stranger.pem`, signed by an authority of its own in `folder/stranger-ca`."""
    stranger = make_authority(folder / "stranger-ca", name="Another authority", now=now)
    return issue_valid(folder, stranger, "stranger", client=client, now=now)


def issue_self_signed(folder: Path, *, client: bool, now: datetime) -> Issued:
    """Issue `self-signed.pem`: its own issuer, and no authority."""
    name, key = "self-signed", ec.generate_private_key(ec.SECP256R1())
    draft = _leaf(name, _name(name), key, key.public_key(), client=client)
    draft = draft.add_extension(_server_names(LOCAL_NAMES), critical=False)
    draft = draft.not_valid_before(now - timedelta(hours=1))
    draft = draft.not_valid_after(now + timedelta(days=CERTIFICATE_DAYS))
    return _keep(folder, name, draft.sign(key, hashes.SHA256()), key)


def demo_certificates(folder: Path, *, now: datetime | None = None) -> DemoCertificates:
    """Return the demo's certificates, making what is missing, damaged or ends within 7 days.

    Running it twice changes nothing; two processes at once agree through a lock file. A new
    authority replaces both pairs, because the old ones would not verify against it.
    """
    now = now or datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / ".lock"):
        authority = _demo_authority(folder, now)
        server = _demo_pair(folder, authority, "server", client=False, now=now)
        client = _demo_pair(folder, authority, "client", client=True, now=now)
    return DemoCertificates(authority.path, server.cert, server.key, client.cert, client.key)


def _demo_authority(folder: Path, now: datetime) -> Authority:
    try:
        authority = read_authority(folder)
    except (OSError, ValueError):
        return make_authority(folder, name="Message Center demo authority", now=now)
    # An authority must outlive what it signs.
    if _ends_before(authority.certificate, now + timedelta(days=CERTIFICATE_DAYS + 1)):
        return make_authority(folder, name="Message Center demo authority", now=now)
    return authority


def _demo_pair(
    folder: Path, authority: Authority, name: str, *, client: bool, now: datetime
) -> Issued:
    pair = Issued(folder / f"{name}.pem", folder / f"{name}.key")
    if _is_usable(pair, authority, now):
        return pair
    return issue_valid(folder, authority, name, client=client, now=now)


def _is_usable(pair: Issued, authority: Authority, now: datetime) -> bool:
    """Say whether the pair fits together, comes from this authority and lasts another week."""
    try:
        certificate = x509.load_pem_x509_certificate(pair.cert.read_bytes())
        key = serialization.load_pem_private_key(pair.key.read_bytes(), password=None)
        certificate.verify_directly_issued_by(authority.certificate)
    except (OSError, ValueError, TypeError, InvalidSignature):
        return False
    fits = key.public_key() == certificate.public_key()
    return fits and not _ends_before(certificate, now + RENEW_WITHIN)


def _ends_before(certificate: x509.Certificate, moment: datetime) -> bool:
    return certificate.not_valid_after_utc <= moment


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _draft(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePublicKey,
) -> x509.CertificateBuilder:
    draft = x509.CertificateBuilder(issuer, subject, public, x509.random_serial_number())
    own = x509.SubjectKeyIdentifier.from_public_key(public)
    signers = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer)
    return draft.add_extension(own, critical=False).add_extension(signers, critical=False)


def _leaf(
    name: str,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePublicKey,
    *,
    client: bool,
) -> x509.CertificateBuilder:
    purpose = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
    draft = _draft(_name(name), issuer, key.public_key(), signer)
    draft = draft.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    draft = draft.add_extension(_usage(authority=False), critical=True)
    return draft.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _server_names(names: tuple[str, ...]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_server_name(name) for name in names])


def _server_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _keep(
    folder: Path, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> Issued:
    folder.mkdir(parents=True, exist_ok=True)
    pair = Issued(folder / f"{name}.pem", folder / f"{name}.key")
    _write_key(pair.key, key)
    _write(pair.cert, certificate.public_bytes(serialization.Encoding.PEM))
    return pair


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(path, pem, mode=0o600)


def _write(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write beside the place with the final mode (mkstemp starts at 0600), then rename."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        os.fchmod(file.fileno(), mode)
        file.flush()
        os.fsync(file.fileno())
    Path(draft).replace(path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
