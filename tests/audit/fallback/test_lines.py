"""The lines of a fallback file, byte for byte, and what a reader refuses."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest

from audit.rules.canonical import decode_event
from audit.rules.events import event_bytes
from audit.rules.fallback import (
    Beginning,
    Damaged,
    Reading,
    late_event,
    next_line,
    read_alarm,
    read_beginning,
    read_identity,
    source,
)
from audit.rules.hashes import leaf_hash
from tests.audit.evidence.cases import HOUR, Evidence
from tests.audit.evidence.installation import INSTALL as BUNDLED
from tests.audit.evidence.installation import OURS, five_hours
from tests.audit.evidence.run import verify
from tests.audit.fallback.ground import AFTER, denied
from tests.audit.make import INSTALL, MARKETING, ROAMING

BEGUN = Beginning(INSTALL, source("web-1", "2026-03-01T09:00:00.000000Z", MARKETING), AFTER)


def written(count: int = 3, begun: Beginning = BEGUN) -> list[bytes]:
    """The lines of a file."""
    lines, place = [begun.line()], begun.place
    for _ in range(count):
        line, place = next_line(event_bytes(denied(begun.ws)), begun.src, place)
        lines.append(line)
    return lines


def framed(*lines: object) -> str:
    return sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def read(lines: list[bytes]) -> Reading:
    reading = Reading()
    list(reading.lines(lines))
    return reading


def test_the_first_line_is_as_published() -> None:
    genesis = framed("smsc-audit-fallback-genesis/v1", INSTALL, BEGUN.src, AFTER)
    begins = f'{{"after":"{AFTER}","genesis":"{genesis}","install":"{INSTALL}",'
    assert BEGUN.line() == f'{begins}"src":"{BEGUN.src}","v":1}}\n'.encode()
    assert BEGUN.src == f"web-1_20260301T090000.000000Z_{MARKETING}"


def test_a_line_is_as_published() -> None:
    ev = event_bytes(denied())
    line, place = next_line(ev, BEGUN.src, BEGUN.place)
    prev = BEGUN.place.hash.hex()
    found = framed("smsc-audit-fallback/v1", BEGUN.src, 1, prev, leaf_hash(ev).hex())
    assert line == b'{"ev":' + ev + f',"hash":"{found}","n":1,"prev":"{prev}"}}\n'.encode()
    assert (place.n, place.hash.hex()) == (1, found)


@pytest.mark.parametrize("ending", [b"", b'{"ev":{"op"', b"\0\0\0"])
def test_the_verifier_of_evidence_accepts_what_we_write(ending: bytes, tmp_path: Path) -> None:
    begun = Beginning(BUNDLED, BEGUN.src, AFTER)
    data = b"".join([*written(4, begun), ending])
    log = five_hours()
    digest = sha256(data).hexdigest()
    log.record(OURS, 5 * HOUR, op="fallback.ingested", obj={"id": digest, "type": "fallback_file"})
    log.fix(6 * HOUR)
    bundle = log.export()
    bundle.files[f"fallback/{begun.src}.jsonl"] = data
    report = verify(Evidence(bundle.seal()), tmp_path / "bundle")
    assert not set(report.counts) & {"F01", "F02"}, report.findings


def test_a_reader_knows_head_digest_and_torn_rest() -> None:
    lines = [*written(3), b'{"ev":{']
    reading = read(lines)
    assert reading.head is not None
    assert (reading.head.n, reading.torn_bytes) == (3, 7)
    assert reading.sha256 == sha256(b"".join(lines)).hexdigest()


DAMAGES: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "edited": lambda lines: [*lines[:2], lines[2].replace(b"denied", b"failed"), lines[3]],
    "a line is missing": lambda lines: [*lines[:2], lines[3]],
    "swapped": lambda lines: [lines[0], lines[2], lines[1], lines[3]],
    "twice": lambda lines: [*lines[:2], lines[1], *lines[2:]],
    "torn in the middle": lambda lines: [*lines[:2], lines[2][:40] + b"\n", lines[3]],
    "no beginning": lambda lines: lines[1:],
    "empty": lambda lines: [],
    "another beginning": lambda lines: [lines[0].replace(b"web-1", b"web-2"), *lines[1:]],
    "another chain": lambda lines: [
        *lines,
        next_line(event_bytes(denied(ROAMING)), BEGUN.src, read(lines).head or BEGUN.place)[0],
    ],
    "no event": lambda lines: [
        *lines,
        next_line(b'{"a":1}', BEGUN.src, read(lines).head or BEGUN.place)[0],
    ],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_reader_refuses_what_is_not_as_it_was_written(damage: str) -> None:
    with pytest.raises(Damaged, match=r"Line \d+ "):
        read(DAMAGES[damage](written()))


def test_the_exact_line_is_named() -> None:
    with pytest.raises(Damaged, match="Line 3 was changed: its hash does not fit"):
        read(DAMAGES["edited"](written()))


def test_a_late_event_says_where_it_waited() -> None:
    ev = event_bytes(denied())
    late = decode_event(late_event(ev, file_sha256="cd" * 32, line=7, host="web-1"))
    assert late.pop("src") == {"file_sha256": "cd" * 32, "host": "web-1", "line": 7}
    assert late == decode_event(ev)


@pytest.mark.parametrize("host", ["web-1", "Straße 5", "", "a_b", "x" * 200])
def test_every_host_makes_a_name_that_is_read_again(host: str) -> None:
    begun = Beginning(INSTALL, source(host, "2026-03-01T09:00:00.000000Z", MARKETING), AFTER)
    assert read_beginning(begun.line()) == begun
    assert begun.ws == MARKETING


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"install": "x", "after": ""}', "\0" * 50])
def test_damaged_notes_of_ours_are_as_if_absent(text: str) -> None:
    assert read_identity(text) is None
    assert read_alarm(text.encode()) is None


def test_a_file_of_nonsense_is_no_beginning() -> None:
    with pytest.raises(Damaged):
        read_beginning(f'{{"v":1,"src":"{uuid4()}"}}\n'.encode())
