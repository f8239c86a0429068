"""PDUs and segments for these tests. PDUs of the peer are written by smpplib or by hand."""

import struct
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from smpplib import smpp

from smpp_client.carrier import Address, Segment, SegmentKey
from smpp_client.protocol.config import SessionConfig
from smpp_client.protocol.events import Bound, Event, Settled
from smpp_client.protocol.framing import Frame, Framer
from smpp_client.protocol.pdus import RESPONSE, SUBMIT_SM, SUBMIT_SM_RESP
from smpp_client.protocol.session import Session

E = TypeVar("E")

OPERATOR = Address(5, 0, "Operator")
SUBSCRIBER = Address(1, 1, "447700900123")


def segment(position: int, *, part: int = 1, text: bytes = b"hello") -> Segment:
    return Segment(
        key=SegmentKey(1, 1, position, part),
        part_count=1,
        source=OPERATOR,
        destination=SUBSCRIBER,
        short_message=text,
        data_coding=0,
        has_header=False,
    )


def generated(name: str, sequence: int, *, status: int = 0, **fields: object) -> bytes:
    """What smpplib writes for this command."""
    pdu = smpp.make_pdu(name, sequence=sequence, **fields)
    pdu.sequence, pdu.status = sequence, status
    written: bytes = pdu.generate()
    return written


def delivered(sequence: int, **fields: Any) -> bytes:
    """What smpplib writes for a deliver_sm from SUBSCRIBER to OPERATOR."""
    usual: dict[str, Any] = {
        "service_type": "",
        "source_addr_ton": SUBSCRIBER.ton,
        "source_addr_npi": SUBSCRIBER.npi,
        "source_addr": SUBSCRIBER.value,
        "dest_addr_ton": OPERATOR.ton,
        "dest_addr_npi": OPERATOR.npi,
        "destination_addr": OPERATOR.value,
        "esm_class": 4,
        "protocol_id": 0,
        "priority_flag": 0,
        "schedule_delivery_time": "",
        "validity_period": "",
        "registered_delivery": 0,
        "replace_if_present_flag": 0,
        "data_coding": 0,
        "sm_default_msg_id": 0,
        "short_message": b"",
        "message_state": 2,
        "receipted_message_id": "abc",
    }
    return generated("deliver_sm", sequence, **usual | fields)


def pdu(command: int, sequence: int, body: bytes = b"", *, status: int = 0) -> bytes:
    return struct.pack(">LLLL", 16 + len(body), command, status, sequence) + body


def tlv(tag: int, value: bytes) -> bytes:
    return struct.pack(">HH", tag, len(value)) + value


def delivery_body(
    message: bytes = b"", *, esm_class: int = 0x04, data_coding: int = 0, options: bytes = b""
) -> bytes:
    """The body of a deliver_sm from a subscriber to the operator."""
    return (
        b"\0"
        + bytes((1, 1))
        + SUBSCRIBER.value.encode()
        + b"\0"
        + bytes((5, 0))
        + OPERATOR.value.encode()
        + b"\0"
        + bytes((esm_class, 0, 0))
        + b"\0\0"
        + bytes((0, 0, data_coding, 0, len(message)))
        + message
        + options
    )


def config(**changes: Any) -> SessionConfig:
    values: dict[str, Any] = {"system_id": "mc", "password": "secret", "window": 10}
    return SessionConfig(**(values | changes))


def sent(session: Session, now: float = 0.0) -> list[Frame]:
    """Take everything that the session wants to write, and return its PDUs."""
    written = b""
    while block := session.bytes_to_send():
        session.taken(len(block), now)
        written += block
    return Framer().feed(written)


def commands(frames: list[Frame]) -> list[int]:
    return [frame[0] for frame in frames]


def bound(
    now: float = 0.0,
    *,
    last_sequence: int = 0,
    tickets: Iterator[int] | None = None,
    **changes: Any,
) -> Session:
    """A session whose bind was accepted."""
    session = Session(config(**changes), last_sequence=last_sequence, tickets=tickets)
    session.begin_bind(now)
    ((command, _, sequence, _),) = sent(session, now)
    assert isinstance(session.receive(pdu(command | RESPONSE, sequence, b"SMSC\0"), now)[0], Bound)
    return session


def submitted(session: Session, count: int, now: float = 0.0) -> list[int]:
    """Submit segments 1 to `count`, let the transport take them, return their sequence numbers."""
    assert session.submit([segment(position) for position in range(1, count + 1)], now) == []
    return [frame[2] for frame in sent(session, now) if frame[0] == SUBMIT_SM]


def accepted(sequence: int, smsc_id: str = "abc") -> bytes:
    return pdu(SUBMIT_SM_RESP, sequence, smsc_id.encode() + b"\0")


def rejected(sequence: int, status: int) -> bytes:
    return pdu(SUBMIT_SM_RESP, sequence, status=status)


def positions(segments: Iterable[Segment]) -> list[int]:
    return [one.key.position for one in segments]


def settled(events: Iterable[Event]) -> list[tuple[int, str]]:
    """Position and kind of every outcome, in order."""
    return [
        (event.segment.key.position, str(event.kind))
        for event in events
        if isinstance(event, Settled)
    ]


def only(events: list[Event], kind: type[E]) -> E:
    """The one event of this kind."""
    (found,) = [event for event in events if isinstance(event, kind)]
    return found
