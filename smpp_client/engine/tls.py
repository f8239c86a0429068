"""TLS to the peer: a context of our own making, renewed when its files are, and failures in words.

A context is never changed: Python that loads a mismatched pair into a live one is left presenting
no certificate at all. A new one is built,
tried, and takes the place of the old one for the next bind.
"""

import asyncio
import hashlib
import socket
import ssl
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.utils.translation import gettext as _

from smpp_client.engine.accounts import Account
from smpp_client.protocol.pdus import GENERIC_NACK
from smpp_client.queries.certificates import (
    CertificateFiles,
    Certificates,
    CertificatesRefused,
    read_certificates,
)
from smpp_client.rules.hosts import Host

# Files that were touched less long ago than this may be half written.
SETTLE_SECONDS = 2.0
ASK_SECONDS = 3.0

MINIMUM_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}

Stamp = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Trusted:
    """A usable context and what it was made from."""

    context: ssl.SSLContext
    certificates: Certificates
    stamp: Stamp


def build_context(
    files: CertificateFiles, now: datetime, *, minimum: str = "1.2", checks_name: bool = True
) -> Trusted:
    """Build a context of these files. Raises CertificatesRefused.

    Only the authorities of the CA file count. Where the peer's key is pinned its name is not
    compared.
    """
    stamp = stamp_of(files)
    certificates = read_certificates(files, now)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = MINIMUM_VERSIONS[minimum]
    context.check_hostname = checks_name
    try:
        context.load_verify_locations(cafile=files.ca)
        context.load_cert_chain(files.cert, files.key)
    except (ssl.SSLError, OSError) as error:
        raise CertificatesRefused(
            _("The certificate files cannot be used: %(why)s.") % {"why": error}, field="cert_file"
        ) from error
    if stamp_of(files) != stamp:
        raise CertificatesRefused(_("The certificate files are being written."), field="cert_file")
    return Trusted(context, certificates, stamp)


def pin_of(transport: asyncio.BaseTransport) -> str:
    """Return the SHA-256 of the public key (SPKI) that the peer's certificate holds, in hex."""
    tls = transport.get_extra_info("ssl_object")
    certificate = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True))
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(certificate.public_key().public_bytes(*form)).hexdigest()


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

    A pair that cannot be used never replaces one that can. `trouble` says why the files as they are
    now are not in use, "" when they are.
    """

    def __init__(
        self,
        files: CertificateFiles,
        *,
        minimum: str = "1.2",
        checks_name: bool = True,
        settle_seconds: float = SETTLE_SECONDS,
    ) -> None:
        self.files = files
        self.trusted: Trusted | None = None
        self.trouble = ""
        self._minimum = minimum
        self._checks_name = checks_name
        self._settle_seconds = settle_seconds
        self._seen: Stamp = ()
        self._seen_at = float("-inf")
        self._judged: Stamp = ()

    def look(self, now: datetime, at: float) -> Trusted | None:
        """Look at the files (`at` is monotonic seconds); return what may take the place of the
        context in use, once, or None. Raises CertificatesRefused once for files that cannot be
        used.

        New files are judged once they have been still for SETTLE_SECONDS; the first ones at once,
        and they are in use then.
        """
        stamp = stamp_of(self.files)
        if stamp != self._seen:
            self._seen, self._seen_at = stamp, at
        if self.trusted is not None and self.trusted.stamp == stamp:
            self.trouble, self._judged = "", stamp
            return None
        is_settled = at - self._seen_at >= self._settle_seconds or self.trusted is None
        if not is_settled or (stamp == self._judged and self.trusted is not None):
            return None
        return self._judge(stamp, now)

    def take(self, fresh: Trusted) -> None:
        """Use what `look` returned from the next bind on."""
        self.trusted, self.trouble = fresh, ""

    def refuse(self, why: str) -> None:
        """Go on with what is in use."""
        self.trouble = why

    def _judge(self, stamp: Stamp, now: datetime) -> Trusted | None:
        self._judged = stamp
        try:
            fresh = build_context(
                self.files, now, minimum=self._minimum, checks_name=self._checks_name
            )
        except CertificatesRefused as refused:
            is_news = refused.sentence != self.trouble
            self.trouble = refused.sentence
            if is_news and self.trusted is not None:
                raise
            return None
        if self.trusted is None:
            self.take(fresh)
            return None
        return fresh


def pin_refusal(transport: asyncio.BaseTransport, pins: Collection[str]) -> str:
    """Return "" for a peer with a pinned key or where none is pinned, else why there is no bind."""
    if not pins or (pin := pin_of(transport)) in pins:
        return ""
    return _("The peer's public key is not the pinned one: SHA-256 %(pin)s.") % {"pin": pin}


def server_name_for(account: Account, host: Host) -> str:
    """Return the name that the certificate of one of a connection's hosts must have."""
    return account.server_name if account.server_name != account.host else host.name


class Keepers:
    """The keepers of this process, one for each connection: its slots share it."""

    def __init__(self, settle_seconds: float = SETTLE_SECONDS) -> None:
        self._settle_seconds = settle_seconds
        self._kept: dict[int, tuple[object, ContextKeeper]] = {}

    def of(self, account: Account) -> ContextKeeper:
        """Return a connection's keeper, a new one when its TLS settings are others."""
        settings = (account.files, account.tls_minimum, bool(account.pins))
        kept = self._kept.get(account.id)
        if kept is None or kept[0] != settings:
            keeper = ContextKeeper(
                account.files,
                minimum=account.tls_minimum,
                checks_name=not account.pins,
                settle_seconds=self._settle_seconds,
            )
            kept = self._kept[account.id] = (settings, keeper)
        return kept[1]


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
    ("PROTOCOL_VERSION", _("The peer speaks no TLS that is new enough.")),
    ("UNSUPPORTED_PROTOCOL", _("The peer speaks no TLS that is new enough.")),
    ("WRONG_VERSION_NUMBER", _("The peer does not speak TLS on this port.")),
    ("HANDSHAKE_FAILURE", _("The peer and we have no cipher in common.")),
)


OS_SENTENCES: tuple[tuple[type[BaseException], str], ...] = (
    (ConnectionRefusedError, _("Nobody listens at %(host)s port %(port)s.")),
    (TimeoutError, _("%(host)s port %(port)s does not answer.")),
    (ConnectionResetError, _("The peer closed the connection before the bind.")),
    (ConnectionAbortedError, _("The peer closed the connection before the bind.")),
    (socket.gaierror, _("No address is known for the name %(host)s.")),
)


def explain(error: BaseException, *, host: str, port: int, name: str) -> str:
    """Return one sentence for why no session came up."""
    place = {"host": host, "port": port, "name": name}
    if isinstance(error, ssl.SSLCertVerificationError):
        known = _matching(OPENSSL_SENTENCES, f"{error.verify_message} {error}")
        return known % place if known else _untold(_("The peer's certificate is refused"), error)
    if isinstance(error, ssl.SSLEOFError):
        return _("The peer closed the connection before the bind.")
    if isinstance(error, ssl.SSLError):
        known = _matching(ALERT_SENTENCES, str(error).upper().replace(" ", "_"))
        return known or _untold(_("TLS failed"), error)
    for kind, sentence in OS_SENTENCES:
        if isinstance(error, kind):
            return sentence % place
    return _untold(_("No connection to %(host)s port %(port)s") % place, error)


def explain_loss(error: BaseException) -> str:
    """Return one sentence for why a transport ended. A peer that does not take our certificate may
    say so only after the handshake.
    """
    if isinstance(error, ssl.SSLError):
        known = _matching(ALERT_SENTENCES, str(error).upper().replace(" ", "_"))
        if known:
            return known
    return _("The connection was lost: %(why)s.") % {"why": error}


async def what_speaks(host: Host) -> str:
    """Ask a port that speaks no TLS what it is; return a sentence, "" when it does not tell."""
    try:
        async with asyncio.timeout(ASK_SECONDS):
            said = await _said_to_a_hello(host)
    except (OSError, TimeoutError):
        return ""
    if said.startswith(b"HTTP/"):
        return _("An HTTP server answers on this port, not an SMSC.")
    if said[4:8] == GENERIC_NACK.to_bytes(4, "big"):
        return _("The peer speaks SMPP on this port, but without TLS.")
    return ""


async def _said_to_a_hello(host: Host) -> bytes:
    hello = ssl.MemoryBIO()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(
        ssl.MemoryBIO(), hello, server_hostname=host.name
    )
    with suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    reader, writer = await asyncio.open_connection(host.name, host.port)
    try:
        writer.write(hello.read())
        return await reader.read(64)
    finally:
        writer.transport.abort()


def _matching(table: tuple[tuple[str, str], ...], said: str) -> str:
    return next((sentence for needle, sentence in table if needle in said), "")


def _untold(what: str, error: BaseException) -> str:
    why = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
    return f"{what}: {why}."
