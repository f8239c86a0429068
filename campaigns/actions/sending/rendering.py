"""From claimed rows to segments: the number opened, the text filled, encoded by the one encoder."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from campaigns.actions.sending.candidates import Candidate
from campaigns.rules.references import segment_reference
from campaigns.rules.text import Template, compile_text
from smpp_client.carrier import Address, Kind, Outcome, Segment, SegmentKey
from smpp_client.rules.addresses import AddressRefused, destination_address
from smpp_client.rules.ranges import connection_for
from smpp_client.rules.segments import Alphabet, TextRefused, encode
from workspaces.rules.sealing import Keys, SealBroken

TON_SHORT_CODE = 3


class ClaimedRow(NamedTuple):
    """One row of claim_range or claim_queue. `part` 0 is the whole message."""

    refusal: str | None
    batch_id: int
    position: int
    part_count: int
    part: int
    fingerprint: bytes | None
    number_sealed: bytes
    values: dict[str, str] | None  # None where the text has no placeholders


@dataclass(frozen=True)
class Account:
    """What a connection needs to know about how its peer wants segments."""

    alphabet: Alphabet
    short_code_ton: int


@dataclass(frozen=True)
class Rendered:
    """Segments to submit, and outcomes of what does not become one here.

    `lanes` maps positions to the connections whose numbers they are: released by this one.
    """

    segments: list[Segment]
    unsent: list[Outcome]
    lanes: dict[int, int]


class OtherLane(Exception):
    """The number belongs to the range of this connection."""

    def __init__(self, connection: int) -> None:
        super().__init__(connection)
        self.connection = connection


@lru_cache(maxsize=256)
def template_of(text: str) -> Template:
    """Return the compiled text; claims of one campaign share it."""
    return compile_text(text)


def render(
    candidate: Candidate, rows: Sequence[ClaimedRow], account: Account, keys: Keys, now: datetime
) -> Rendered:
    """Turn claimed rows into segments, in their order.

    What cannot be encoded is refused here, before the wire; what another connection's range holds
    is released.
    """
    maker = _Maker(candidate, account, keys)
    done = Rendered([], [], {})
    for row in rows:
        try:
            done.segments.extend(maker.segments(row))
        except (TextRefused, AddressRefused, SealBroken) as refused:
            done.unsent.extend(_unsent(candidate, row, Kind.REFUSED, str(refused), now))
        except OtherLane as other:
            done.lanes[row.position] = other.connection
            done.unsent.extend(_unsent(candidate, row, Kind.RELEASED, "range", now))
    return done


class _Maker:
    """Makes segments of one campaign for one connection: what they share is looked up once."""

    def __init__(self, candidate: Candidate, account: Account, keys: Keys) -> None:
        value, ton, npi = candidate.sender
        self._source = Address(account.short_code_ton if ton == TON_SHORT_CODE else ton, npi, value)
        self._campaign_id = candidate.id
        self._way = candidate.way
        self._alphabet = account.alphabet
        self._template = template_of(candidate.text)
        self._open = keys.number_opener(candidate.workspace_id).open

    def segments(self, row: ClaimedRow) -> list[Segment]:
        """Return the segments of one row.

        Raises SealBroken, OtherLane, AddressRefused and TextRefused.
        """
        number = self._open(row.number_sealed).decode()
        self._check_lane(number)
        encoded = encode(
            self._template.render(row.values or {}),
            reference=reference_of(self._campaign_id, row.position),
            alphabet=self._alphabet,
        )
        if len(encoded.parts) != row.part_count:
            raise TextRefused("The text takes another number of segments than was approved.")
        destination = destination_address(number)
        return [
            Segment(
                SegmentKey(row.batch_id, self._campaign_id, row.position, index),
                row.part_count,
                self._source,
                destination,
                part,
                encoded.data_coding,
                encoded.has_header,
                segment_reference(self._campaign_id, row.position, index),
            )
            for index, part in enumerate(encoded.parts, start=1)
            if row.part in {0, index}
        ]

    def _check_lane(self, number: str) -> None:
        lane = connection_for(number, self._way.ranges)
        if lane is not None and lane != self._way.connection:
            raise OtherLane(lane)


def reference_of(campaign_id: int, position: int) -> int:
    """Return the concatenation reference (0 to 255) of a message: the same at every attempt,
    another for its neighbours.
    """
    return (campaign_id * 37 + position) & 0xFF


def _unsent(
    candidate: Candidate, row: ClaimedRow, kind: Kind, why: str, now: datetime
) -> Iterator[Outcome]:
    parts = range(1, row.part_count + 1) if row.part == 0 else (row.part,)
    for part in parts:
        yield Outcome(
            key=SegmentKey(row.batch_id, candidate.id, row.position, part),
            part_count=row.part_count,
            kind=kind,
            at=now,
            cause=why[:60],
        )
