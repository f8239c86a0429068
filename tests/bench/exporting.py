"""Exporting a year of evidence: a million entries among 100 chains and 8,784 epochs.

Printed beside plain COPY of the same rows by the same role, which no export can beat. The bundle is
the whole one, with personal values, tables and reports, and its verifier must accept it.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from audit.rules import hashes
from audit.rules.canonical import stamp
from audit.rules.epochs import Epoch, Head, next_epoch
from audit.rules.notes import Checkpoint, sign
from audit.verifier import verify_evidence
from message_center.stack.product import ROOT
from tests.audit.conftest import EMPTY
from tests.audit.evidence.installation import (
    EXPORT_VKEY,
    INSTALL,
    LOG_KEY,
    LOG_VKEY,
    ORIGIN,
    SECRET,
)
from tests.audit.make import without_guards
from tests.bench.figures import median
from tests.bench.verifying import CHAINS, ENTRIES, EPOCHS, SLOT, START, WORKSPACES
from tests.ground import Ground

ROUNDS = 3
# Out of a hundred entries of a workspace that is at work; the rest are pushes by the API.
OPS = {0: "campaign.approve", 1: "campaign.submit", 2: "sender.propose", 3: "campaign.create"}
OTHER = "message.push"
EVENT = (
    '{"act":{"id":"usr_%d","kind":"user","sid":"ses_%d"},"diff":{"state":["draft","approved"]},'
    '"eid":"%s","obj":{"id":"cmp_%d","type":"campaign"},"op":"%s"%s,"req":"req_%d",'
    '"res":"ok","t":"%s","v":1,"why":"спокойно, №%d","ws":"%s"}'
)
RAW = (
    "COPY (SELECT e.ws, e.seq, e.at, e.prev, e.hash, v.body FROM audit_entry e"
    " JOIN audit_event v ON v.id = e.event_id WHERE e.ws = %s ORDER BY e.seq) TO STDOUT"
)


def measure(ground: Ground) -> None:
    """Fill a database, export it three times, print."""
    name = ground.fresh_clone()
    with tempfile.TemporaryDirectory() as folder:
        with psycopg.connect(ground.url("superuser", name), autocommit=True) as link:
            _fill(link)
        rounds = [
            (_export(ground, name, Path(folder) / str(number)), _copy(ground, name))
            for number in range(ROUNDS)
        ]
        _verify(Path(folder) / "0")
    ground.drop(name)
    ordered = sorted(one for one, _raw in rounds)
    wall, cpu, peak = ordered[ROUNDS // 2]
    raw = median([raw for _one, raw in rounds])
    print(
        f"  {ENTRIES:,} entries, {CHAINS} chains, {EPOCHS:,} epochs: {wall:.1f} s"
        f" ({ordered[0][0]:.1f} to {ordered[-1][0]:.1f}; {cpu:.1f} s of its own CPU),"
        f" {peak / 1024:.0f} MB at the peak;"
        f" {wall / raw:.1f} times plain COPY of the same rows ({raw:.1f} s)"
    )


def _fill(link: "psycopg.Connection[Any]") -> None:
    with without_guards(link):
        link.execute(EMPTY)
        log = _Log(link)
        log.write()
    for table in ("audit_event", "audit_entry", "audit_private.audit_disclosure", "audit_epoch"):
        link.execute(f"VACUUM ANALYZE {table}")


class _Log:
    """One workspace writes, and the system once an hour; 98 chains stand still."""

    def __init__(self, link: "psycopg.Connection[Any]") -> None:
        self._link = link
        self._event_id = 0
        start = stamp(START)
        self._heads = [
            Head(slot, ws, 0, hashes.genesis(INSTALL, ws, slot, start))
            for slot, ws in enumerate(WORKSPACES)
        ]
        self._last: Epoch | None = None
        self._tree = hashes.Tree()
        self._moves: list[tuple[int, int, int]] = [(0, slot, 0) for slot in range(CHAINS)]
        self._epochs: list[tuple[int, str, str | None]] = []

    def write(self) -> None:
        """Fill the tables, some hours at a time."""
        for first in range(0, EPOCHS, 240):
            rows = [
                row for hour in range(first, min(first + 240, EPOCHS)) for row in self._hour(hour)
            ]
            self._copy("audit_event (id, ws, eid, created, leaf, body)", rows, _event_row)
            self._copy("audit_entry (ws, seq, at, prev, hash, event_id)", rows, _entry_row)
            shown = [row for row in rows if row["salt"]]
            table = "audit_private.audit_disclosure (ws, eid, field, salt, value)"
            self._copy(table, shown, _disclosure_row)
        heads = [(head.ws, head.slot, head.seq, head.hash, START) for head in self._heads]
        self._copy("audit_head (ws, slot, seq, hash, created)", heads, tuple)
        self._copy("audit_epoch (epoch, body, note)", self._epochs, tuple)
        self._copy("audit_epoch_change (epoch, slot, seq)", _last_moves(self._moves), tuple)

    def _copy(self, table: str, rows: list[Any], values: Callable[[Any], tuple[Any, ...]]) -> None:
        with self._link.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(values(row))

    def _hour(self, hour: int) -> Iterator[dict[str, Any]]:
        for _step in range(ENTRIES * (hour + 1) // EPOCHS - ENTRIES * hour // EPOCHS):
            yield self._entry(SLOT, hour)
        yield self._entry(0, hour)
        at = stamp(START + timedelta(hours=hour + 1))
        self._last = next_epoch(self._last, at=at, secret=SECRET, heads=self._heads)
        self._tree.append(self._last.leaf())
        is_last = hour == EPOCHS - 1
        note = sign(Checkpoint(ORIGIN, hour + 1, self._tree.root()).body, ORIGIN, LOG_KEY)
        self._epochs.append((hour, self._last.line().decode(), str(note) if is_last else None))
        self._moves += [(hour, slot, self._heads[slot].seq) for slot in (0, SLOT)]

    def _entry(self, slot: int, hour: int) -> dict[str, Any]:
        head = self._heads[slot]
        seq, self._event_id = head.seq + 1, self._event_id + 1
        claimed = START + timedelta(hours=hour, milliseconds=self._event_id % 3_600_000)
        at = claimed + timedelta(milliseconds=40)
        eid = UUID(bytes=sha256(b"%d" % self._event_id).digest()[:16], version=4)
        salt, value, personal = _personal(self._event_id)
        op = OPS.get(seq % 100, OTHER) if slot else "anchor.receipt"
        who = (
            seq % 90,
            seq % 7_000,
            eid,
            seq % 2_000,
            op,
            personal,
            seq,
            stamp(claimed),
            seq,
            head.ws,
        )
        body = (EVENT % who).encode()
        leaf = hashes.leaf_hash(body)
        found = hashes.entry_hash(head.ws, seq, stamp(at), head.hash, leaf)
        self._heads[slot] = Head(slot, head.ws, seq, found)
        return {
            "id": self._event_id,
            "ws": head.ws,
            "eid": eid,
            "at": at,
            "leaf": leaf,
            "body": body.decode(),
            "seq": seq,
            "prev": head.hash,
            "hash": found,
            "salt": salt,
            "value": value,
        }


def _last_moves(moves: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Return one move for each epoch and slot, the last."""
    return [(epoch, slot, seq) for (epoch, slot), seq in {(e, s): q for e, s, q in moves}.items()]


def _event_row(row: dict[str, Any]) -> tuple[Any, ...]:
    return (row["id"], row["ws"], row["eid"], row["at"], row["leaf"], row["body"])


def _entry_row(row: dict[str, Any]) -> tuple[Any, ...]:
    return (row["ws"], row["seq"], row["at"], row["prev"], row["hash"], row["id"])


def _disclosure_row(row: dict[str, Any]) -> tuple[Any, ...]:
    return (row["ws"], row["eid"], "msisdn", row["salt"], row["value"])


def _personal(number: int) -> tuple[bytes, str, str]:
    """Return what one entry in four commits to: salt, value, and the event's part."""
    if number % 4:
        return b"", "", ""
    salt, value = sha256(b"salt %d" % number).digest(), f"+447700900{number % 1000:03}"
    return salt, value, f',"pd":{{"msisdn":"{hashes.commitment(salt, "msisdn", value)}"}}'


def _export(ground: Ground, name: str, target: Path) -> tuple[float, float, int]:
    """Export in a process of its own; return seconds, seconds of its CPU, its peak in KB."""
    sizes = {key: value for key, value in os.environ.items() if key.startswith("BENCH_")}
    environment = ground.environment(name) | sizes | {"PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-m", "tests.bench.export_once", str(target)]
    began = time.perf_counter()
    with subprocess.Popen(words, env=environment, cwd=ROOT) as process:
        _pid, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, "nothing was exported"
    return time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss


def _copy(ground: Ground, name: str) -> float:
    """Return the seconds that reading the same rows takes, thrown away."""
    began = time.perf_counter()
    with psycopg.connect(ground.url("exporter", name), autocommit=True) as link:
        link.execute("SELECT set_config('app.workspace_uuid', '*', false)")
        with link.cursor() as cursor, cursor.copy(RAW, [WORKSPACES[SLOT]]) as copy:
            for _row in copy:
                pass
    return time.perf_counter() - began


def _verify(bundle: Path) -> None:
    file = str(Path(verify_evidence.__file__).resolve())
    words = [sys.executable, "-I", file, str(bundle), "--trust", LOG_VKEY, "--trust", EXPORT_VKEY]
    keep = str(bundle.with_name("held.note"))
    done = subprocess.run(
        [*words, "--keep", keep, "--max-gap", "7200"], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout.decode()[-2_000:]
