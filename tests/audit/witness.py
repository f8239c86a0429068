"""A witness as another organisation runs it: C2SP tlog-witness over HTTP, written from its text.

It shares no code with the product: it takes requests apart by itself and checks consistency by
the algorithm of RFC 9162, section 2.1.4.2.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tests.audit.far_end import serve

NAME = "witness.regulator.example/w1"


@dataclass
class Witness:
    """What it knows: logs by origin with their public keys, and the last (size, root) of each."""

    logs: dict[str, list[bytes]]
    clock: int = 1_772_355_700
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    seen: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    url: str = ""

    @property
    def verifier_key(self) -> str:
        material = b"\4" + self.private.public_key().public_bytes_raw()
        return f"{NAME}+{self._key_id.hex()}+{base64.b64encode(material).decode()}"

    @property
    def _key_id(self) -> bytes:
        material = b"\4" + self.private.public_key().public_bytes_raw()
        return sha256(NAME.encode() + b"\n" + material).digest()[:4]

    def add_checkpoint(self, body: str) -> tuple[int, str, str]:
        """Answer a request: status, type, text."""
        self.requests.append(body)
        head, _gap, note = body.partition("\n\n")
        first, *proof = head.split("\n")
        old = int(first.removeprefix("old "))
        text, _gap, signatures = note.rpartition("\n\n")
        origin, size_text, root_text = text.split("\n")
        size, root = int(size_text), base64.b64decode(root_text)
        if origin not in self.logs:
            return 404, "text/plain", "unknown log"
        if not self._is_signed(origin, f"{text}\n", signatures):
            return 403, "text/plain", "no signature of this log"
        if old > size:
            return 400, "text/plain", "old is larger"
        last_size, last_root = self.seen.get(origin, (0, b""))
        if old != last_size or (old == size and root != last_root):
            return 409, "text/x.tlog.size", f"{last_size}\n"
        steps = [base64.b64decode(line) for line in proof if line]
        if not is_consistent(old, last_root, size, root, steps):
            return 422, "text/plain", "the proof fails"
        self.seen[origin] = (size, root)
        return 200, "text/plain", self._cosignature(f"{text}\n")

    def _is_signed(self, origin: str, body: str, lines: str) -> bool:
        for line in lines.splitlines():
            _dash, name, data = line.split(" ")
            for key in self.logs[origin]:
                if name == origin and _fits(key, base64.b64decode(data)[4:], body.encode()):
                    return True
        return False

    def _cosignature(self, body: str) -> str:
        signed = self.private.sign(f"cosignature/v1\ntime {self.clock}\n{body}".encode())
        data = self._key_id + self.clock.to_bytes(8, "big") + signed
        return f"\u2014 {NAME} {base64.b64encode(data).decode()}\n"


@contextmanager
def witness(origin: str, *keys: bytes) -> Iterator[Witness]:
    """Run a witness that knows this log."""
    one = Witness({origin: list(keys)})

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/witness/add-checkpoint"
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, kind, text = one.add_checkpoint(body)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Nothing is written down."""

    with serve(Door) as address:
        one.url = f"http://{address}/witness/"
        yield one


def is_consistent(  # noqa: C901, PLR0912 - the RFC's algorithm, step by step as it stands there
    old: int, old_root: bytes, size: int, root: bytes, proof: list[bytes]
) -> bool:
    """Check that the first `old` leaves begin the tree (RFC 9162, section 2.1.4.2)."""
    if old == 0:
        return not proof
    if old == size:
        return not proof and old_root == root
    steps = list(proof)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    first, last = old - 1, size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    seen_old = seen_new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            seen_old, seen_new = _node(step, seen_old), _node(step, seen_new)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            seen_new = _node(seen_new, step)
        first, last = first >> 1, last >> 1
    return (seen_old, seen_new, last) == (old_root, root, 0)


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def _fits(key: bytes, signature: bytes, body: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, body)
    except InvalidSignature:
        return False
    return True
