"""From claimed rows to segments: the number opened, the text filled, encoded by the one encoder."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from campaigns.actions.sending.candidates import Candidate
from campaigns.models import Mode
from campaigns.rules.references import joining_reference, segment_reference
from campaigns.rules.text import Template, compile_text
from smpp_client.carrier import Address, Kind, Outcome, Sar, Segment, SegmentKey
from smpp_client.models import LongForm
from smpp_client.rules.addresses import AddressRefused, destination_address
from smpp_client.rules.ranges import connection_for
from smpp_client.rules.segments import Alphabet, Encoded, TextRefused, encode, is_alike
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
    long_form: str = LongForm.UDH


@dataclass(frozen=True)
class Rendered:
    """Segments to submit, and outcomes of what does not become one here.

    `lanes` maps positions to the connections whose numbers they are: released by this one.
    `misfits` are positions that need other parts here than were approved: released as well.
    """

    segments: list[Segment]
    unsent: list[Outcome]
    lanes: dict[int, int]
    misfits: list[int]


class OtherLane(Exception):
    """The number belongs to the range of this connection."""

    def __init__(self, connection: int) -> None:
        super().__init__(connection)
        self.connection = connection


class OtherParts(Exception):
    """The connection has another alphabet than the text was counted for, and it matters."""


@lru_cache(maxsize=256)
def template_of(text: str) -> Template:
    """Return the compiled text; claims of one campaign share it."""
    return compile_text(text)


def render(
    candidate: Candidate, rows: Sequence[ClaimedRow], account: Account, keys: Keys, now: datetime
) -> Rendered:
    """Turn claimed rows into segments, in their order.

    What cannot be encoded is refused here, before the wire; what another connection's range holds
    is released, and so is what needs other parts here than were approved.
    """
    maker = _Maker(candidate, account, keys)
    done = Rendered([], [], {}, [])
    for row in _whole_again(rows) if account.long_form == LongForm.PAYLOAD else rows:
        try:
            done.segments.extend(maker.segments(row))
        except (TextRefused, AddressRefused, SealBroken) as refused:
            done.unsent.extend(_unsent(candidate, row, Kind.REFUSED, str(refused), now))
        except OtherLane as other:
            done.lanes[row.position] = other.connection
            done.unsent.extend(_unsent(candidate, row, Kind.RELEASED, "range", now))
        except OtherParts:
            done.misfits.append(row.position)
            done.unsent.extend(_unsent(candidate, row, Kind.RELEASED, "alphabet", now))
    return done


def _whole_again(rows: Sequence[ClaimedRow]) -> list[ClaimedRow]:
    """Put parts that go again back together where all of a message are there: it has one PDU.

    One that goes again without the others has a header, which nearly every SMSC takes.
    """
    parts: dict[tuple[int, int], list[ClaimedRow]] = {}
    for row in rows:
        parts.setdefault((row.batch_id, row.position), []).append(row)
    found: list[ClaimedRow] = []
    for group in parts.values():
        is_whole = len({row.part for row in group if row.part}) == group[0].part_count
        found.extend([group[0]._replace(part=0)] if is_whole else group)
    return found


class _Maker:
    """Makes segments of one campaign for one connection: what they share is looked up once."""

    def __init__(self, candidate: Candidate, account: Account, keys: Keys) -> None:
        value, ton, npi = candidate.sender
        self._source = Address(account.short_code_ton if ton == TON_SHORT_CODE else ton, npi, value)
        self._campaign_id = candidate.id
        self._is_pushed = candidate.plan_row.mode == Mode.TRIGGER
        self._way = candidate.way
        self._alphabet = account.alphabet
        self._counted_for = candidate.alphabet
        # A text may then need more parts than were approved.
        self._is_narrower = (
            self._alphabet is Alphabet.LATIN1 and self._counted_for is not self._alphabet
        )
        self._long_form = account.long_form
        self._template = template_of(candidate.text)
        self._open = keys.number_opener(candidate.workspace_id).open
        self._same: Encoded | None = None

    def segments(self, row: ClaimedRow) -> list[Segment]:
        """Return the segments of one row.

        Raises SealBroken, OtherLane, OtherParts, AddressRefused and TextRefused.
        """
        number = self._open(row.number_sealed).decode()
        if self._way.ranges:
            self._check_lane(number)
        destination = destination_address(number)
        encoded = self._encoded(row, destination)
        if len(encoded.parts) != row.part_count:
            raise TextRefused("The text takes another number of segments than was approved.")
        if row.part_count == 1:
            return [self._alone(row, destination, encoded)]
        is_bare = self._long_form == LongForm.SAR or (
            self._long_form == LongForm.PAYLOAD and row.part == 0
        )
        if encoded.has_header and is_bare:
            return self._without_headers(row, destination, encoded)
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

    def _joins(self, row: ClaimedRow, destination: Address) -> int:
        return joining_reference(
            self._campaign_id, row.position, destination.value, is_pushed=self._is_pushed
        )

    def _encoded(self, row: ClaimedRow, destination: Address) -> Encoded:
        """Return the octets of a row's text; one that is the same for all is encoded once."""
        if self._same is not None:
            return self._same
        text = self._template.render(row.values or {})
        encoded = encode(
            text,
            reference=self._joins(row, destination),
            alphabet=self._alphabet,
            counted_for=self._counted_for,
        )
        if self._is_narrower:
            _require_parts(text, encoded, row)
        if not self._template.is_personal and not encoded.has_header:
            self._same = encoded
        return encoded

    def _alone(self, row: ClaimedRow, destination: Address, encoded: Encoded) -> Segment:
        """Return the segment of a message that has one: nearly all of them."""
        campaign, position = self._campaign_id, row.position
        return Segment(
            SegmentKey(row.batch_id, campaign, position, 1),
            1,
            self._source,
            destination,
            encoded.parts[0],
            encoded.data_coding,
            False,
            segment_reference(campaign, position, 1),
        )

    def _without_headers(
        self, row: ClaimedRow, destination: Address, encoded: Encoded
    ) -> list[Segment]:
        """Return a long message as one payload, or its parts with their places beside them."""
        bare = [part[part[0] + 1 :] for part in encoded.parts]
        one = Segment(
            SegmentKey(row.batch_id, self._campaign_id, row.position, 1),
            row.part_count,
            self._source,
            destination,
            b"".join(bare),
            encoded.data_coding,
            False,
            segment_reference(self._campaign_id, row.position, 1),
            covers=row.part_count,
        )
        if self._long_form == LongForm.PAYLOAD:
            return [one]
        shared = self._joins(row, destination)
        return [
            one._replace(
                key=one.key._replace(part=number),
                short_message=body,
                reference=segment_reference(self._campaign_id, row.position, number),
                sar=Sar(shared, row.part_count, number),
                covers=1,
            )
            for number, body in enumerate(bare, start=1)
            if row.part in {0, number}
        ]

    def _check_lane(self, number: str) -> None:
        lane = connection_for(number, self._way.ranges)
        if lane is not None and lane != self._way.connection:
            raise OtherLane(lane)


def _require_parts(text: str, encoded: Encoded, row: ClaimedRow) -> None:
    """Look at a text that was counted for a wider alphabet. Raises OtherParts.

    Parts of one message may already have gone out another way, so they must be cut alike.
    """
    if (row.part_count > 1 or len(encoded.parts) > 1) and not is_alike(text):
        raise OtherParts


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
