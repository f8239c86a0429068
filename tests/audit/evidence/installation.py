"""A whole installation in memory: chains, epochs, checkpoints, and the bundles that it exports.

Everything is deterministic. It is written with the product's rules, which share nothing with the
verifiers, so what both agree on is the published format.
"""

import gzip
import json
import pickle
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.rules import hashes
from audit.rules.canonical import encode, stamp
from audit.rules.epochs import Epoch, Head, next_epoch
from audit.rules.notes import Checkpoint, Note, SignatureLine, VerifierKey, public_key, sign

INSTALL = UUID("0c9a9e2e-2a0b-4a5e-9f0e-5f1f6c1f7a01")
OTHER_INSTALL = UUID("77a3f5d0-90c4-4d5e-8a52-1f2f3a4b5c6d")
ORIGIN = f"audit.telco.example/{INSTALL}"
OTHER_ORIGIN = f"audit.telco.example/{OTHER_INSTALL}"
WITNESS = "witness.regulator.example/w1"
START = datetime(2026, 3, 2, tzinfo=UTC)
SECRET = b"n" * 32
OURS, NEIGHBOUR, EMPTY = 2, 1, 4


def key(seed: str) -> Ed25519PrivateKey:
    """Return the private key of a name."""
    return Ed25519PrivateKey.from_private_bytes(sha256(seed.encode()).digest())


LOG_KEY, EXPORT_KEY, WITNESS_KEY = key("log"), key("export"), key("witness")
LOG_VKEY = str(public_key(ORIGIN, LOG_KEY))
EXPORT_VKEY = str(public_key(f"{ORIGIN}/export", EXPORT_KEY))
OTHER_VKEY = str(public_key(OTHER_ORIGIN, key("other")))
WITNESS_VKEY = str(VerifierKey(WITNESS, WITNESS_KEY.public_key().public_bytes_raw(), 4))
TRUST = (LOG_VKEY, EXPORT_VKEY)


def uuid4(seed: str) -> UUID:
    """Return a UUID of version 4 that only the seed decides."""
    return UUID(bytes=sha256(seed.encode()).digest()[:16], version=4)


def after(seconds: float) -> str:
    """Return the stamp so many seconds after the installation's start."""
    return stamp(START + timedelta(seconds=seconds))


def cosign(note: Note, at: int, private: Ed25519PrivateKey = WITNESS_KEY) -> Note:
    """Add a witness's line."""
    name = VerifierKey(WITNESS, private.public_key().public_bytes_raw(), 4)
    signature = private.sign(f"cosignature/v1\ntime {at}\n{note.body}".encode())
    line = SignatureLine(WITNESS, name.key_id, at.to_bytes(8, "big") + signature)
    return replace(note, lines=(*note.lines, line))


@dataclass
class Entry:
    """One line of a chain; `ev` None is the hidden form, which needs the leaf."""

    ws: UUID
    seq: int
    at: str
    ev: bytes | None
    prev: bytes = b""
    hash: bytes = b""
    leaf: bytes = b""

    def rehash(self, prev: bytes) -> None:
        """Follow `prev`, as one does who knows the formulas."""
        self.prev = prev
        self.leaf = hashes.leaf_hash(self.ev) if self.ev is not None else self.leaf
        self.hash = hashes.entry_hash(self.ws, self.seq, self.at, prev, self.leaf)

    def line(self) -> bytes:
        tail = f'"prev":"{self.prev.hex()}","seq":{self.seq},"ws":"{self.ws}"}}'.encode()
        if self.ev is None:
            middle = f'"hash":"{self.hash.hex()}","leaf":"{self.leaf.hex()}",'.encode()
        else:
            middle = b'"ev":%s,"hash":"%s",' % (self.ev, self.hash.hex().encode())
        return f'{{"at":"{self.at}",'.encode() + middle + tail


@dataclass
class ChainState:
    """A chain of the installation."""

    slot: int
    ws: UUID
    created: str
    entries: list[Entry] = field(default_factory=list)
    genesis: bytes = b""

    def head(self) -> Head:
        if not self.entries:
            return Head(self.slot, self.ws, 0, self.genesis)
        return Head(self.slot, self.ws, self.entries[-1].seq, self.entries[-1].hash)

    def rehash(self, start: int = 0) -> None:
        """Number and link anew from a position on."""
        prev = self.entries[start - 1].hash if start else self.genesis
        for number, entry in enumerate(self.entries[start:], start + 1):
            entry.seq = number
            entry.rehash(prev)
            prev = entry.hash


@dataclass
class Bundle:
    """An exported bundle whose parts an attacker changes before it is written."""

    manifest: dict[str, Any]
    epochs: list[bytes]
    heads: list[dict[str, Any]]
    entries: list[Entry]
    disclosures: list[dict[str, Any]]
    checkpoint: str
    files: dict[str, bytes] = field(default_factory=dict)
    sealed: dict[str, bytes] | None = None

    def rehash(self, start: int = 0) -> None:
        """Number and link the entries anew, as an attacker does."""
        seq = self.manifest["first_seq"] + start
        prev = self.entries[start - 1].hash if start else bytes.fromhex(self.manifest["start_prev"])
        for number, entry in enumerate(self.entries[start:], seq):
            entry.seq = number
            entry.rehash(prev)
            prev = entry.hash

    def contents(self) -> dict[str, bytes]:
        """Return the files but for the manifest and its note."""
        files = {
            "checkpoint.note": self.checkpoint.encode(),
            "epochs.jsonl": jsonl(self.epochs),
            "heads.jsonl": jsonl(encode(head) for head in self.heads),
            "entries.jsonl.gz": packed(entry.line() for entry in self.entries),
        }
        if self.disclosures:
            files["disclosures.jsonl"] = jsonl(encode(line) for line in self.disclosures)
        return files | self.files

    def seal(self) -> dict[str, bytes]:
        """Return all files with a manifest that the export key signed."""
        if self.sealed is not None:
            return self.sealed
        files = self.contents()
        listed: list[Any] = [
            {"path": path, "sha256": sha256(files[path]).hexdigest(), "size": len(files[path])}
            for path in sorted(files)
        ]
        self.manifest.setdefault("entries", len(self.entries))
        return sign_manifest(files, {"files": listed, **self.manifest})


def sign_manifest(files: dict[str, bytes], manifest: dict[str, Any]) -> dict[str, bytes]:
    """Return the files with a manifest, signed by whoever has the export key."""
    raw = json.dumps(manifest, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    data = raw.encode() + b"\n"
    body = f"smsc-audit-manifest/v1\n{sha256(data).hexdigest()}\n"
    note = str(sign(body, f"{manifest['origin']}/export", EXPORT_KEY))
    return {**files, "manifest.json": data, "manifest.note": note.encode()}


def jsonl(lines: Any) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def packed(lines: Any) -> bytes:
    """Return one gzip member without a name or a time."""
    return gzip.compress(jsonl(lines), mtime=0)


class Installation:
    """Slot 0 is the system's; each workspace writes twelve events an hour, slot 4 only later."""

    def __init__(self, log_key: Ed25519PrivateKey = LOG_KEY) -> None:
        self.log_key = log_key
        self.chains: list[ChainState] = []
        self.epochs: list[Epoch] = []
        self.fixed: list[list[Head]] = []
        self.salts: dict[tuple[int, int, str], tuple[str, str]] = {}
        self.notes: list[Note] = []
        for slot in range(5):
            self.open(INSTALL if slot == 0 else uuid4(f"workspace {slot}"))

    def open(self, ws: UUID) -> None:
        slot, created = len(self.chains), after(0)
        chain = ChainState(slot, ws, created)
        chain.genesis = hashes.genesis(INSTALL, ws, slot, created)
        self.chains.append(chain)

    def record(self, slot: int, at: float, **changes: Any) -> Entry:
        """Number an honest event, with what the test changes; `personal` is committed to."""
        chain = self.chains[slot]
        seq = len(chain.entries) + 1
        event: dict[str, Any] = {
            "v": 1,
            "ws": str(chain.ws),
            "eid": str(uuid4(f"event {slot} {seq} {at}")),
            "t": after(at),
            "op": "campaign.approve" if seq % 3 else "content.reject",
            "act": {"id": f"usr_{seq % 9}", "kind": "user"},
            "obj": {"id": f"cmp_{seq}", "type": "campaign"},
            "why": f'café №{seq} "q" \\',
        }
        personal = changes.pop("personal", None)
        if personal:
            salt = sha256(f"salt {slot} {seq}".encode()).digest()
            self.salts[slot, seq, "msisdn"] = (salt.hex(), personal)
            event["pd"] = {"msisdn": hashes.commitment(salt, "msisdn", personal)}
        return self.record_bytes(slot, at + 0.04, encode(event | changes))

    def record_bytes(self, slot: int, at: float, event: bytes) -> Entry:
        """Number any bytes."""
        chain = self.chains[slot]
        entry = Entry(chain.ws, len(chain.entries) + 1, after(at), event)
        entry.rehash(chain.head().hash)
        chain.entries.append(entry)
        return entry

    def fix(self, at: float, heads: Sequence[Head] | None = None, *, witness: bool = True) -> None:
        """Fix an epoch and sign its checkpoint."""
        heads = list(heads or [chain.head() for chain in self.chains])
        last = self.epochs[-1] if self.epochs else None
        self.epochs.append(next_epoch(last, at=after(at), secret=SECRET, heads=heads))
        self.fixed.append(heads)
        note = self.checkpoint(len(self.epochs))
        seen_at = int(START.timestamp() + max(at, 0)) + 60
        self.notes.append(cosign(note, seen_at) if witness else note)

    def checkpoint(self, size: int, origin: str = ORIGIN) -> Note:
        """Sign the checkpoint over the first epochs."""
        root = hashes.tree_root([epoch.leaf() for epoch in self.epochs[:size]])
        return sign(Checkpoint(origin, size, root).body, origin, self.log_key)

    def hour(self, number: int, *, witness: bool = True) -> None:
        """Let an hour pass: events in every chain, then an epoch."""
        for slot in range(len(self.chains)):
            if slot != EMPTY or number:
                self.five_minutes(slot, number)
        self.fix(3600 * (number + 1), witness=witness)

    def five_minutes(self, slot: int, hour: int) -> None:
        for step in range(12):
            at = 3600 * hour + 300 * step
            number = f"+447700900{(step + hour * 12) % 1000:03}"
            self.record(slot, at, personal=number if step % 4 == 1 else None)

    def export(self, slot: int = OURS, *, first_seq: int = 1, epoch_count: int = 0) -> Bundle:
        """Return a workspace's bundle up to an epoch (the last by default)."""
        size = epoch_count or len(self.epochs)
        chain, last = self.chains[slot], self.fixed[size - 1][slot].seq
        return Bundle(
            manifest={
                "first_seq": first_seq,
                "genesis": chain.created,
                "install": str(INSTALL),
                "mode": "full",
                "origin": ORIGIN,
                "slot": slot,
                "start_prev": (
                    chain.genesis if first_seq == 1 else chain.entries[first_seq - 2].hash
                ).hex(),
                "v": 1,
                "workspace": str(chain.ws),
            },
            epochs=[epoch.line() for epoch in self.epochs[:size]],
            heads=[self.head_line(number, slot) for number in range(size)],
            entries=deepcopy(chain.entries[first_seq - 1 : last]),
            disclosures=self.disclosures(slot, first_seq, last),
            checkpoint=str(self.notes[size - 1]),
        )

    def head_line(self, number: int, slot: int) -> dict[str, Any]:
        """Return the line of heads.jsonl for an epoch, with its proof."""
        heads = self.fixed[number]
        nonces = [hashes.nonce(SECRET, number, head.slot) for head in heads]
        leaves = [
            hashes.leaf_hash(hashes.head_text(head.slot, head.ws, head.seq, head.hash, nonce))
            for head, nonce in zip(heads, nonces, strict=True)
        ]
        return {
            "epoch": number,
            "hash": heads[slot].hash.hex(),
            "nonce": nonces[slot],
            "proof": [step.hex() for step in hashes.inclusion_proof(leaves, slot)],
            "seq": heads[slot].seq,
        }

    def disclosures(self, slot: int, first: int, last: int) -> list[dict[str, Any]]:
        return [
            {"field": name, "salt": salt, "seq": seq, "value": value}
            for (chain, seq, name), (salt, value) in sorted(self.salts.items())
            if chain == slot and first <= seq <= last
        ]

    def system_files(self) -> dict[str, bytes]:
        """Return the system chain, every entry shown as a hash."""
        entries = [replace(entry, ev=None) for entry in self.chains[0].entries]
        heads = [self.head_line(number, 0) for number in range(len(self.epochs))]
        return {
            "system-entries.jsonl.gz": packed(entry.line() for entry in entries),
            "system-heads.jsonl": jsonl(encode(head) for head in heads),
        }


@cache
def _pickled() -> bytes:
    log = Installation()
    for number in range(6):
        log.hour(number)
    log.log_key = None  # type: ignore[assignment]
    return pickle.dumps(log)


def six_hours() -> Installation:
    """Return an installation that ran for six hours: 72 entries, six epochs."""
    log: Installation = pickle.loads(_pickled())  # noqa: S301  (several times a deep copy's speed)
    log.log_key = LOG_KEY
    return log


def five_hours() -> Installation:
    """Return the same an hour earlier, to which a case adds its own last hour."""
    log = six_hours()
    for chain in log.chains:
        del chain.entries[log.fixed[4][chain.slot].seq :]
    del log.epochs[5:], log.fixed[5:], log.notes[5:]
    for place in [key for key in log.salts if key[1] > log.fixed[4][key[0]].seq]:
        del log.salts[place]
    return log
