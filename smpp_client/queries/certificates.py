"""What lies in a connection's certificate files, and what is wrong with it in one sentence each.

Used by the form and the command line before anything is stored, and by the engine before each TLS
context: a broken pair must
never reach a live one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from django.utils.translation import gettext as _

from workspaces.rules.refusal import Refusal

# The parser looks at most of a certificate only when it is asked for it, and fails then.
UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


class CertificatesRefused(Refusal):
    """A certificate file cannot be used; `field` is ca_file, cert_file or key_file."""

    code = "certificates_refused"


@dataclass(frozen=True)
class CertificateFiles:
    """Paths of PEM files: who signs the peer, our certificate (with its chain), its key."""

    ca: str
    cert: str
    key: str


@dataclass(frozen=True)
class Certificates:
    """What was read: our certificate's names and dates.

    `fingerprint` is SHA-256 in hex with colons.
    """

    subject: str
    issuer: str
    starts_at: datetime
    ends_at: datetime
    fingerprint: str


def read_certificates(files: CertificateFiles, now: datetime) -> Certificates:
    """Read and check the three files. Raises CertificatesRefused with what to do."""
    for authority in _certificates(files.ca, "ca_file"):
        with _reading(files.ca, "ca_file"):
            is_authority = _is_authority(authority)
        if not is_authority:
            raise CertificatesRefused(
                _("%(file)s is not a certificate authority.") % {"file": files.ca}, field="ca_file"
            )
    own = _certificates(files.cert, "cert_file")[0]
    with _reading(files.cert, "cert_file"):
        _check_dates(own, files.cert, now)
        _check_key(own, files)
        return Certificates(
            subject=own.subject.rfc4514_string(),
            issuer=own.issuer.rfc4514_string(),
            starts_at=own.not_valid_before_utc,
            ends_at=own.not_valid_after_utc,
            fingerprint=own.fingerprint(hashes.SHA256()).hex(":"),
        )


@contextmanager
def _reading(path: str, field: str) -> Iterator[None]:
    """Turn what a certificate's own octets raise into a refusal of its file."""
    try:
        yield
    except UNREADABLE as error:
        raise CertificatesRefused(
            _("A certificate in %(file)s cannot be read: %(why)s.")
            % {"file": path, "why": str(error).rstrip(".")},
            field=field,
        ) from error


def _bytes(path: str, field: str) -> bytes:
    if not path:
        raise CertificatesRefused(_("Name the file."), field=field)
    try:
        return Path(path).read_bytes()
    except FileNotFoundError as error:
        raise CertificatesRefused(
            _("There is no file %(file)s.") % {"file": path}, field=field
        ) from error
    except OSError as error:
        raise CertificatesRefused(
            _("%(file)s cannot be read: %(why)s.") % {"file": path, "why": error.strerror},
            field=field,
        ) from error


def _certificates(path: str, field: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_bytes(path, field))
    except ValueError as error:
        raise CertificatesRefused(
            _("%(file)s holds no certificate in PEM form.") % {"file": path}, field=field
        ) from error


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return False
    return constraints.value.ca


def _check_dates(own: x509.Certificate, path: str, now: datetime) -> None:
    if own.not_valid_after_utc <= now:
        raise CertificatesRefused(
            _("The certificate %(file)s ended on %(day)s.")
            % {"file": path, "day": f"{own.not_valid_after_utc:%-d %b %Y}"},
            field="cert_file",
        )
    if own.not_valid_before_utc > now:
        raise CertificatesRefused(
            _("The certificate %(file)s is not valid before %(day)s.")
            % {"file": path, "day": f"{own.not_valid_before_utc:%-d %b %Y}"},
            field="cert_file",
        )


def _check_key(own: x509.Certificate, files: CertificateFiles) -> None:
    if not files.key:
        raise CertificatesRefused(
            _("A certificate needs its key: name the key's file."), field="key_file"
        )
    try:
        key = load_pem_private_key(_bytes(files.key, "key_file"), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CertificatesRefused(
            _("%(file)s holds no key in PEM form without a password.") % {"file": files.key},
            field="key_file",
        ) from error
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*form) != own.public_key().public_bytes(*form):
        raise CertificatesRefused(
            _("The key %(key)s does not belong to the certificate %(cert)s.")
            % {"key": files.key, "cert": files.cert},
            field="key_file",
        )
