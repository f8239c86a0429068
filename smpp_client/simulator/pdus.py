"""SMPP 3.4 by hand, only what the simulator speaks: requests in, responses and receipts out.

Section numbers are those of the SMPP 3.4 specification, issue 1.2.
"""

import struct
from typing import NamedTuple

RESPONSE = 0x80000000
GENERIC_NACK = 0x80000000
BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER = 0x01, 0x02, 0x09
SUBMIT_SM, SUBMIT_SM_RESP = 0x04, 0x80000004
DELIVER_SM, DELIVER_SM_RESP = 0x05, 0x80000005
UNBIND, UNBIND_RESP = 0x06, 0x80000006
ENQUIRE_LINK, ENQUIRE_LINK_RESP = 0x15, 0x80000015
BINDS = frozenset({BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER})

# command_status (5.1.3)
OK = 0x00
INVALID_MESSAGE_LENGTH = 0x01
INVALID_COMMAND_LENGTH = 0x02
INVALID_COMMAND_ID = 0x03
INVALID_BIND_STATUS = 0x04
ALREADY_BOUND = 0x05
INVALID_SOURCE = 0x0A
INVALID_DESTINATION = 0x0B
INVALID_PASSWORD = 0x0E
INVALID_SYSTEM_ID = 0x0F
QUEUE_FULL = 0x14
THROTTLED = 0x58

# message_state (5.2.28)
DELIVERED, UNDELIVERABLE = 2, 5

HEADER = struct.Struct(">LLLL")
HEADER_LENGTH = 16
LONGEST_PDU = 65_536
_TLV = struct.Struct(">HH")
_RECEIPTED_MESSAGE_ID = 0x001E
_USER_MESSAGE_REFERENCE = 0x0204
_SC_INTERFACE_VERSION = b"\x02\x10\x00\x01\x34"
_MESSAGE_PAYLOAD = 0x0424
_MESSAGE_STATE = b"\x04\x27\x00\x01"


class BadPdu(ValueError):
    """The body does not hold what the specification asks for; `status` is the answer."""

    def __init__(self, status: int) -> None:
        super().__init__(f"command_status 0x{status:02X}")
        self.status = status


class Bind(NamedTuple):
    """What a bind request says (4.1.1)."""

    system_id: str
    password: str


class Submit(NamedTuple):
    """One submit_sm (4.4.1).

    `source` and `destination` are the raw fields TON, NPI, address, NUL: a receipt sends them
    back as they came. `text` is short_message, or message_payload when short_message is empty.
    `reference` is the value of user_message_reference, -1 when there was none.
    """

    source: bytes
    destination: bytes
    esm_class: int
    registered: int
    coding: int
    text: bytes
    reference: int


def read_bind(pdu: bytes) -> Bind:
    """Read a bind request; BadPdu when a field does not end."""
    fields = pdu[HEADER_LENGTH:].split(b"\0", 2)
    if len(fields) < 3:
        raise BadPdu(INVALID_COMMAND_LENGTH)
    return Bind(fields[0].decode("latin-1"), fields[1].decode("latin-1"))


def read_submit(data: bytes, at: int, end: int) -> Submit:
    """Read the submit_sm in data[at:end], as strictly as a careful SMSC; BadPdu otherwise."""
    try:
        source_at = data.index(0, at + HEADER_LENGTH, end) + 1
        source_end = data.index(0, source_at + 2, end) + 1
        destination_end = data.index(0, source_end + 2, end) + 1
        schedule_end = data.index(0, destination_end + 3, end) + 1
        rest = data.index(0, schedule_end, end) + 1
    except ValueError:
        raise BadPdu(INVALID_COMMAND_LENGTH) from None
    text_at = rest + 5
    if text_at > end:
        raise BadPdu(INVALID_COMMAND_LENGTH)
    length = data[rest + 4]
    text_end = text_at + length
    if length > 254 or text_end > end:
        raise BadPdu(INVALID_MESSAGE_LENGTH)
    reference, text = -1, data[text_at:text_end]
    if text_end < end:
        reference, payload = _read_options(data, text_end, end)
        text = text or payload
    submit = Submit(
        data[source_at:source_end],
        data[source_end:destination_end],
        data[destination_end],
        data[rest],
        data[rest + 2],
        text,
        reference,
    )
    _check_addresses(submit)
    return submit


def _check_addresses(submit: Submit) -> None:
    """Refuse numbers that are not digits and senders that no phone could show (5.2.8, 5.2.9)."""
    number = submit.destination[2:-1]
    if not number.isdigit() or len(number) > 20:
        raise BadPdu(INVALID_DESTINATION)
    sender = submit.source[2:-1].decode("latin-1")
    if not sender.isprintable() or len(sender) > 20:
        raise BadPdu(INVALID_SOURCE)


def _read_options(data: bytes, at: int, end: int) -> tuple[int, bytes]:
    """Return (user_message_reference or -1, message_payload or b""); other TLVs are passed over."""
    reference, payload = -1, b""
    while at < end:
        if at + 4 > end:
            raise BadPdu(INVALID_COMMAND_LENGTH)
        tag, length = _TLV.unpack_from(data, at)
        at += 4 + length
        if at > end:
            raise BadPdu(INVALID_COMMAND_LENGTH)
        if tag == _USER_MESSAGE_REFERENCE and length == 2:
            reference = data[at - 2] << 8 | data[at - 1]
        elif tag == _MESSAGE_PAYLOAD:
            payload = data[at - length : at]
    return reference, payload


def bind_response(command: int, sequence: int, system_id: bytes) -> bytes:
    """Build the positive answer to a bind (4.1.2)."""
    body = system_id + b"\0" + _SC_INTERFACE_VERSION
    return HEADER.pack(HEADER_LENGTH + len(body), command | RESPONSE, OK, sequence) + body


def submit_response(sequence: int, message_id: bytes) -> bytes:
    """Build a positive submit_sm_resp (4.4.2)."""
    return HEADER.pack(17 + len(message_id), SUBMIT_SM_RESP, OK, sequence) + message_id + b"\0"


def bare(command: int, status: int, sequence: int) -> bytes:
    """Build a PDU that is only a header, as refusals are."""
    return HEADER.pack(HEADER_LENGTH, command, status, sequence)


def receipt_body(submit: Submit, message_id: bytes, text: bytes, state: int) -> bytes:
    """Build the body of a deliver_sm that is a delivery receipt (4.6.1, appendix B).

    It goes from the handset to the sender, so the two addresses change places.
    """
    reference = b""
    if submit.reference >= 0:
        reference = struct.pack(">HHH", _USER_MESSAGE_REFERENCE, 2, submit.reference)
    return b"".join(
        (
            b"\0",
            submit.destination,
            submit.source,
            # esm_class 4 says receipt; protocol, priority, two empty times, four flags.
            b"\x04\0\0\0\0\0\0\0\0",
            bytes((len(text),)),
            text,
            _TLV.pack(_RECEIPTED_MESSAGE_ID, len(message_id) + 1),
            message_id,
            b"\0",
            _MESSAGE_STATE,
            bytes((state,)),
            reference,
        )
    )


def message_body(
    source: bytes, destination: bytes, coding: int, text: bytes, esm_class: int = 0
) -> bytes:
    """Build the body of a deliver_sm that a subscriber wrote; both addresses are TON 1, NPI 1."""
    return b"".join(
        (
            b"\0\x01\x01",
            source,
            b"\0\x01\x01",
            destination,
            b"\0",
            bytes((esm_class,)),
            b"\0\0\0\0\0\0",
            bytes((coding, 0, len(text))),
            text,
        )
    )


def deliver(sequence: int, body: bytes) -> bytes:
    """Put the header before the body of a deliver_sm."""
    return HEADER.pack(HEADER_LENGTH + len(body), DELIVER_SM, OK, sequence) + body
