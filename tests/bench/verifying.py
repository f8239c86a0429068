"""Verifying a year of evidence: a million entries among 100 chains and 8,784 epochs.

Printed beside plain SHA-256 over the same bytes, which no verifier can beat.
"""

import gzip
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from audit.rules import hashes
from audit.rules.canonical import encode, stamp
from audit.rules.epochs import Epoch, Head, next_epoch
from audit.rules.notes import Checkpoint, sign
from audit.verifier import verify_evidence
from tests.audit.evidence.installation import (
    EXPORT_VKEY,
    INSTALL,
    LOG_KEY,
    LOG_VKEY,
    ORIGIN,
    SECRET,
    WITNESS_VKEY,
    cosign,
    sign_manifest,
    uuid4,
)

ENTRIES = int(os.environ.get("BENCH_ENTRIES", "1000000"))
EPOCHS = int(os.environ.get("BENCH_EPOCHS", "8784"))
CHAINS, SLOT, ROUNDS = 100, 42, 3
START = datetime(2024, 1, 1, tzinfo=UTC)
WORKSPACES = [INSTALL, *(uuid4(f"bench {slot}") for slot in range(1, CHAINS))]
EVENT = (
    '{"act":{"id":"usr_%d","kind":"user","sid":"ses_%d"},"diff":{%s},'
    '"eid":"%s","obj":{"id":"cmp_%d","type":"campaign"},"op":"campaign.%s"%s,"req":"req_%d",'
    '"res":"ok","t":"%s","v":1,"why":"спокойно, №%d","ws":"%s"}'
)
# A log has many operations, and each differs in what it changed: 420 kinds of events here.
VERBS = [f"verb_{number}" for number in range(30)]
DIFFS = (
    '"state":["draft","approved"]',
    '"name":["May","June"],"state":["draft","draft"]',
    '"rate":[50,60]',
    '"from":[null,"09:00"],"until":[null,"18:00"]',
    '"numbers":[12000,12001]',
    '"is_urgent":[false,true],"rate":[1,2]',
    '"parts":[1,2],"text":["a","b"]',
)


def measure() -> None:
    """Write the bundle, verify it three times, print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain_bytes, roots = _write(folder)
        rounds = [(_verify(folder), _hash(folder)) for _round in range(ROUNDS)]
        _witness(folder, roots)
        witnessed, witnessed_cpu, _peak = _verify(folder, "--witness", WITNESS_VKEY)
    seconds, cpu, peak = sorted(one for one, _plain in rounds)[ROUNDS // 2]
    plain = sorted(plain for _one, plain in rounds)[ROUNDS // 2]
    print(
        f"  {ENTRIES:,} entries, {CHAINS} chains, {EPOCHS:,} epochs ({plain_bytes / 1e6:.0f} MB):"
        f" {seconds:.1f} s ({cpu:.1f} s of CPU), {peak / 1024:.0f} MB at the peak;"
        f" {cpu / plain:.1f} times unpacking and hashing the same bytes ({plain:.1f} s of CPU)\n"
        f"  the same with a checkpoint of each epoch that a witness signed, too (once):"
        f" {witnessed:.1f} s ({witnessed_cpu:.1f} s of CPU)"
    )


def _write(folder: Path) -> tuple[int, list[bytes]]:
    """Write a signed bundle; return the size of its lines, and the root after each epoch."""
    size, heads, epochs = 0, _Heads(), folder / "epochs.jsonl"
    roots = []
    with (
        epochs.open("wb") as log,
        (folder / "entries.jsonl.gz").open("wb") as packed,
        # The header of a bundle's archive has neither a name nor a time.
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=packed, mtime=0) as entries,
        (folder / "heads.jsonl").open("wb") as proofs,
        (folder / "disclosures.jsonl").open("wb") as disclosures,
    ):
        for hour, (lines, shown) in enumerate(_hours()):
            entries.write(lines[0])
            disclosures.write(shown)
            epoch, head = heads.fix(hour, lines[1], lines[2])
            log.write(epoch)
            proofs.write(head)
            roots.append(heads.tree.root())
            size += len(lines[0]) + len(shown) + len(epoch) + len(head)
    note = str(sign(Checkpoint(ORIGIN, EPOCHS, roots[-1]).body, ORIGIN, LOG_KEY)).encode()
    (folder / "checkpoint.note").write_bytes(note)
    _sign(folder)
    return size, roots


def _witness(folder: Path, roots: list[bytes]) -> None:
    """Add what a witness of every epoch leaves in a bundle: each checkpoint, with his line."""
    (folder / "checkpoints").mkdir()
    for size, root in enumerate(roots, start=1):
        note = sign(Checkpoint(ORIGIN, size, root).body, ORIGIN, LOG_KEY)
        at = int((START + timedelta(hours=size, seconds=2)).timestamp())
        (folder / f"checkpoints/{size}.note").write_text(str(cosign(note, at)))
    _sign(folder)


def _hours() -> Iterator[tuple[tuple[bytes, int, bytes], bytes]]:
    """Yield (lines, last number, last hash) and the disclosed values, an hour at a time."""
    ws, seq = WORKSPACES[SLOT], 0
    prev = hashes.genesis(INSTALL, ws, SLOT, stamp(START))
    for hour in range(EPOCHS):
        lines, shown = [], []
        for _step in range(ENTRIES * (hour + 1) // EPOCHS - ENTRIES * hour // EPOCHS):
            seq += 1
            moment = START + timedelta(hours=hour, milliseconds=seq % 3_600_000)
            personal, disclosed = _personal(seq)
            shown.append(disclosed)
            event = _event(ws, seq, stamp(moment), personal)
            at = stamp(moment + timedelta(milliseconds=40))
            found = hashes.entry_hash(ws, seq, at, prev, hashes.leaf_hash(event))
            lines.append(
                f'{{"at":"{at}","ev":{event.decode()},"hash":"{found.hex()}",'
                f'"prev":"{prev.hex()}","seq":{seq},"ws":"{ws}"}}\n'.encode()
            )
            prev = found
        yield (b"".join(lines), seq, prev), b"".join(shown)


def _event(ws: UUID, seq: int, at: str, personal: str) -> bytes:
    eid = UUID(bytes=sha256(b"%d" % seq).digest()[:16], version=4)
    diff, verb = DIFFS[seq % len(DIFFS)], VERBS[seq % len(VERBS)]
    who = (seq % 90, seq % 7_000, diff, eid, seq % 50_000, verb, personal, seq, at, seq, ws)
    return (EVENT % who).encode()


def _personal(seq: int) -> tuple[str, bytes]:
    """Return what one entry in four commits to, and the line that discloses it."""
    if seq % 4:
        return "", b""
    salt, value = sha256(b"salt %d" % seq).digest(), f"+447700900{seq % 1000:03}"
    line: dict[str, Any] = {"field": "msisdn", "salt": salt.hex(), "seq": seq, "value": value}
    committed = hashes.commitment(salt, "msisdn", value)
    return f',"pd":{{"msisdn":"{committed}"}}', encode(line) + b"\n"


class _Heads:
    """Fixes epochs over 100 chains, 99 of which stand still."""

    def __init__(self) -> None:
        self.tree = hashes.Tree()
        self.last: Epoch | None = None

    def fix(self, hour: int, seq: int, found: bytes) -> tuple[bytes, bytes]:
        heads = [Head(slot, WORKSPACES[slot], 1, bytes(32)) for slot in range(CHAINS)]
        heads[SLOT] = Head(SLOT, WORKSPACES[SLOT], seq, found)
        at = stamp(START + timedelta(hours=hour + 1))
        nonces = [hashes.nonce(SECRET, hour, slot) for slot in range(CHAINS)]
        leaves = [
            hashes.leaf_hash(hashes.head_text(head.slot, head.ws, head.seq, head.hash, nonce))
            for head, nonce in zip(heads, nonces, strict=True)
        ]
        self.last = next_epoch(self.last, at=at, secret=SECRET, heads=heads)
        self.tree.append(self.last.leaf())
        line: dict[str, Any] = {
            "epoch": hour,
            "hash": found.hex(),
            "nonce": nonces[SLOT],
            "proof": [step.hex() for step in hashes.inclusion_proof(leaves, SLOT)],
            "seq": seq,
        }
        return self.last.line() + b"\n", encode(line) + b"\n"


def _sign(folder: Path) -> None:
    files = [
        {
            "path": path.relative_to(folder).as_posix(),
            "sha256": _digest(path),
            "size": path.stat().st_size,
        }
        for path in folder.rglob("*")
        if path.is_file() and path.stem != "manifest"
    ]
    files.sort(key=lambda file: str(file["path"]))
    manifest = {
        "entries": ENTRIES,
        "files": files,
        "first_seq": 1,
        "genesis": stamp(START),
        "install": str(INSTALL),
        "mode": "full",
        "origin": ORIGIN,
        "slot": SLOT,
        "start_prev": hashes.genesis(INSTALL, WORKSPACES[SLOT], SLOT, stamp(START)).hex(),
        "v": 1,
        "workspace": str(WORKSPACES[SLOT]),
    }
    for name, data in sign_manifest({}, manifest).items():
        (folder / name).write_bytes(data)


def _digest(path: Path) -> str:
    hasher = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            hasher.update(block)
    return hasher.hexdigest()


def _verify(folder: Path, *more: str) -> tuple[float, float, int]:
    """Run the verifier; return seconds, seconds of CPU and its peak in KB."""
    file = str(Path(verify_evidence.__file__).resolve())
    words = [sys.executable, "-I", file, str(folder), "--trust", LOG_VKEY, "--trust", EXPORT_VKEY]
    began = time.perf_counter()
    with subprocess.Popen(
        [*words, *more, "--max-gap", "7200", "--json", "--keep", str(folder)],
        stdout=subprocess.DEVNULL,
    ) as process:
        _pid, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, "the verifier refused what it should accept"
    return time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss


def _hash(folder: Path) -> float:
    """Return the seconds of CPU that unpacking and hashing the same bytes takes."""
    began = time.process_time()
    for path in folder.iterdir():
        hasher = sha256()
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            while block := file.read(1 << 20):
                hasher.update(block)
    return time.process_time() - began
