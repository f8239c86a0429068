"""TLS to the peer: a context of our own making, renewed when its files are, and failures in words.

A context is never changed: Python that loads a mismatched pair into a live one is left presenting
no certificate at all. A new one is built,
tried, and takes the place of the old one for the next bind.
"""

import ssl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.utils.translation import gettext as _

from smpp_client.queries.certificates import (
    CertificateFiles,
    Certificates,
    CertificatesRefused,
    read_certificates,
)

# Files that were touched less long ago than this may be half written.
SETTLE_SECONDS = 2.0

Stamp = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Trusted:
    """A usable context and what it was made from."""

    context: ssl.SSLContext
    certificates: Certificates
    stamp: Stamp


def build_context(files: CertificateFiles, now: datetime) -> Trusted:
    """Build a context of these files. Raises CertificatesRefused."""
    stamp = stamp_of(files)
    certificates = read_certificates(files, now)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cafile=files.ca)
        context.load_cert_chain(files.cert, files.key)
    except (ssl.SSLError, OSError) as error:
        raise CertificatesRefused(
            _("The certificate files cannot be used: %(why)s.") % {"why": error}, field="cert_file"
        ) from error
    return Trusted(context, certificates, stamp)


def stamp_of(files: CertificateFiles) -> Stamp:
    """Return what changes when a file does: modification time, size and inode of each; zeros where
    it is missing.
    """
    return tuple(_stamp(Path(path)) for path in (files.ca, files.cert, files.key))


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        seen = path.stat()
    except OSError:
        return (0, 0, 0)
    return (seen.st_mtime_ns, seen.st_size, seen.st_ino)


class ContextKeeper:
    """Keeps the context of one connection fresh.

    A pair that cannot be used never replaces one that can.
    """

    def __init__(self, files: CertificateFiles) -> None:
        self.files = files
        self.trusted: Trusted | None = None
        self.trouble = ""
        self._seen: Stamp = ()
        self._seen_at = float("-inf")

    def look(self, now: datetime, at: float) -> str:
        """Look at the files (`at` is monotonic seconds); return 'swapped', 'refused' or '' for no
        news.

        New files are taken once they have been still for SETTLE_SECONDS; the first ones at once.
        """
        stamp = stamp_of(self.files)
        if stamp != self._seen:
            self._seen, self._seen_at = stamp, at
        is_settled = at - self._seen_at >= SETTLE_SECONDS or self.trusted is None
        is_known = self.trusted is not None and self.trusted.stamp == stamp
        if is_known or not is_settled:
            return ""
        return self._take(now)

    def _take(self, now: datetime) -> str:
        try:
            fresh = build_context(self.files, now)
        except CertificatesRefused as refused:
            is_news = refused.sentence != self.trouble
            self.trouble = refused.sentence
            return "refused" if is_news else ""
        is_swap = self.trusted is not None
        self.trusted, self.trouble = fresh, ""
        return "swapped" if is_swap else ""


OPENSSL_SENTENCES = (
    ("certificate has expired", _("The peer's certificate has expired.")),
    ("certificate is not yet valid", _("The peer's certificate is not valid yet.")),
    (
        "self-signed certificate in certificate chain",
        _("The peer's certificate is signed by an authority that the CA file does not hold."),
    ),
    (
        "self-signed certificate",
        _("The peer's certificate is signed by itself, not by the authority in the CA file."),
    ),
    (
        "self signed certificate",
        _("The peer's certificate is signed by itself, not by the authority in the CA file."),
    ),
    ("Hostname mismatch", _("The peer's certificate is for another name than %(name)s.")),
    ("IP address mismatch", _("The peer's certificate is for another name than %(name)s.")),
    (
        "unable to get local issuer",
        _("The peer's certificate is signed by an authority that the CA file does not hold."),
    ),
    (
        "unable to get issuer",
        _("The peer's certificate is signed by an authority that the CA file does not hold."),
    ),
    (
        "certificate signature failure",
        _("The peer's certificate is signed by an authority that the CA file does not hold."),
    ),
)
ALERT_SENTENCES = (
    ("CERTIFICATE_REQUIRED", _("The peer wants a certificate from us and got none.")),
    ("UNKNOWN_CA", _("The peer does not know the authority that signed our certificate.")),
    ("CERTIFICATE_EXPIRED", _("The peer says that our certificate has expired.")),
    ("CERTIFICATE_REVOKED", _("The peer says that our certificate is revoked.")),
    ("BAD_CERTIFICATE", _("The peer does not accept our certificate.")),
    ("CERTIFICATE_UNKNOWN", _("The peer does not accept our certificate.")),
    ("PROTOCOL_VERSION", _("The peer speaks no TLS 1.2 or newer.")),
    ("UNSUPPORTED_PROTOCOL", _("The peer speaks no TLS 1.2 or newer.")),
    ("WRONG_VERSION_NUMBER", _("The peer does not speak TLS on this port.")),
    ("HANDSHAKE_FAILURE", _("The peer and we have no cipher in common.")),
)


OS_SENTENCES: tuple[tuple[type[BaseException], str], ...] = (
    (ConnectionRefusedError, _("Nobody listens at %(host)s port %(port)s.")),
    (TimeoutError, _("%(host)s port %(port)s does not answer.")),
    (ConnectionResetError, _("The peer closed the connection before the bind.")),
)


def explain(error: BaseException, *, host: str, port: int, name: str) -> str:
    """Return one sentence for why no session came up."""
    place = {"host": host, "port": port, "name": name}
    if isinstance(error, ssl.SSLCertVerificationError):
        known = _matching(OPENSSL_SENTENCES, f"{error.verify_message} {error}")
        return known % place if known else _untold(_("The peer's certificate is refused"), error)
    if isinstance(error, ssl.SSLError):
        known = _matching(ALERT_SENTENCES, str(error).upper().replace(" ", "_"))
        return known or _untold(_("TLS failed"), error)
    for kind, sentence in OS_SENTENCES:
        if isinstance(error, kind):
            return sentence % place
    return _untold(_("No connection to %(host)s port %(port)s") % place, error)


def _matching(table: tuple[tuple[str, str], ...], said: str) -> str:
    return next((sentence for needle, sentence in table if needle in said), "")


def _untold(what: str, error: BaseException) -> str:
    why = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
    return f"{what}: {why}."
