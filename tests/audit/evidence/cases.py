"""The published list of attacks, each built as an attacker would build it, and our own ones.

An attacker who got into the exporter signs his manifest anew; one who got into the database lets
the honest signer go on; only where a case says so does he have the signing key.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from audit.rules import hashes
from audit.rules.canonical import encode
from audit.rules.notes import Note, sign
from audit.verifier.verify_evidence import Report
from tests.audit.evidence.installation import (
    EMPTY,
    INSTALL,
    LOG_KEY,
    NEIGHBOUR,
    ORIGIN,
    OTHER_INSTALL,
    OTHER_ORIGIN,
    OTHER_VKEY,
    OURS,
    START,
    TRUST,
    WITNESS_VKEY,
    Bundle,
    Entry,
    Installation,
    after,
    cosign,
    five_hours,
    key,
    sign_manifest,
    six_hours,
    uuid4,
)

HOUR = 3600
END = after(6 * HOUR)


@dataclass
class Evidence:
    """The files that somebody hands over, and what the reader asks and brings along."""

    files: dict[str, bytes]
    trust: tuple[str, ...] = TRUST
    witness: tuple[str, ...] = ()
    need_witness: int = 0
    held: tuple[bytes, ...] = ()
    ws: str = ""
    since: str = ""
    until: str = ""
    max_gap: int | None = None
    number: str = ""
    text: str = ""
    links: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """`primary` is the code that explains it ("" when nothing is wrong); `also` may follow."""

    number: str
    build: Callable[[], Evidence]
    primary: str
    also: frozenset[str]
    is_warning: bool

    @property
    def exit_code(self) -> int:
        if not self.primary:
            return 0
        return 2 if self.is_warning else 1

    def problem(self, report: Report) -> str:
        """Say in which way a report is not the expected one, or ""."""
        first = report.findings[0].code if report.findings else ""
        if first != self.primary:
            return f"{first} is said first, not {self.primary}: {report.findings}"
        more = set(report.counts) - {self.primary} - self.also
        if more or report.exit_code != self.exit_code:
            return f"{more} are said too, or the exit is another: {report.exit_code}"
        return "" if bool(report.level) == (report.exit_code != 1) else "The level is another."


CASES: dict[str, Case] = {}
Build = Callable[[], "Bundle | Evidence"]


def case(
    number: str, primary: str = "", also: str = "", *, warning: bool = False
) -> Callable[[Build], Build]:
    """Enter a case: its number on the list, its primary code, what may follow from it."""

    def enter(build: Build) -> Build:
        def evidence() -> Evidence:
            built = build()
            return built if isinstance(built, Evidence) else Evidence(built.seal())

        assert number not in CASES
        CASES[number] = Case(number, evidence, primary, frozenset(also.split()), warning)
        return build

    return enter


def asked(bundle: Bundle, **wishes: Any) -> Evidence:
    return Evidence(bundle.seal(), **wishes)


def honest() -> Bundle:
    return six_hours().export()


def edit(entry: Entry, old: bytes = b'"usr_', new: bytes = b'"usr_9') -> None:
    assert entry.ev is not None
    assert old in entry.ev
    entry.ev = entry.ev.replace(old, new)


def event(entry: Entry) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(entry.ev or b"")
    return value


@case("00")
def _() -> Bundle:
    return honest()


@case("00b")
def _() -> Evidence:
    log = six_hours()
    held = str(log.notes[2]).encode()
    return asked(log.export(), held=(held,), witness=(WITNESS_VKEY,), need_witness=1)


@case("00c")
def _() -> Evidence:
    return asked(six_hours().export(first_seq=25), since=after(2 * HOUR), until=END)


@case("01", "C05", "A01 D03 M09")
def _() -> Bundle:
    bundle = honest()
    edit(bundle.entries[30])
    return bundle


@case("02", "C04", "A01 D03 M09")
def _() -> Bundle:
    bundle = honest()
    edit(bundle.entries[30])
    bundle.entries[30].rehash(bundle.entries[30].prev)
    return bundle


@case("03", "A02")
def _() -> Bundle:
    bundle = honest()
    edit(bundle.entries[30])
    bundle.rehash(30)
    return bundle


@case("04", "C03", "A01 D03 M09")
def _() -> Bundle:
    bundle = honest()
    del bundle.entries[30]
    return bundle


@case("05", "A02", "A01 C13 D02 D03")
def _() -> Bundle:
    bundle = honest()
    del bundle.entries[30]
    bundle.rehash(30)
    return bundle


@case("06", "A01", "D03")
def _() -> Bundle:
    bundle = honest()
    del bundle.entries[-5:]
    return bundle


def cut_back() -> Bundle:
    return six_hours().export(epoch_count=4)


@case("07")
def _() -> Bundle:
    return cut_back()


@case("07b", "V02")
def _() -> Evidence:
    return asked(cut_back(), until=END)


@case("07c", "H03")
def _() -> Evidence:
    return asked(cut_back(), held=(str(six_hours().notes[-1]).encode(),))


@case("08", "C03", "A01 D03 M09")
def _() -> Bundle:
    bundle = honest()
    bundle.entries[30:32] = bundle.entries[31], bundle.entries[30]
    return bundle


@case("09", "A02", "T01")
def _() -> Bundle:
    bundle = honest()
    one, two = bundle.entries[30:32]
    one.ev, two.ev = two.ev, one.ev
    bundle.rehash(30)
    return bundle


@case("10", "A02", "A03 C13 D02 D03")
def _() -> Bundle:
    bundle = honest()
    like = bundle.entries[20]
    forged = event(like) | {"eid": str(uuid4("forged")), "op": "optout.remove"}
    bundle.entries.insert(21, replace(like, ev=encode(forged)))
    bundle.rehash(21)
    return bundle


@case("11", "A03")
def _() -> Bundle:
    log = six_hours()
    bundle = log.export()
    for step in range(3):
        bundle.entries.append(log.record(OURS, 6 * HOUR + 60 * step))
    return bundle


@case("12", "C11", "T01")
def _() -> Bundle:
    log = five_hours()
    log.record_bytes(OURS, 5 * HOUR + 1, log.chains[OURS].entries[7].ev or b"")
    log.fix(6 * HOUR)
    return log.export()


@case("13", "C02", "A01 C04 D03 M09")
def _() -> Bundle:
    bundle = honest()
    bundle.entries[30] = six_hours().export(NEIGHBOUR).entries[30]
    return bundle


@case("14", "C12", "T01")
def _() -> Bundle:
    log = five_hours()
    log.record_bytes(OURS, 5 * HOUR, log.chains[NEIGHBOUR].entries[-1].ev or b"")
    log.fix(6 * HOUR)
    return log.export()


@case("15", "P02")
def _() -> Bundle:
    log = six_hours()
    bundle = log.export(NEIGHBOUR)
    bundle.manifest["workspace"] = str(log.chains[OURS].ws)
    return bundle


@case("15b", "M08")
def _() -> Evidence:
    log = six_hours()
    return asked(log.export(NEIGHBOUR), ws=str(log.chains[OURS].ws))


@case("16", "P02")
def _() -> Bundle:
    bundle = honest()
    bundle.manifest["slot"] = NEIGHBOUR
    return bundle


@case("17", "K02")
def _() -> Bundle:
    log = six_hours()
    log.log_key = key("thief")
    bundle = log.export()
    bundle.checkpoint = str(log.checkpoint(6))
    return bundle


@case("18", "K02")
def _() -> Bundle:
    bundle = honest()
    lines = bundle.checkpoint.splitlines(keepends=True)
    bundle.checkpoint = "".join(lines[:4] + lines[5:])
    return bundle


@case("19", "K01")
def _() -> Bundle:
    bundle = honest()
    place = bundle.checkpoint.index("\u2014") + len(ORIGIN) + 20
    letter = "B" if bundle.checkpoint[place] == "A" else "A"
    bundle.checkpoint = bundle.checkpoint[:place] + letter + bundle.checkpoint[place + 1 :]
    return bundle


@case("20", "K01")
def _() -> Bundle:
    bundle = honest()
    bundle.checkpoint = bundle.checkpoint.replace("\n6\n", "\n5\n", 1)
    return bundle


@case("21", "K03")
def _() -> Evidence:
    bundle = honest()
    other = Installation(key("other"))
    other.hour(0)
    bundle.checkpoint = str(other.checkpoint(1, OTHER_ORIGIN))
    return asked(bundle, trust=(*TRUST, OTHER_VKEY))


@case("22", "K04")
def _() -> Evidence:
    log = six_hours()
    bundle = log.export()
    bundle.checkpoint = str(log.checkpoint(6))
    return asked(bundle, witness=(WITNESS_VKEY,), need_witness=1)


@case("23", "K01")
def _() -> Bundle:
    bundle = honest()
    body, _gap, lines = bundle.checkpoint.partition("\n\n")
    bundle.checkpoint = f"{body}\nextension\n\n{lines}"
    return bundle


@case("24", "E02")
def _() -> Bundle:
    bundle = honest()
    del bundle.epochs[3]
    return bundle


@case("25", "P03")
def _() -> Bundle:
    bundle = honest()
    del bundle.heads[3]
    return bundle


@case("26", "P02")
def _() -> Bundle:
    bundle = honest()
    bundle.heads[3]["hash"] = "ab" * 32
    return bundle


@case("27", "A04")
def _() -> Bundle:
    log = five_hours()
    edit(log.chains[OURS].entries[30])
    log.chains[OURS].rehash(30)
    log.record(OURS, 5 * HOUR + 1)
    log.fix(6 * HOUR)
    return log.export()


def silent() -> Bundle:
    log = five_hours()
    log.record(OURS, 9 * HOUR - 60)
    log.fix(9 * HOUR)
    return log.export()


@case("28", "E05")
def _() -> Evidence:
    return asked(silent(), max_gap=7200)


@case("29", "E06")
def _() -> Bundle:
    log = five_hours()
    log.fix(6 * HOUR, [chain.head() for chain in log.chains[:-1]])
    return log.export()


@case("29b", "A04")
def _() -> Bundle:
    log = six_hours()
    chain = log.chains[OURS]
    del chain.entries[-3:]
    log.fix(7 * HOUR)
    return log.export()


@case("30", "C06", "C13")
def _() -> Bundle:
    log = five_hours()
    log.record(OURS, 4 * HOUR)
    log.fix(6 * HOUR)
    return log.export()


@case("31", "E04")
def _() -> Bundle:
    log = five_hours()
    log.fix(4 * HOUR + 1800)
    return log.export()


@case("32", "T01", warning=True)
def _() -> Bundle:
    log = five_hours()
    log.record(OURS, 5 * HOUR, t=after(-24 * HOUR))
    log.fix(6 * HOUR)
    return log.export()


@case("33", "C13")
def _() -> Bundle:
    log = five_hours()
    log.record(OURS, 6 * HOUR + 1800)
    log.fix(6 * HOUR)
    return log.export()


def restored(*, witness: bool = True) -> Installation:
    """An old backup came back; two other hours follow the third."""
    log = five_hours()
    for chain in log.chains:
        del chain.entries[log.fixed[2][chain.slot].seq :]
    del log.epochs[3:], log.fixed[3:], log.notes[3:]
    log.salts = {place: salt for place, salt in log.salts.items() if place[1] <= 24}
    log.salts |= {p: s for p, s in five_hours().salts.items() if p[0] == OURS and p[1] <= 36}
    for hour in (4, 5):
        log.record(OURS, hour * HOUR + 7)
        log.fix((hour + 1) * HOUR, witness=witness)
    return log


@case("34")
def _() -> Bundle:
    return restored().export()


@case("34b", "H04")
def _() -> Evidence:
    return asked(restored().export(), held=(str(six_hours().notes[3]).encode(),))


@case("34c", "K04")
def _() -> Evidence:
    bundle = restored(witness=False).export()
    return asked(bundle, witness=(WITNESS_VKEY,), need_witness=1)


def invented() -> Installation:
    """The operator writes another history with his own keys."""
    log = Installation()
    for hour in range(6):
        log.record(OURS, hour * HOUR + 9, why="as it should have been")
        log.fix((hour + 1) * HOUR, witness=False)
    return log


@case("35")
def _() -> Bundle:
    return invented().export()


@case("35b", "H04")
def _() -> Evidence:
    return asked(invented().export(), held=(str(six_hours().notes[1]).encode(),))


@case("36", "H04")
def _() -> Evidence:
    return asked(honest(), held=(str(invented().notes[5]).encode(),))


def last_event(change: Callable[[bytes], bytes]) -> Bundle:
    """An event in other bytes is recorded last, by honest machinery that does not look."""
    log = six_hours()
    entry = log.chains[OURS].entries[-1]
    changed = change(entry.ev or b"")
    assert changed != entry.ev
    del log.chains[OURS].entries[-1:], log.epochs[5:], log.fixed[5:], log.notes[5:]
    log.record_bytes(OURS, 5 * HOUR + 3300.04, changed)
    log.fix(6 * HOUR)
    return log.export()


FORMS: dict[str, tuple[bytes, bytes]] = {
    "37": (b'"v":1', b'"v":1,"v":1'),
    "38": (b'"v":1', b'"v": 1'),
    "39": (b'{"act":{"id":"usr_0","kind":"user"}', b'{"act":{"kind":"user","id":"usr_0"}'),
    "40": (b'"v":1', b'"n":1152921504606846976,"v":1'),
    "40b": (b'"v":1', b'"n":1e2,"v":1'),
    "41": ("é".encode(), b"\\u00e9"),
    "42": ("é".encode(), b"\\ud800"),
    "43": ("é".encode(), b"\xc0\xaf"),
    "37 null": (b"caf", b"\\u0000"),
    "37 depth": (b'"v":1', b'"n":' + b"[" * 8 + b"1" + b"]" * 8 + b',"v":1'),
    "37 deeper": (b'"v":1', b'"n":' + b"[" * 20_000 + b"]" * 20_000 + b',"v":1'),
    "37 key": (b'"v":1', b'"nO":1,"v":1'),
    "37 float": (b'"v":1', b'"n":1.5,"v":1'),
    "37 minus": (b'"v":1', b'"n":-0,"v":1'),
    "37 long": (b"caf", b"c" * 70_000),
    "37 digits": (b'"v":1', b'"n":' + b"9" * 6_000 + b',"v":1'),
}


def _enter_form(number: str, old: bytes, new: bytes) -> None:
    @case(number, "C07", "A01")
    def _() -> Bundle:
        return last_event(lambda data: data.replace(old, new))


for _number, (_old, _new) in FORMS.items():
    _enter_form(_number, _old, _new)


@case("44", "C05", "A01 D03 M09")
def _() -> Bundle:
    bundle = honest()
    edit(bundle.entries[30], "é".encode(), "e\u0301".encode())
    return bundle


@case("45", "C01", "A01 D03 M09")
def _() -> Bundle:
    bundle = honest()
    edit(bundle.entries[30], b"caf", b"c\naf")
    return bundle


@case("46", "C08")
def _() -> Bundle:
    return last_event(lambda data: data.replace(b'"v":1', b'"v":0'))


@case("46b", "U01", warning=True)
def _() -> Bundle:
    return last_event(lambda data: data.replace(b"caf", "caf\u202e".encode()))


@case("47", "D01")
def _() -> Bundle:
    bundle = honest()
    bundle.disclosures[3]["value"] = "+447700900999"
    return bundle


@case("48", "D02", warning=True)
def _() -> Bundle:
    bundle = honest()
    del bundle.disclosures[3]
    return bundle


def erasing(**changes: str) -> Bundle:
    log = five_hours()
    erased = [{"field": "msisdn", "seq": 6}]
    log.record(OURS, 5 * HOUR, op="pd.erase", erased=erased, why="GDPR 17(1)(b)", **changes)
    log.fix(6 * HOUR)
    return log.export()


@case("49", "D04")
def _() -> Bundle:
    return erasing()


@case("49b")
def _() -> Bundle:
    bundle = erasing()
    bundle.disclosures = [line for line in bundle.disclosures if line["seq"] != 6]
    return bundle


def changed_after(path: str, change: Callable[[bytes], bytes]) -> Bundle:
    bundle = honest()
    files = bundle.seal()
    bundle.sealed = files | {path: change(files[path])}
    return bundle


@case("50", "M05", "X00")
def _() -> Bundle:
    return changed_after(
        "entries.jsonl.gz", lambda data: data[:900] + bytes([data[900] ^ 64]) + data[901:]
    )


@case("51", "M07")
def _() -> Bundle:
    return changed_after("manifest.note", lambda data: data[: data.index(b"\n\n") + 2])


@case("52", "M03")
def _() -> Bundle:
    bundle = honest()
    bundle.sealed = bundle.seal() | {"verify/verify_evidence.py": b"print('VALID')\n"}
    return bundle


def manifest_with(bundle: Bundle, change: Callable[[dict[str, Any]], None]) -> Bundle:
    """Change the finished manifest and sign it again."""
    files = bundle.seal()
    manifest = json.loads(files["manifest.json"])
    change(manifest)
    bundle.sealed = sign_manifest(files, manifest)
    return bundle


@case("53", "M04")
def _() -> Bundle:
    passwords = {"path": "../../../../etc/passwd", "sha256": "ab" * 32, "size": 1}
    return manifest_with(honest(), lambda manifest: manifest["files"].insert(0, passwords))


def with_entries(change: Callable[[bytes], bytes]) -> Bundle:
    bundle = honest()
    bundle.manifest["entries"] = len(bundle.entries)
    bundle.files["entries.jsonl.gz"] = change(bundle.contents()["entries.jsonl.gz"])
    return bundle


@case("54", "X00")
def _() -> Bundle:
    return with_entries(lambda data: data[: len(data) // 2])


@case("55", "C03", "M09")
def _() -> Bundle:
    line = honest().entries[-1].line() + b"\n"
    return with_entries(lambda data: data + gzip.compress(line, mtime=0))


@case("55 empty", "C03")
def _() -> Bundle:
    return with_entries(lambda data: data + gzip.compress(b"", mtime=0))


@case("55 rest", "X00")
def _() -> Bundle:
    return with_entries(lambda data: data + b"rest")


@case("56", "C01", "A01 D03 M09")
def _() -> Bundle:
    bundle = honest()
    bundle.entries[30].ev = None
    return bundle


@case("57", "C09", "D03")
def _() -> Bundle:
    bundle = honest()
    bundle.manifest["first_seq"] = 21
    bundle.manifest["start_prev"] = bundle.entries[19].hash.hex()
    del bundle.entries[:20]
    return bundle


@case("58", "M09")
def _() -> Bundle:
    bundle = honest()
    bundle.manifest["entries"] = 71
    return bundle


@case("59", "P02")
def _() -> Bundle:
    bundle = honest()
    del bundle.heads[3]["proof"][0]
    return bundle


@case("60", "E01")
def _() -> Bundle:
    bundle = honest()
    bundle.epochs[3] = bundle.epochs[3].replace(b'"v":1', b'"v": 1')
    return bundle


@case("61", "E03")
def _() -> Bundle:
    bundle = honest()
    bundle.epochs[3] = encode(json.loads(bundle.epochs[3]) | {"prev": "ab" * 32})
    return bundle


@case("62", "E07")
def _() -> Bundle:
    bundle = honest()
    bundle.epochs[5] = encode(json.loads(bundle.epochs[5]) | {"at": after(6 * HOUR + 60)})
    return bundle


@case("63", "H01")
def _() -> Evidence:
    return asked(honest(), held=(b"I promise that it was so.\n",))


@case("64", "H02")
def _() -> Evidence:
    other = Installation(key("other"))
    other.hour(0)
    return asked(honest(), held=(str(other.checkpoint(1, OTHER_ORIGIN)).encode(),))


@case("65", "M01", "M06")
def _() -> Bundle:
    return changed_after("manifest.json", lambda data: data.replace(b",", b", "))


@case("66", "M02", "M05")
def _() -> Bundle:
    def list_twice(manifest: dict[str, Any]) -> None:
        other = manifest["files"][1] | {"sha256": "ab" * 32}
        manifest["files"].insert(2, other)

    return manifest_with(honest(), list_twice)


@case("67", "P01")
def _() -> Bundle:
    bundle = honest()
    bundle.heads.append(bundle.heads[-1] | {"epoch": 6})
    return bundle


def other_beginning(slot: int) -> Bundle:
    """The workspace is said to have been created a month before."""
    log = six_hours()
    bundle, created = log.export(slot), after(-30 * 24 * HOUR)
    genesis = hashes.genesis(INSTALL, log.chains[slot].ws, slot, created)
    bundle.manifest |= {"genesis": created, "start_prev": genesis.hex()}
    return bundle


@case("68", "C04", "A01 D03 M09")
def _() -> Bundle:
    return other_beginning(OURS)


@case("69", "V01")
def _() -> Evidence:
    return asked(six_hours().export(first_seq=25), since=after(HOUR))


@case("69b")
def _() -> Evidence:
    return asked(six_hours().export(first_seq=25), since=after(3 * HOUR))


@case("70", "C10", "A01 A02 C04 D03 M09")
def _() -> Bundle:
    return other_beginning(EMPTY)


PUBLISHED = tuple(number for number in CASES if " " not in number)


# --- Ours: what the list leaves out ---------------------------------------------------------------


@case("27 same entry", "A04")
def _() -> Bundle:
    log = six_hours()
    edit(log.chains[OURS].entries[30])
    log.chains[OURS].rehash(30)
    log.fix(7 * HOUR)
    return log.export()


@case("28 not demanded", "E05", warning=True)
def _() -> Bundle:
    return silent()


@case("23 signed", "K01")
def _() -> Bundle:
    bundle = honest()
    body = bundle.checkpoint.partition("\n\n")[0]
    bundle.checkpoint = str(sign(f"{body}\nextension\n", ORIGIN, LOG_KEY))
    return bundle


@case("24 last", "E02")
def _() -> Bundle:
    bundle = honest()
    del bundle.epochs[-1]
    return bundle


@case("19 witness", "K01")
def _() -> Evidence:
    bundle = honest()
    bundle.checkpoint = bundle.checkpoint[:-6] + "AAA=\n"
    return asked(bundle, witness=(WITNESS_VKEY,))


@case("51 file", "M07")
def _() -> Bundle:
    bundle = honest()
    bundle.sealed = bundle.seal()
    del bundle.sealed["manifest.note"]
    return bundle


@case("65 another", "M06")
def _() -> Bundle:
    return changed_after(
        "manifest.json",
        lambda data: data.replace(b'"size":', b'"size":', 1).replace(
            b'"mode":"full"', b'"mode":"skeleton"'
        ),
    )


@case("65 keys", "M01")
def _() -> Bundle:
    return manifest_with(honest(), lambda manifest: manifest.update(extra=1))


@case("66 missing", "M05", "D02")
def _() -> Bundle:
    bundle = honest()
    bundle.files["report.html"] = b"<p>Report</p>\n"
    bundle.sealed = bundle.seal()
    del bundle.sealed["report.html"]
    return bundle


@case("53 link", "M04")
def _() -> Evidence:
    evidence = asked(honest())
    evidence.links["report.html"] = "/etc/hostname"
    return evidence


@case("64 signature", "H01")
def _() -> Evidence:
    log = six_hours()
    log.log_key = key("thief")
    return asked(honest(), held=(str(log.checkpoint(3)).encode(),))


@case("48 stray", "D03")
def _() -> Bundle:
    bundle = honest()
    bundle.disclosures.insert(0, bundle.disclosures[0] | {"field": "email"})
    return bundle


@case("48 twice", "D03")
def _() -> Bundle:
    bundle = honest()
    bundle.disclosures.insert(0, bundle.disclosures[0])
    return bundle


@case("48 form", "D03", "D02")
def _() -> Bundle:
    bundle = honest()
    bundle.disclosures[3] = bundle.disclosures[3] | {"salt": "00"}
    return bundle


@case("46b disclosed", "U01", warning=True)
def _() -> Bundle:
    log = five_hours()
    log.record(OURS, 5 * HOUR, personal="+447700900\u202e123")
    log.fix(6 * HOUR)
    return log.export()


@case("54 nothing", "X00")
def _() -> Evidence:
    return Evidence({})


@case("48 order")
def _() -> Bundle:
    bundle = honest()
    bundle.disclosures.reverse()
    return bundle


@case("48 masked")
def _() -> Bundle:
    bundle = honest()
    bundle.disclosures.clear()
    return bundle


@case("46 eid", "C08")
def _() -> Bundle:
    return last_event(lambda data: data.replace(b'"eid":"', b'"eid":"X'))


@case("33 day", "C01", "C13 T01")
def _() -> Bundle:
    log = five_hours()
    entry = log.record(OURS, 5 * HOUR)
    entry.at = entry.at.replace("-03-", "-13-")
    entry.rehash(entry.prev)
    log.fix(6 * HOUR)
    return log.export()


@case("16 beyond", "P03")
def _() -> Bundle:
    bundle = honest()
    bundle.manifest["slot"] = 50
    bundle.heads.clear()
    bundle.entries.clear()
    bundle.disclosures.clear()
    return bundle


@case("68 date only", "C04", "A01 C10 D03 M09")
def _() -> Bundle:
    bundle = honest()
    bundle.manifest["genesis"] = after(-60)
    return bundle


@case("68 start only", "C10")
def _() -> Bundle:
    bundle = honest()
    bundle.manifest["start_prev"] = "ab" * 32
    return bundle


@case("07 claimed", "V02")
def _() -> Bundle:
    bundle = cut_back()
    bundle.manifest["to"] = END
    return bundle


@case("56 pruned")
def _() -> Bundle:
    bundle = honest()
    bundle.manifest["mode"] = "skeleton"
    for entry in bundle.entries[:40]:
        entry.ev = None
    bundle.disclosures = [line for line in bundle.disclosures if line["seq"] > 40]
    return bundle


@case("56 edited", "C05", "A01 D03 M09")
def _() -> Bundle:
    bundle = honest()
    bundle.manifest["mode"] = "skeleton"
    bundle.entries[30].ev = None
    bundle.entries[30].leaf = b"x" * 32
    return bundle


@case("49 only tried", "D02", warning=True)
def _() -> Bundle:
    """A refused erasing removed nothing: what is missing here was withheld."""
    bundle = erasing(res="denied")
    bundle.disclosures = [line for line in bundle.disclosures if line["seq"] != 6]
    return bundle


@case("49 only tried and shown")
def _() -> Bundle:
    return erasing(res="failed")


@case("46 pd", "C08", "D02")
def _() -> Bundle:
    return last_event(lambda data: data.replace(b'"t":', b'"pd":{"msisdn":"secret"},"t":'))


@case("46 pd no object", "C08")
def _() -> Bundle:
    return last_event(lambda data: data.replace(b'"t":', b'"pd":["ab"],"t":'))


@case("65 true", "M01")
def _() -> Bundle:
    return manifest_with(honest(), lambda manifest: manifest.update(v=True))


@case("65 install", "M01")
def _() -> Bundle:
    """Nothing in a bundle that begins later depends on the installation but its name."""
    bundle = six_hours().export(first_seq=25)
    bundle.manifest["install"] = str(OTHER_INSTALL)
    return bundle


@case("60 true", "E01")
def _() -> Bundle:
    bundle = honest()
    bundle.epochs[3] = bundle.epochs[3].replace(b'"v":1', b'"v":true')
    return bundle


@case("54 name", "X00")
def _() -> Bundle:
    def named(data: bytes) -> bytes:
        return data[:3] + b"\x08" + data[4:10] + b"entries\x00" + data[10:]

    return with_entries(named)


@case("54 time", "X00")
def _() -> Bundle:
    return with_entries(lambda data: gzip.compress(gzip.decompress(data), mtime=1_772_400_000))


@case("80 system")
def _() -> Bundle:
    log = six_hours()
    bundle = log.export()
    bundle.files |= log.system_files()
    return bundle


@case("81 system", "A02")
def _() -> Bundle:
    log = six_hours()
    bundle = log.export()
    edit(log.chains[0].entries[60])
    log.chains[0].rehash(60)
    bundle.files["system-entries.jsonl.gz"] = log.system_files()["system-entries.jsonl.gz"]
    bundle.files["system-heads.jsonl"] = six_hours().system_files()["system-heads.jsonl"]
    return bundle


@case("82 rotation")
def _() -> Evidence:
    log = six_hours()
    bundle = log.export()
    new = sign(log.notes[-1].body, ORIGIN, key("log 2"))
    both = Note(new.body, (*log.notes[-1].lines, *new.lines))
    bundle.checkpoint = str(both)
    return asked(bundle)


def with_kept_note(change: Callable[[Note], str]) -> Bundle:
    log = six_hours()
    bundle = log.export()
    bundle.files["checkpoints/3.note"] = change(log.notes[2]).encode()
    return bundle


@case("83 anchored")
def _() -> Evidence:
    bundle = with_kept_note(str)
    return asked(bundle, witness=(WITNESS_VKEY,), need_witness=1)


@case("84 fork", "E07")
def _() -> Bundle:
    return with_kept_note(lambda note: str(invented().notes[2]))


@case("85 unsigned", "K02")
def _() -> Bundle:
    return with_kept_note(lambda note: note.body)


@case("86 early witness", "T02")
def _() -> Evidence:
    log = six_hours()
    bundle = log.export()
    note = log.checkpoint(6)
    bundle.checkpoint = str(cosign(note, int(START.timestamp())))
    return asked(bundle, witness=(WITNESS_VKEY,))


@case("87 no stamp", "T02")
def _() -> Bundle:
    bundle = honest()
    bundle.files["anchors/1.tsr"] = b"0\x03\x02\x01\x00"
    return bundle


def fallback_file() -> list[bytes]:
    """Three lines that were written while the database was down."""
    source, after_note = "web-1", sha256(b"note").hexdigest()
    genesis = hashes_of("smsc-audit-fallback-genesis/v1", INSTALL, source, after_note)
    first = {"after": after_note, "genesis": genesis, "install": str(INSTALL), "src": source}
    lines, prev = [encode(first | {"v": 1})], genesis
    for number in range(1, 4):
        ev = encode({"op": "access.denied", "n": number})
        leaf = hashes.leaf_hash(ev).hex()
        found = hashes_of("smsc-audit-fallback/v1", source, number, prev, leaf)
        text = f'"hash":"{found}","n":{number},"prev":"{prev}"}}'
        lines.append(b'{"ev":' + ev + b"," + text.encode())
        prev = found
    return lines


def hashes_of(*lines: object) -> str:
    return sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def outage(
    change: Callable[[list[bytes]], None] = lambda lines: None,
    ending: bytes = b"\n",
    *,
    is_named: bool = True,
) -> Bundle:
    """A bundle with an outage's file, which an entry names by its digest."""
    lines = fallback_file()
    change(lines)
    data = b"\n".join(lines) + ending
    log = five_hours()
    digest = sha256(data).hexdigest() if is_named else "00" * 32
    log.record(OURS, 5 * HOUR, op="fallback.ingested", file={"sha256": digest})
    log.fix(6 * HOUR)
    bundle = log.export()
    bundle.files["fallback/web-1.jsonl"] = data
    return bundle


@case("88 outage")
def _() -> Bundle:
    return outage()


@case("88 torn")
def _() -> Bundle:
    return outage(ending=b'\n{"ev":{"op"')


@case("89 edited", "F01")
def _() -> Bundle:
    def change(lines: list[bytes]) -> None:
        lines[2] = lines[2].replace(b'"n":2,"op"', b'"n":9,"op"')

    return outage(change)


@case("89 removed", "F01")
def _() -> Bundle:
    return outage(lambda lines: lines.__delitem__(2))


@case("89 true", "F01")
def _() -> Bundle:
    def change(lines: list[bytes]) -> None:
        lines[0] = lines[0].replace(b'"v":1', b'"v":true')

    return outage(change)


@case("90 unnamed", "F02", warning=True)
def _() -> Bundle:
    return outage(is_named=False)


def cases() -> Iterator[Case]:
    """Return all cases."""
    yield from CASES.values()
