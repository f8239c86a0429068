"""Cases of one message's evidence: the honest ones, and what may be tampered with in message.json.

Built with the product's rules on the same installation as the bundles of the published list.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from audit.rules import hashes
from audit.rules.segments import NUMBER, TEXT, line_salt, text_value
from campaigns.rules.outcome_lines import Attempt, Committed, outcome_line
from tests.audit.evidence.cases import CASES, HOUR, Evidence, case
from tests.audit.evidence.installation import (
    INSTALL,
    NEIGHBOUR,
    ORIGIN,
    OTHER_INSTALL,
    OTHER_ORIGIN,
    OURS,
    START,
    TRUST,
    WITNESS_VKEY,
    Installation,
    cosign,
    five_hours,
    key,
    uuid4,
)

# The cases of bundles, and those that this file adds to them.
__all__ = ["CASES"]

KEY = sha256(b"segment key").digest()
TO = "+447700900123"
SAID = "Your balance is 10.\nCall 100."
SENT_AT = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)
LINES = 5
Change = Callable[[dict[str, Any]], None]


@dataclass
class Segment:
    """A segment of five messages; `position` 2 is ours, every message to a number of its own."""

    lines: list[bytes]
    salts: list[bytes]

    @property
    def leaves(self) -> list[bytes]:
        return [hashes.leaf_hash(line) for line in self.lines]


def attempt(position: int, *, receipt: str = "") -> Attempt:
    """Return an accepted attempt."""
    receipt_at = SENT_AT.replace(minute=45) if receipt else None
    return Attempt(
        2, 3, position, 1, 41, 1, "submitted", 0, "", f"id-{position}", SENT_AT, receipt,
        "000" if receipt else "", receipt_at, "",
    )  # fmt: skip


def segment(
    number: int = 1,
    *,
    receipt: str = "",
    without_number: bool = False,
    count: int = LINES,
    said: str = SAID,
) -> Segment:
    """Return the file of a segment."""
    lines, salts = [], []
    secret = sha256(KEY + bytes([number])).digest()
    for position in range(count):
        salt = line_salt(secret, position + 1)
        to = f"+44770090012{position + 1}"
        committed = Committed(
            "" if without_number else hashes.commitment(salt, NUMBER, to),
            hashes.commitment(salt, TEXT, text_value(said)),
        )
        row = attempt(position, receipt=receipt)
        lines.append(outcome_line(position + 1, row, "Telco", committed))
        salts.append(salt)
    return Segment(lines, salts)


class Story:
    """An installation that seals segments in its last hour, and what one message's evidence is."""

    def __init__(self) -> None:
        self.log: Installation = five_hours()
        self.seals: list[dict[str, Any]] = []
        self.lines: list[dict[str, Any]] = []

    def seal(self, made: Segment, number: int, *, slot: int = OURS, **changes: Any) -> int:
        """Enter a segment into the chain; return its entry's number."""
        facts = {
            "number": number,
            "lines": len(made.lines),
            "root": hashes.tree_root(made.leaves).hex(),
        }
        entry = self.log.record(
            slot,
            5 * HOUR + 60 * number,
            **{
                "op": "messages.sealed",
                "act": {"id": "sealer", "kind": "system"},
                "obj": {"id": f"seg_{number}", "type": "segment"},
                "diff": {name: [None, value] for name, value in facts.items()},
            }
            | changes,
        )
        return entry.seq

    def close(self) -> None:
        """Let other things happen, and fix the epoch."""
        for minute in (30, 40, 50):
            self.log.record(OURS, 5 * HOUR + 60 * minute)
        self.log.fix(6 * HOUR)

    def lead(self, seq: int, slot: int = OURS) -> int:
        """Add the way of an entry to the checkpoint; return the seal's number in the file."""
        entries, epoch = self.log.chains[slot].entries, len(self.log.epochs) - 1
        entry, head = entries[seq - 1], self.log.head_line(epoch, slot)
        leaves = [one.leaf() for one in self.log.epochs]
        self.seals.append(
            {
                "seq": seq,
                "at": entry.at,
                "prev": entry.prev.hex(),
                "event": (entry.ev or b"").decode(),
                "links": [[one.at, one.leaf.hex()] for one in entries[seq : head["seq"]]],
                "head": head,
                "epoch": self.log.epochs[epoch].line().decode(),
                "path": [step.hex() for step in hashes.inclusion_proof(leaves, epoch)],
            }
        )
        return len(self.seals) - 1

    def show(self, made: Segment, n: int, seal: int, **disclosed: str) -> None:
        """Add line `n` of a segment."""
        path = hashes.inclusion_proof(made.leaves, n - 1)
        self.lines.append(
            {
                "line": made.lines[n - 1].decode(),
                "seal": seal,
                "path": [step.hex() for step in path],
                "salt": made.salts[n - 1].hex(),
                "disclosed": disclosed,
            }
        )

    def value(self, slot: int = OURS) -> dict[str, Any]:
        """Return what message.json says."""
        return {
            "checkpoint": str(self.log.notes[-1]),
            "install": str(INSTALL),
            "lines": self.lines,
            "origin": ORIGIN,
            "seals": self.seals,
            "slot": slot,
            "v": 1,
            "workspace": str(self.log.chains[slot].ws),
        }


def written(value: Any) -> bytes:
    """Return the file."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode() + b"\n"


def sent(change: Change = lambda value: None, **wishes: Any) -> Evidence:
    """One message: sent in one hour, its receipt sealed in the next."""
    return Evidence({"message.json": written(changed(story().value(), change))}, **wishes)


def changed(value: dict[str, Any], change: Change) -> dict[str, Any]:
    change(value)
    return value


def story() -> Story:
    """Seal two segments and show line 3 of both."""
    made = Story()
    first, second = segment(1), segment(2, receipt="delivered")
    entries = made.seal(first, 1), made.seal(second, 2)
    made.close()
    made.show(first, 3, made.lead(entries[0]), number=TO, text=SAID)
    made.show(second, 3, made.lead(entries[1]), number=TO, text=SAID)
    return made


def sealed_in(event: bytes) -> Evidence:
    """Return evidence whose sealing event is these bytes."""
    made, only = Story(), segment(1)
    entry = made.log.record_bytes(OURS, 5 * HOUR + 60, event)
    made.close()
    made.show(only, 3, made.lead(entry.seq), number=TO)
    return Evidence({"message.json": written(made.value())})


def sealed_so(slot: int = OURS, **changes: Any) -> Evidence:
    """One message whose entry says something else than an honest one."""
    made, only = Story(), segment(1)
    entry = made.seal(only, 1, slot=slot, **changes)
    made.close()
    made.show(only, 3, made.lead(entry, slot), number=TO)
    return Evidence({"message.json": written(made.value(slot))})


@case("m0 honest")
def _() -> Evidence:
    return sent()


@case("m0 asked")
def _() -> Evidence:
    return sent(number="+44 7700 900123", text=SAID, witness=(WITNESS_VKEY,), need_witness=1)


@case("m0 held")
def _() -> Evidence:
    evidence = sent()
    evidence.held = (json.loads(evidence.files["message.json"])["checkpoint"].encode(),)
    return evidence


@case("m0 erased before it was sealed")
def _() -> Evidence:
    made, only = Story(), segment(1, without_number=True)
    entry = made.seal(only, 1)
    made.close()
    made.show(only, 3, made.lead(entry), text=SAID)
    return Evidence({"message.json": written(made.value())}, number=TO)


@case("m1 a key more", "S01")
def _() -> Evidence:
    return sent(lambda value: value.update(note="trust me"))


@case("m1 no line", "S01")
def _() -> Evidence:
    return sent(lambda value: value["lines"].clear())


@case("m1 other bytes", "S01")
def _() -> Evidence:
    evidence = sent()
    data = json.dumps(json.loads(evidence.files["message.json"]), indent=1)
    return Evidence({"message.json": data.encode() + b"\n"})


@case("m1 seal that is not there", "S01")
def _() -> Evidence:
    return sent(lambda value: value["lines"][0].update(seal=2))


@case("m1 another installation", "S01")
def _() -> Evidence:
    return sent(lambda value: value.update(install=str(OTHER_INSTALL)))


@case("m2 event edited", "S02")
def _() -> Evidence:
    return sent(lambda value: edit(value["seals"][0], "event", '"seg_1"', '"seg_7"'))


@case("m2 link left out", "S02")
def _() -> Evidence:
    return sent(lambda value: value["seals"][0]["links"].pop())


@case("m2 event of another version", "C08")
def _() -> Evidence:
    return sealed_so(v=0)


@case("m2 event in other bytes", "C07")
def _() -> Evidence:
    return sealed_in(b'{"v": 1}')


@case("m2 event that is no object", "C07")
def _() -> Evidence:
    return sealed_in(b"[]")


@case("m3 another operation", "S03")
def _() -> Evidence:
    return sealed_so(op="messages.export")


@case("m3 no root", "S03")
def _() -> Evidence:
    return sealed_so(diff={"lines": [None, LINES], "number": [None, 1]})


@case("m4 fate that nobody knows", "S04")
def _() -> Evidence:
    return sent(lambda value: edit(value["lines"][0], "line", '"submitted"', '"sold"'))


@case("m5 receipt invented", "S05")
def _() -> Evidence:
    return sent(
        lambda value: edit(value["lines"][0], "line", '"receipt":""', '"receipt":"delivered"')
    )


@case("m5 line of another segment", "S05")
def _() -> Evidence:
    return sent(lambda value: value["lines"][0].update(seal=1))


@case("m5 place in the segment", "S05")
def _() -> Evidence:
    return sent(lambda value: edit(value["lines"][0], "line", '"n":3', '"n":4'))


@case("m5 beyond the end", "S05")
def _() -> Evidence:
    return sent(lambda value: edit(value["lines"][0], "line", '"n":3', '"n":9'))


@case("m6 two messages", "S06")
def _() -> Evidence:
    made, only = Story(), segment(1)
    entry = made.seal(only, 1)
    made.close()
    seal = made.lead(entry)
    made.show(only, 3, seal, number=TO)
    made.show(only, 4, seal, number="+447700900124")
    return Evidence({"message.json": written(made.value())})


@case("m7 another number asked for", "S07")
def _() -> Evidence:
    return sent(number="+447700900124")


@case("m7 another text asked for", "S07")
def _() -> Evidence:
    return sent(text="You have won")


@case("m8 disclosed number exchanged", "D01")
def _() -> Evidence:
    return sent(lambda value: value["lines"][0]["disclosed"].update(number="+447700900999"))


@case("m8 salt of another line", "D01")
def _() -> Evidence:
    return sent(lambda value: value["lines"][0].update(salt=segment(1).salts[3].hex()))


@case("m8 disclosed and not committed", "D03")
def _() -> Evidence:
    made, only = Story(), segment(1, without_number=True)
    entry = made.seal(only, 1)
    made.close()
    made.show(only, 3, made.lead(entry), number=TO)
    return Evidence({"message.json": written(made.value())})


@case("m8 disguised", "U01", warning=True)
def _() -> Evidence:
    said = "Your balance is 10\u202e."
    made, only = Story(), segment(1, said=said)
    entry = made.seal(only, 1)
    made.close()
    made.show(only, 3, made.lead(entry), text=said)
    return Evidence({"message.json": written(made.value())})


@case("m9 early witness", "T02")
def _() -> Evidence:
    made = story()
    note = made.log.checkpoint(len(made.log.epochs))
    made.log.notes[-1] = cosign(note, int(START.timestamp()))
    return Evidence({"message.json": written(made.value())}, witness=(WITNESS_VKEY,))


@case("m9 another key", "K02")
def _() -> Evidence:
    made = story()
    made.log.log_key = key("thief")
    made.log.notes[-1] = made.log.checkpoint(len(made.log.epochs))
    return Evidence({"message.json": written(made.value())})


@case("m9 another log", "K03")
def _() -> Evidence:
    return sent(lambda value: value.update(install=str(OTHER_INSTALL), origin=OTHER_ORIGIN))


@case("m9 signature damaged", "K01")
def _() -> Evidence:
    return sent(lambda value: edit(value, "checkpoint", f"{ORIGIN}\n6\n", f"{ORIGIN}\n5\n"))


@case("m9 no witness", "K04")
def _() -> Evidence:
    return sent(need_witness=1)


@case("m9 head of a neighbour", "P02", "S02")
def _() -> Evidence:
    def change(value: dict[str, Any]) -> None:
        value["seals"][0]["head"] = story().log.head_line(5, NEIGHBOUR)

    return sent(change)


@case("m9 another epoch", "E01")
def _() -> Evidence:
    return sent(
        lambda value: edit(value["seals"][0], "epoch", '"epoch":5', '"epoch":4'), trust=TRUST
    )


@case("m9 epoch invented", "E07")
def _() -> Evidence:
    def change(value: dict[str, Any]) -> None:
        at = value["seals"][0]["epoch"][7:26]
        edit(value["seals"][0], "epoch", at, at.replace("02T06", "02T05"))

    return sent(change)


@case("m9 event of another workspace", "C12")
def _() -> Evidence:
    return sealed_so(ws=str(uuid4("else")))


@case("m9 another workspace asked for", "M08")
def _() -> Evidence:
    return replace(sent(), ws=str(uuid4("else")))


@case("m9 held another history", "H04")
def _() -> Evidence:
    evidence = sent()
    other = five_hours()
    other.record(OURS, 5 * HOUR)
    other.fix(6 * HOUR)
    evidence.held = (str(other.notes[-1]).encode(),)
    return evidence


def edit(part: dict[str, Any], name: str, old: str, new: str) -> None:
    """Change a text as an attacker does."""
    assert old in part[name]
    part[name] = part[name].replace(old, new)
