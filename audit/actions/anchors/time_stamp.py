"""A time-stamping authority (RFC 3161): it signs the digest of a checkpoint with its own time."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimeStampRequest,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from audit.actions.anchors.web import post
from audit.rules.anchoring import AnchorRefused, Given, Last, SignedCheckpoint

_GRANTED = {0, 1}


@dataclass(frozen=True)
class TimeStampAnchor:
    """Asks the authority at `url`, believed by the certificates in the file `authority` (PEM).

    The stamp is over SHA-256 of the whole note; the receipt is the authority's answer (DER).
    """

    url: str
    authority: str
    period: timedelta
    name: str = "tsa"
    kind: str = "tsa"

    def send(self, checkpoint: SignedCheckpoint, last: Last | None) -> Given:
        """Have the checkpoint stamped; raise AnchorRefused or Unreachable."""
        roots = self._roots()
        data = checkpoint.note.encode()
        builder = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256)
        request = builder.cert_request(cert_request=True).nonce(nonce=True).build()
        answer = post(self.url, request.as_bytes(), "application/timestamp-query")
        if answer.status != 200:
            raise AnchorRefused(f"{self.url} refused the request (HTTP {answer.status}).")
        stamp = self._read(answer.body)
        self._check(stamp, request, data, roots)
        return Given(answer.body, stamp.tst_info.gen_time)

    def _read(self, body: bytes) -> TimeStampResponse:
        try:
            stamp = decode_timestamp_response(body)
        except ValueError as broken:
            raise AnchorRefused(f"{self.url} answered with something else: {broken}.") from broken
        if stamp.status not in _GRANTED:
            said = ", ".join(stamp.status_string) or f"status {stamp.status}"
            raise AnchorRefused(f"The authority refused: {said}.")
        return stamp

    def _check(
        self,
        stamp: TimeStampResponse,
        request: TimeStampRequest,
        data: bytes,
        roots: list[x509.Certificate],
    ) -> None:
        verifier = VerifierBuilder.from_request(request)
        try:
            for root in roots:
                verifier = verifier.add_root_certificate(root)
            verifier.build().verify_message(stamp, data)
        except (VerificationError, ValueError) as doubt:
            raise AnchorRefused(f"The time stamp cannot be believed: {doubt}.") from doubt

    def _roots(self) -> list[x509.Certificate]:
        try:
            return x509.load_pem_x509_certificates(Path(self.authority).read_bytes())
        except (OSError, ValueError) as broken:
            raise AnchorRefused(
                f"The authority's certificates in AUDIT_TSA_CA cannot be read: {broken}."
            ) from broken
