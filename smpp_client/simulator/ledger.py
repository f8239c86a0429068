"""The simulator's ledger: one line on disk per submit_sm it accepted, before it answers.

Tab-separated: receive time (Unix, seconds with microseconds), message id, source, destination,
data_coding, esm_class, text in hexadecimal, session number, sequence number, source TON and NPI
(`5.0`), destination TON and NPI, user_message_reference (-1: none). Addresses never hold a tab,
because the simulator refuses what is not printable.
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from smpp_client.simulator.alphabets import decoded
from smpp_client.simulator.pdus import Submit

_HAS_HEADER = 0x40
# A message_payload of 64 KiB in hexadecimal, and the other fields.
_LONGEST_LINE = 200_000


class LedgerLine(NamedTuple):
    """One accepted submit_sm. `at` is Unix time in seconds, `reference` -1 when none was sent."""

    at: float
    message_id: str
    source: str
    destination: str
    coding: int
    esm_class: int
    octets: bytes
    session: int
    sequence: int
    source_kind: str
    destination_kind: str
    reference: int


class Accepted(NamedTuple):
    """One message as the subscriber reads it; `is_complete` is False when parts are missing."""

    destination: str
    source: str
    text: str
    at: float
    message_ids: tuple[str, ...]
    is_complete: bool


class Ledger:
    """The writing end. Lines appended by several sessions share one file and one write."""

    def __init__(self, path: Path) -> None:
        """Open the file for appending and cut a last line that a crash left unfinished."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        _cut_unfinished_line(self._file)

    def write(self, lines: list[str]) -> None:
        """Hand the lines to the system; when this returns, they survive a kill of the process.

        OSError when the disk is full: then nothing of the batch may be answered.
        """
        rest = memoryview("".join(lines).encode())
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def close(self) -> None:
        """Close the file; there is nothing buffered here that could be lost."""
        os.close(self._file)


def line(at: float, message_id: str, submit: Submit, session: int, sequence: int) -> str:
    """Write one accepted submit_sm as a line of the ledger."""
    source, destination = submit.source, submit.destination
    return (
        f"{at:.6f}\t{message_id}\t{source[2:-1].decode('latin-1')}\t"
        f"{destination[2:-1].decode('latin-1')}\t{submit.coding}\t{submit.esm_class}\t"
        f"{submit.text.hex()}\t{session}\t{sequence}\t{source[0]}.{source[1]}\t"
        f"{destination[0]}.{destination[1]}\t{submit.reference}\n"
    )


def read(path: Path) -> Iterator[LedgerLine]:
    """Read the ledger, also while the simulator writes it; an unfinished last line is left out."""
    with path.open(encoding="utf-8", newline="\n") as file:
        for text in file:
            if text.endswith("\n"):
                yield _parsed(text)


def texts(path: Path) -> Iterator[Accepted]:
    """Read the messages with their parts put together and decoded, in the order of completion.

    Every part is decoded for itself, so a letter that was cut in two shows as U+FFFD. What is
    missing parts at the end of the ledger comes last, with `is_complete` False.
    """
    open_sets: dict[tuple[str, str, bytes], list[_Parts]] = {}
    for each in read(path):
        header, body = _split(each)
        if not header:
            yield Accepted(
                each.destination,
                each.source,
                decoded(body, each.coding),
                each.at,
                (each.message_id,),
                True,
            )
            continue
        *reference, total, number = header
        sets = open_sets.setdefault((each.source, each.destination, bytes([*reference, total])), [])
        parts = _place(sets, number, total)
        parts.lines[number] = each
        if parts.is_complete:
            sets.remove(parts)
            yield parts.accepted()
    for sets in open_sets.values():
        yield from (parts.accepted() for parts in sets)


def per_second(path: Path) -> dict[int, int]:
    """Count the accepted submits (segments) of each Unix second that had any."""
    return dict(Counter(int(each.at) for each in read(path)))


@dataclass
class _Parts:
    """The parts of one long message that have come so far, by their number."""

    total: int
    lines: dict[int, LedgerLine] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        return set(self.lines) == set(range(1, self.total + 1))

    def accepted(self) -> Accepted:
        lines = [self.lines[number] for number in sorted(self.lines)]
        return Accepted(
            lines[0].destination,
            lines[0].source,
            "".join(decoded(_split(each)[1], each.coding) for each in lines),
            min(each.at for each in lines),
            tuple(each.message_id for each in lines),
            self.is_complete,
        )


def _place(sets: list[_Parts], number: int, total: int) -> _Parts:
    """Find the first set that lacks this part; a part that came twice starts a second set."""
    for parts in sets:
        if number not in parts.lines:
            return parts
    sets.append(_Parts(total))
    return sets[-1]


def _split(each: LedgerLine) -> tuple[bytes, bytes]:
    """Return (reference, total and number of the part, text); the first is b"" for one part.

    3GPP TS 23.040 section 9.2.3.24: element 0 has a reference of one octet, element 8 of two.
    """
    octets = each.octets
    if not each.esm_class & _HAS_HEADER or not octets:
        return b"", octets
    at, end = 1, min(1 + octets[0], len(octets))
    while at + 2 <= end:
        element, length = octets[at], octets[at + 1]
        if (element, length) in {(0, 3), (8, 4)}:
            return octets[at + 2 : at + 2 + length], octets[end:]
        at += 2 + length
    return b"", octets[end:]


def _parsed(text: str) -> LedgerLine:
    at, message_id, source, destination, coding, esm_class, octets, *rest = text[:-1].split("\t")
    session, sequence, source_kind, destination_kind, reference = rest
    return LedgerLine(
        float(at),
        message_id,
        source,
        destination,
        int(coding),
        int(esm_class),
        bytes.fromhex(octets),
        int(session),
        int(sequence),
        source_kind,
        destination_kind,
        int(reference),
    )


def _cut_unfinished_line(file: int) -> None:
    """Shorten the file to its last newline, so the next line starts on its own."""
    size = os.fstat(file).st_size
    start = max(0, size - _LONGEST_LINE)
    tail = os.pread(file, size - start, start)
    os.ftruncate(file, start + tail.rfind(b"\n") + 1)
