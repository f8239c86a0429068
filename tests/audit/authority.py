"""A time-stamping authority: `openssl ts` behind HTTP, with certificates of its own."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.audit.far_end import serve

CONFIG = """
[tsa]
default_tsa = tsa1
[tsa1]
dir = {folder}
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
certs = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = {digests}
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


@dataclass
class Authority:
    """`ca` is the file of certificates by which it is believed; `is_down` lets it fail."""

    folder: Path
    url: str = ""
    is_down: bool = False
    request_count: int = 0

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    def reply(self, query: bytes) -> bytes:
        """Answer a query as RFC 3161 says."""
        self.request_count += 1
        (self.folder / "query").write_bytes(query)
        words = ["openssl", "ts", "-reply", "-config", "config", "-queryfile", "query"]
        done = subprocess.run(
            [*words, "-out", "answer"], cwd=self.folder, capture_output=True, check=False
        )
        assert (self.folder / "answer").exists(), done.stderr
        return (self.folder / "answer").read_bytes()


@contextmanager
def authority(folder: Path, *, digests: str = "sha256") -> Iterator[Authority]:
    """Run an authority that stamps these kinds of digest."""
    folder.mkdir()
    _make_certificates(folder)
    (folder / "serial").write_text("01\n")
    (folder / "config").write_text(CONFIG.format(folder=folder, digests=digests))
    one = Authority(folder)

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == "application/timestamp-query"
            query = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(503 if one.is_down else 200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            if not one.is_down:
                self.wfile.write(one.reply(query))

        def log_message(self, *_: object) -> None:
            """Nothing is written down."""

    with serve(Door) as address:
        one.url = f"http://{address}/tsr"
        yield one


def _make_certificates(folder: Path) -> None:
    ca_key, tsa_key = _key(), _key()
    ca = _certificate("Time CA", ca_key, "Time CA", ca_key, is_ca=True)
    tsa = _certificate("Time authority", tsa_key, "Time CA", ca_key, is_ca=False)
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))
    (folder / "tsa.pem").write_bytes(tsa.public_bytes(pem))
    (folder / "tsa.key").write_bytes(
        tsa_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _certificate(
    name: str, key: rsa.RSAPrivateKey, issuer: str, issuer_key: rsa.RSAPrivateKey, *, is_ca: bool
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    )
    if not is_ca:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
