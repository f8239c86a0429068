"""PDUs and segments for these tests. PDUs of the peer are written by smpplib or by hand."""

import struct

from smpplib import smpp

from smpp_client.carrier import Address, Segment, SegmentKey

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
