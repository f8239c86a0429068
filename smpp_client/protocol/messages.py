"""Messages that subscribers write to us."""

from dataclasses import dataclass
from typing import Final

from smpp_client.protocol.pdus import UDH_INDICATOR, Delivery
from smpp_client.protocol.tlvs import (
    SAR_REFERENCE,
    SAR_SEGMENT,
    SAR_TOTAL,
    Options,
    number_of,
)
from smpp_client.rules.codings import Coding, coding_of, decode
from smpp_client.rules.segments import Alphabet

# Elements of a user data header that say which part this is, by id and length (3GPP 23.040,
# 9.2.3.24.1 and 9.2.3.24.8).
_CONCATENATION: Final = {(0x00, 3), (0x08, 4)}


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """What one deliver_sm holds of a message: its octets without their header, and their coding.

    `part` of `part_count` (both 1 for a whole message) and the `reference` that the parts of one
    message share.
    """

    octets: bytes
    coding: Coding
    reference: int = 0
    part: int = 1
    part_count: int = 1

    @property
    def text(self) -> str:
        """The text of this part alone; what cannot be read is U+FFFD, binary has none."""
        return decode(self.octets, self.coding)


def read_message(delivery: Delivery, alphabet: Alphabet) -> ReadMessage:
    """Read a message, or a part of one, by its header or by its sar_* options.

    `alphabet` is what the peer takes data coding 0 for.
    """
    header, octets = _split(delivery)
    coding = coding_of(delivery.data_coding, alphabet)
    place = _place_in_header(header) or _place_in_options(delivery.options)
    return ReadMessage(octets, coding, *(place or ()))


def _split(delivery: Delivery) -> tuple[bytes, bytes]:
    """Return the user data header without its length, and the rest."""
    message = delivery.short_message
    if not delivery.esm_class & UDH_INDICATOR or not message or message[0] >= len(message):
        return b"", message
    end = message[0] + 1
    return message[1:end], message[end:]


def _place_in_header(header: bytes) -> tuple[int, int, int] | None:
    """Return reference, part and number of parts; None when no element says them."""
    at = 0
    while at + 2 <= len(header):
        kind, length = header[at], header[at + 1]
        value = header[at + 2 : at + 2 + length]
        at += 2 + length
        if (kind, length) in _CONCATENATION and len(value) == length:
            return _place(int.from_bytes(value[:-2], "big"), value[-1], value[-2])
    return None


def _place_in_options(options: Options) -> tuple[int, int, int] | None:
    """Read sar_msg_ref_num, sar_segment_seqnum and sar_total_segments (5.3.2.22 to 5.3.2.24)."""
    reference = number_of(options, SAR_REFERENCE)
    part, count = number_of(options, SAR_SEGMENT), number_of(options, SAR_TOTAL)
    if reference is None or part is None or count is None:
        return None
    return _place(reference & 0xFFFF, part, count)


def _place(reference: int, part: int, count: int) -> tuple[int, int, int] | None:
    """A place outside of its message is none: then the part stands alone."""
    return (reference, part, count) if 1 <= part <= count <= 255 and count > 1 else None
