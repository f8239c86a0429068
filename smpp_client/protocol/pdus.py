"""PDUs to bytes and back, on smpplib's constants.

submit_sm is the only PDU written by the thousand, and has an encoder of its own that tests compare
octet for octet with smpplib's. What does not fit into its field is refused: a number cut to twenty
digits is another subscriber.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from smpplib import command_codes, consts, smpp

from smpp_client.carrier import Sar, Segment
from smpp_client.protocol.framing import HEADER, HEADER_SIZE
from smpp_client.protocol.tlvs import (
    MESSAGE_PAYLOAD,
    SAR_REFERENCE,
    SAR_SEGMENT,
    SAR_TOTAL,
    USER_MESSAGE_REFERENCE,
    Options,
    read_options,
)
from smpp_client.rules.addresses import TON_INTERNATIONAL, Address

_CODES: Final[dict[str, int]] = command_codes.commands

GENERIC_NACK: Final = _CODES["generic_nack"]
SUBMIT_SM: Final = _CODES["submit_sm"]
SUBMIT_SM_RESP: Final = _CODES["submit_sm_resp"]
DELIVER_SM: Final = _CODES["deliver_sm"]
DELIVER_SM_RESP: Final = _CODES["deliver_sm_resp"]
DATA_SM: Final = _CODES["data_sm"]
DATA_SM_RESP: Final = _CODES["data_sm_resp"]
UNBIND: Final = _CODES["unbind"]
UNBIND_RESP: Final = _CODES["unbind_resp"]
ENQUIRE_LINK: Final = _CODES["enquire_link"]
ENQUIRE_LINK_RESP: Final = _CODES["enquire_link_resp"]
ALERT_NOTIFICATION: Final = _CODES["alert_notification"]
BIND_RESPONSES: Final = frozenset(
    _CODES[f"bind_{kind}_resp"] for kind in ("transmitter", "receiver", "transceiver")
)
RESPONSE: Final = 0x80000000  # the bit that every response has

UDH_INDICATOR: Final[int] = consts.SMPP_GSMFEAT_UDHI
WITH_RECEIPT: Final[int] = consts.SMPP_SMSC_DELIVERY_RECEIPT_BOTH

MAX_SHORT_MESSAGE: Final = 254
MAX_PAYLOAD: Final = 64_000  # octets, so that a PDU with its fields stays within 64 KiB
_LENGTHS: Final = [bytes((length,)) for length in range(MAX_SHORT_MESSAGE + 1)]
_MAX_TEMPLATES: Final = 4096


class BindType(StrEnum):
    """What the session is bound for."""

    TRANSMITTER = "transmitter"
    RECEIVER = "receiver"
    TRANSCEIVER = "transceiver"


class FieldRefused(ValueError):
    """A value that its field cannot carry; the sentence names the field."""


class Malformed(ValueError):
    """A PDU whose mandatory part is not all there; `status` is what to answer."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True)
class Delivery:
    """A deliver_sm or data_sm. `short_message` is the payload when there is one."""

    source: Address
    destination: Address
    esm_class: int
    data_coding: int
    short_message: bytes
    options: Options


def header_only(command: int, status: int, sequence: int) -> bytes:
    """Return a PDU without a body: enquire_link, unbind, generic_nack, most responses."""
    return HEADER.pack(HEADER_SIZE, command, status, sequence)


def delivery_response(command: int, status: int, sequence: int) -> bytes:
    """Return deliver_sm_resp or data_sm_resp with its empty message_id (4.6.2, 4.7.2)."""
    return HEADER.pack(HEADER_SIZE + 1, command, status, sequence) + b"\0"


def bind(
    bind_type: BindType,
    sequence: int,
    system_id: str,
    password: str,
    system_type: str = "",
    address_range: str = "",
) -> bytes:
    """Return a bind PDU (4.1). Raises FieldRefused."""
    _c_string("system_id", system_id, 15)
    # Not quoted by the message: it is a password.
    _c_string("password", password, 8)
    _c_string("system_type", system_type, 12)
    _c_string("address_range", address_range, 40)
    pdu = smpp.make_pdu(
        f"bind_{bind_type}",
        system_id=system_id,
        password=password,
        system_type=system_type,
        address_range=address_range,
        sequence=sequence,
    )
    return _generated(pdu, sequence)


def query_sm(sequence: int, message_id: str, source: Address) -> bytes:
    """Return a query_sm PDU (4.8). Raises FieldRefused."""
    _c_string("message_id", message_id, 64)
    if not message_id:
        raise FieldRefused("message_id is empty.")
    pdu = smpp.make_pdu(
        "query_sm",
        message_id=message_id,
        source_addr_ton=source.ton,
        source_addr_npi=source.npi,
        source_addr=_address(source)[2:-1].decode("ascii"),
        sequence=sequence,
    )
    return _generated(pdu, sequence)


def _generated(pdu: smpp.pdu.PDU, sequence: int) -> bytes:
    pdu.sequence = sequence  # the constructor does not take it
    generated: bytes = pdu.generate()
    return generated


class SubmitEncoder:
    """Writes submit_sm PDUs (4.4.1) from templates: only what differs between segments is new."""

    def __init__(self, service_type: str = "", registered_delivery: int = WITH_RECEIPT) -> None:
        self._service_type = _c_string("service_type", service_type, 5)
        self._registered_delivery = registered_delivery
        self._templates: dict[tuple[object, ...], tuple[bytes, bytes]] = {}

    def encode(self, segment: Segment, sequence: int) -> bytes:
        """Return the PDU of one segment. Raises FieldRefused."""
        key = (
            segment.source,
            segment.data_coding,
            segment.has_header,
            segment.priority,
            segment.validity_period,
        )
        template = self._templates.get(key)
        if template is None:
            template = self._remember(key, segment)
        message = segment.short_message
        length = len(message)
        if segment.covers > 1:
            text = _payload(message)
        elif length > MAX_SHORT_MESSAGE:
            raise FieldRefused(f"short_message has {length} octets; it can have 254.")
        else:
            text = _LENGTHS[length] + message
        body = (
            template[0]
            + _address(segment.destination)
            + template[1]
            + text
            + _reference_option(segment.reference)
        )
        if segment.sar is not None:
            body += _sar_options(segment.sar)
        return HEADER.pack(HEADER_SIZE + len(body), SUBMIT_SM, 0, sequence) + body

    def _remember(self, key: tuple[object, ...], segment: Segment) -> tuple[bytes, bytes]:
        """Make the octets before the destination, and between it and the message."""
        if len(self._templates) >= _MAX_TEMPLATES:
            self._templates.clear()
        numbers = {
            "esm_class": UDH_INDICATOR if segment.has_header else 0,
            "priority_flag": segment.priority,
            "registered_delivery": self._registered_delivery,
            "data_coding": segment.data_coding,
        }
        for name, number in numbers.items():
            if not 0 <= number <= 255:
                raise FieldRefused(f"{name} is {number}; it is one octet.")
        validity = _c_string("validity_period", segment.validity_period, 16)
        if len(validity) not in (1, 17):
            raise FieldRefused("validity_period has 16 characters or none.")
        template = (
            self._service_type + _address(segment.source),
            bytes((numbers["esm_class"], 0, segment.priority))
            + b"\0"  # schedule_delivery_time
            + validity
            + bytes((self._registered_delivery, 0, segment.data_coding, 0)),
        )
        self._templates[key] = template
        return template


def _payload(message: bytes) -> bytes:
    """Return an empty short_message, and the text in its option (5.3.2.32)."""
    if len(message) > MAX_PAYLOAD:
        raise FieldRefused(f"message_payload has {len(message)} octets; a PDU has room for fewer.")
    return b"\0" + _PAYLOAD_TAG + len(message).to_bytes(2, "big") + message


def _sar_options(sar: Sar) -> bytes:
    """Return sar_msg_ref_num, sar_total_segments and sar_segment_seqnum (5.3.2.22 to 24)."""
    if not 0 <= sar.reference <= 0xFFFF or not 1 <= sar.number <= sar.total <= 255:
        raise FieldRefused("The place of this part does not fit into its options.")
    return (
        _SAR_REFERENCE_HEAD
        + sar.reference.to_bytes(2, "big")
        + _SAR_TOTAL_HEAD
        + bytes((sar.total,))
        + _SAR_SEGMENT_HEAD
        + bytes((sar.number,))
    )


def _reference_option(reference: int) -> bytes:
    if reference == 0:
        return b""
    if not 0 < reference <= 0xFFFF:
        raise FieldRefused(f"user_message_reference is {reference}; it is two octets.")
    return _REFERENCE_HEAD + reference.to_bytes(2, "big")


_REFERENCE_HEAD: Final = USER_MESSAGE_REFERENCE.to_bytes(2, "big") + b"\0\2"
_PAYLOAD_TAG: Final = MESSAGE_PAYLOAD.to_bytes(2, "big")
_SAR_REFERENCE_HEAD: Final = SAR_REFERENCE.to_bytes(2, "big") + b"\0\2"
_SAR_TOTAL_HEAD: Final = SAR_TOTAL.to_bytes(2, "big") + b"\0\1"
_SAR_SEGMENT_HEAD: Final = SAR_SEGMENT.to_bytes(2, "big") + b"\0\1"


def _address(address: Address) -> bytes:
    """Return type, plan and value with its NUL."""
    value = address.value
    if not value.isascii() or not value.isprintable():
        raise FieldRefused("An address has printable ASCII characters only.")
    if len(value) > 20:
        raise FieldRefused(f"An address has at most 20 characters; this one has {len(value)}.")
    if address.ton == TON_INTERNATIONAL and not value.isdigit():
        raise FieldRefused("An international number has digits only.")
    return bytes((address.ton, address.npi)) + value.encode("ascii") + b"\0"


def _c_string(name: str, value: str, longest: int) -> bytes:
    """Return a C-octet string with its NUL."""
    if not value.isascii() or "\0" in value:
        raise FieldRefused(f"{name} has a character that is not ASCII, or a NUL.")
    if len(value) > longest:
        raise FieldRefused(f"{name} has {len(value)} characters; it can have {longest}.")
    return value.encode("ascii") + b"\0"


def read_submit_response(body: bytes) -> str:
    """Return the message_id of a submit_sm_resp: "" without a body, with or without its NUL."""
    return body.partition(b"\0")[0].decode("latin-1")


def read_delivery(command: int, body: bytes) -> Delivery:
    """Read a deliver_sm (4.6.1) or data_sm (4.7.1). Raises Malformed."""
    try:
        position = body.index(b"\0") + 1  # service_type
        source, position = _read_address(body, position)
        destination, position = _read_address(body, position)
        esm_class = body[position]
        if command == DATA_SM:
            data_coding, stated, position = body[position + 2], 0, position + 3
        else:
            position = body.index(b"\0", position + 3) + 1  # schedule_delivery_time
            position = body.index(b"\0", position) + 1  # validity_period
            data_coding, stated, position = body[position + 2], body[position + 4], position + 5
    except (ValueError, IndexError):
        status = consts.SMPP_ESME_RINVCMDLEN
        raise Malformed(status, "The PDU ends inside its mandatory part.") from None
    message = body[position : position + stated]
    if len(message) < stated:
        status = consts.SMPP_ESME_RINVMSGLEN
        raise Malformed(status, f"sm_length says {stated} octets, there are {len(message)}.")
    options = read_options(body, position + stated)
    payload = message or options.get(MESSAGE_PAYLOAD, b"")
    return Delivery(source, destination, esm_class, data_coding, payload, options)


def _read_address(body: bytes, position: int) -> tuple[Address, int]:
    end = body.index(b"\0", position + 2)
    value = body[position + 2 : end].decode("latin-1")
    return Address(body[position], body[position + 1], value), end + 1
