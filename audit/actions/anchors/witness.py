"""A witness (C2SP tlog-witness): it signs a checkpoint only when it continues the one before."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from audit.actions.anchors.web import Answer, post
from audit.rules.anchoring import AnchorRefused, Given, Last, SignedCheckpoint
from audit.rules.notes import (
    COSIGNATURE,
    BadNote,
    BadSignature,
    Note,
    Verified,
    VerifierKey,
    read_key,
    read_note,
    verify,
)

_SIZE = "text/x.tlog.size"


@dataclass(frozen=True)
class WitnessAnchor:
    """The witness whose submission prefix is `url` and whose verifier key is `key`.

    The receipt is its cosignature line, ready to be put under the checkpoint's note.
    """

    url: str
    key: str
    name: str = "witness"
    kind: str = "witness"
    period: timedelta = timedelta(0)

    def send(self, checkpoint: SignedCheckpoint, last: Last | None) -> Given:
        """Have the checkpoint cosigned; raise AnchorRefused or Unreachable."""
        key = self._key()
        old = last.epoch + 1 if last else 0
        answer = self._add(checkpoint, old)
        if answer.status == 409:
            answer = self._add(checkpoint, self._seen(answer, old, checkpoint))
        if answer.status != 200:
            raise AnchorRefused(f"The witness refused: {_said(answer)}.")
        line, at = _cosignature(checkpoint.note, answer, key)
        return Given(line.encode(), at)

    def _add(self, checkpoint: SignedCheckpoint, old: int) -> Answer:
        proof = "".join(f"{base64.b64encode(one).decode()}\n" for one in checkpoint.proof(old))
        body = f"old {old}\n{proof}\n{checkpoint.note}"
        return post(f"{self.url.rstrip('/')}/add-checkpoint", body.encode(), "text/plain")

    def _seen(self, answer: Answer, old: int, checkpoint: SignedCheckpoint) -> int:
        """Return which size the witness saw last, when it is one that we can continue."""
        text = answer.body.decode("ascii", "replace").strip()
        if answer.content_type != _SIZE or not text.isdecimal() or int(text) == old:
            raise AnchorRefused(f"The witness saw another log than ours: {_said(answer)}.")
        if int(text) > checkpoint.size:
            raise AnchorRefused(
                f"The witness saw {text} epochs of this log; here are {checkpoint.size}."
            )
        return int(text)

    def _key(self) -> VerifierKey:
        try:
            key = read_key(self.key)
        except BadNote as broken:
            raise AnchorRefused(f"AUDIT_WITNESS_KEY: {broken}") from broken
        if key.algorithm != COSIGNATURE:
            raise AnchorRefused("AUDIT_WITNESS_KEY is not a witness's key.")
        return key


def _cosignature(note: str, answer: Answer, key: VerifierKey) -> tuple[str, datetime]:
    """Return the witness's own line among those that came, and the time that it states."""
    try:
        cosigned = read_note(note + answer.body.decode())
        seen: dict[str, Verified] = {}
        for line in cosigned.lines:
            for verified in verify(Note(cosigned.body, (line,)), [key]):
                seen[str(line)] = verified
    except (BadNote, BadSignature, UnicodeDecodeError) as broken:
        raise AnchorRefused(f"The witness's answer cannot be believed: {broken}") from broken
    if not seen:
        raise AnchorRefused(f"The answer is not signed by {key.name}.")
    line_text, verified = seen.popitem()
    return line_text, datetime.fromtimestamp(verified.at or 0, UTC)


def _said(answer: Answer) -> str:
    text = answer.body.decode("utf-8", "replace").strip()
    return f"HTTP {answer.status}{': ' if text else ''}{text[:200]}"
