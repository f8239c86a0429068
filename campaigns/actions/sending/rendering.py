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
    fingerprint: bytes
    number_sealed: bytes
    values: dict[str, str]


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
    template = template_of(candidate.text)
    source = _source(candidate, account)
    done = Rendered([], [], {})
    for row in rows:
        try:
            done.segments.extend(_segments(candidate, row, template, source, account, keys))
        except (TextRefused, AddressRefused, SealBroken) as refused:
            done.unsent.extend(_unsent(candidate, row, Kind.REFUSED, str(refused), now))
        except OtherLane as other:
            done.lanes[row.position] = other.connection
            done.unsent.extend(_unsent(candidate, row, Kind.RELEASED, "range", now))
    return done


def _source(candidate: Candidate, account: Account) -> Address:
    value, ton, npi = candidate.sender
    return Address(account.short_code_ton if ton == TON_SHORT_CODE else ton, npi, value)


def _segments(
    candidate: Candidate,
    row: ClaimedRow,
    template: Template,
    source: Address,
    account: Account,
    keys: Keys,
) -> Iterator[Segment]:
    number = keys.open_number(row.number_sealed, candidate.workspace_id)
    way = candidate.way
    lane = connection_for(number, way.ranges)
    if lane is not None and lane != way.connection:
        raise OtherLane(lane)
    encoded = encode(
        template.render(row.values),
        reference=reference_of(candidate.id, row.position),
        alphabet=account.alphabet,
    )
    if len(encoded.parts) != row.part_count:
        raise TextRefused("The text takes another number of segments than was approved.")
    destination = destination_address(number)
    for index, part in enumerate(encoded.parts, start=1):
        if row.part not in {0, index}:
            continue
        yield Segment(
            key=SegmentKey(row.batch_id, candidate.id, row.position, index),
            part_count=row.part_count,
            source=source,
            destination=destination,
            short_message=part,
            data_coding=encoded.data_coding,
            has_header=encoded.has_header,
            reference=segment_reference(candidate.id, row.position, index),
        )


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
