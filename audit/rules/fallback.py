"""The chained file that takes what must be recorded while the database is away, line by line.

The first line is the file's beginning; each further one holds an event and follows the one before
it. A torn last line is the only damage that a reader forgives: nobody was told that it was kept.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from audit.rules import hashes
from audit.rules.canonical import Json, NotCanonical, decode, decode_event, encode, encode_event

SUFFIX = ".jsonl"
# An event grows by `src` when it is ingested, and may then have 64 KB at most.
SPARE_BYTES = 400
# No line is longer: an event, two hashes and the words around them.
LONGEST_LINE = 66_000

_HEX = "[0-9a-f]{64}"
_LINE = re.compile(
    f'{{"ev":({{.*}}),"hash":"({_HEX})","n":([1-9][0-9]{{0,15}}),"prev":"({_HEX})"}}\n'.encode(),
    re.DOTALL,
)
_SRC = re.compile(r"([A-Za-z0-9.-]+)_([0-9]{8}T[0-9]{6}\.[0-9]{6}Z)_([0-9a-f-]{36})")


class Personal(NamedTuple):
    """A personal value and the salt of its commitment."""

    salt: bytes
    value: str


class NotRecorded(RuntimeError):
    """What had to be recorded could be recorded nowhere: what needed it must be refused."""


class Damaged(ValueError):
    """A file that is not what was written. `line` counts from 1, the beginning included."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(f"Line {line} {sentence}")
        self.line = line
        self.sentence = sentence


@dataclass(frozen=True)
class Place:
    """Where a writer or a reader of a file stands: after line `n`, whose hash is `hash`."""

    n: int
    hash: bytes


@dataclass(frozen=True)
class Beginning:
    """The first line. `src` names the file (see `source`); `after` is the hash of the last
    checkpoint note that was known, in hex, or 64 zeros.
    """

    install: UUID
    src: str
    after: str

    @property
    def place(self) -> Place:
        """Return the place before the first event."""
        return Place(0, hashes.fallback_genesis(self.install, self.src, self.after))

    @property
    def host(self) -> str:
        """Return the host that wrote the file."""
        return self.src.split("_")[0]

    @property
    def ws(self) -> UUID:
        """Return the chain whose events the file holds."""
        return UUID(self.src.rpartition("_")[2])

    def line(self) -> bytes:
        """Return the canonical line with its line feed."""
        fields: dict[str, Json] = {
            "after": self.after,
            "genesis": self.place.hash.hex(),
            "install": str(self.install),
            "src": self.src,
            "v": 1,
        }
        return encode(fields) + b"\n"


@dataclass(frozen=True)
class Line:
    """A line that was read: the event's bytes and the place after it."""

    ev: bytes
    place: Place


def source(host: str, begun: str, ws: UUID) -> str:
    """Return a file's name without its suffix: host, stamp of its beginning, chain.

    One file holds the events of one chain, so that the evidence of a workspace shows nothing of
    another one.
    """
    plain = re.sub(r"[^A-Za-z0-9.-]", "-", host)[:60] or "host"
    return f"{plain}_{begun.replace('-', '').replace(':', '')}_{ws}"


def read_beginning(line: bytes) -> Beginning:
    """Read a first line; raise Damaged unless it is exactly what `Beginning.line` writes."""
    try:
        fields = decode(line.removesuffix(b"\n"))
        if not isinstance(fields, dict):
            raise NotCanonical("not an object")
        begun = Beginning(UUID(str(fields["install"])), str(fields["src"]), str(fields["after"]))
        is_source = _SRC.fullmatch(begun.src) and begun.ws
    except (NotCanonical, KeyError, ValueError) as broken:
        raise Damaged(1, "is not the beginning of a fallback file.") from broken
    if not is_source or not re.fullmatch(_HEX, begun.after) or begun.line() != line:
        raise Damaged(1, "is not the beginning of a fallback file.")
    return begun


def next_line(ev: bytes, src: str, place: Place) -> tuple[bytes, Place]:
    """Return the line of an event after a place, and the place after it."""
    after = Place(
        place.n + 1, hashes.fallback_hash(src, place.n + 1, place.hash, hashes.leaf_hash(ev))
    )
    tail = f',"hash":"{after.hash.hex()}","n":{after.n},"prev":"{place.hash.hex()}"}}\n'
    return b'{"ev":' + ev + tail.encode(), after


def read_line(line: bytes, src: str) -> tuple[Line, bytes]:
    """Read one line by itself; return it with the hash that it follows. Raises Damaged."""
    match = _LINE.fullmatch(line)
    if match is None:
        raise Damaged(0, "is not of its form.")
    n, prev = int(match[3]), bytes.fromhex(match[4].decode())
    found = hashes.fallback_hash(src, n, prev, hashes.leaf_hash(match[1]))
    if found.hex() != match[2].decode():
        raise Damaged(n + 1, "was changed: its hash does not fit.")
    return Line(match[1], Place(n, found)), prev


def follow(line: bytes, begun: Beginning, place: Place) -> Line:
    """Read the line after a place; raise Damaged unless it follows and holds an event of the
    file's chain.
    """
    number = place.n + 2
    try:
        found, prev = read_line(line, begun.src)
    except Damaged as broken:
        raise Damaged(number, broken.sentence) from broken
    if (found.place.n, prev) != (place.n + 1, place.hash):
        raise Damaged(number, "does not follow the one before it.")
    try:
        event = decode_event(found.ev)
    except NotCanonical as broken:
        raise Damaged(number, f"holds no event: {broken}") from broken
    if event["ws"] != str(begun.ws):
        raise Damaged(number, "holds an event of another chain.")
    return found


@dataclass
class Reading:
    """A whole file, read through `lines`; what it came to is known at the end.

    `head` is where the file ends, `sha256` is of all its bytes, `torn_bytes` of a last line that
    was being written when its writer died.
    """

    begun: Beginning | None = None
    head: Place | None = None
    sha256: str = ""
    torn_bytes: int = 0

    def lines(self, raw: Iterable[bytes]) -> Iterator[Line]:
        """Yield the lines with events of a file's raw lines; raise Damaged."""
        digest = sha256()
        for line in raw:
            digest.update(line)
            if not line.endswith(b"\n"):
                self.torn_bytes = len(line)
            elif self.begun is None or self.head is None:
                self.begun = read_beginning(line)
                self.head = self.begun.place
            else:
                found = follow(line, self.begun, self.head)
                self.head = found.place
                yield found
        self.sha256 = digest.hexdigest()
        if self.begun is None:
            raise Damaged(1, "is not the beginning of a fallback file.")


def late_event(ev: bytes, *, file_sha256: str, line: int, host: str) -> bytes:
    """Return an event as it is ingested: with where it waited. `line` is its number `n`."""
    event = decode_event(ev)
    return encode_event({**event, "src": {"file_sha256": file_sha256, "host": host, "line": line}})


@dataclass(frozen=True)
class Identity:
    """What a writer must know of the installation while the database is away; `after` as above."""

    install: UUID
    after: str

    def text(self) -> str:
        """Write it as JSON."""
        return json.dumps({"v": 1, "install": str(self.install), "after": self.after}) + "\n"


def read_identity(text: str) -> Identity | None:
    """Read what `Identity.text` wrote; None for anything else."""
    try:
        fields = json.loads(text)
        found = Identity(UUID(fields["install"]), str(fields["after"]))
    except (ValueError, KeyError, TypeError):
        return None
    return found if re.fullmatch(_HEX, found.after) else None


@dataclass(frozen=True)
class Alarm:
    """What could be recorded nowhere: how many, between which stamps, and why the last one.

    It is kept in a block of fixed size that exists beforehand, so that it can be written on a disk
    that is full. `id` becomes the `eid` of the entry that declares the gap.
    """

    id: UUID
    count: int = 0
    since: str = ""
    last: str = ""
    why: str = ""

    def plus(self, count: int, *, at: str, why: str) -> "Alarm":
        """Return the alarm with so many more, of this moment."""
        return Alarm(self.id, self.count + count, self.since or at, at, why[:200])

    def block(self) -> bytes:
        """Write it in ALARM_BYTES."""
        fields = {
            "id": str(self.id),
            "count": self.count,
            "since": self.since,
            "last": self.last,
            "why": self.why,
        }
        return json.dumps(fields).ljust(ALARM_BYTES - 1).encode() + b"\n"


ALARM_BYTES = 2_048


def read_alarm(block: bytes) -> Alarm | None:
    """Read what `Alarm.block` wrote; None for anything else."""
    try:
        fields = json.loads(block)
        return Alarm(
            UUID(fields["id"]),
            int(fields["count"]),
            str(fields["since"]),
            str(fields["last"]),
            str(fields["why"]),
        )
    except (ValueError, KeyError, TypeError):
        return None
