"""Optional parameters as the wire has them (SMPP 3.4, 3.2.4).

The length on the wire counts, whatever the standard says the parameter's size should be; a string
may end with a NUL or not.
"""

from struct import Struct
from typing import Final

from smpplib import consts

USER_MESSAGE_REFERENCE: Final[int] = consts.OPTIONAL_PARAMS["user_message_reference"]
MESSAGE_PAYLOAD: Final[int] = consts.OPTIONAL_PARAMS["message_payload"]
MESSAGE_STATE: Final[int] = consts.OPTIONAL_PARAMS["message_state"]
RECEIPTED_MESSAGE_ID: Final[int] = consts.OPTIONAL_PARAMS["receipted_message_id"]
NETWORK_ERROR_CODE: Final[int] = consts.OPTIONAL_PARAMS["network_error_code"]
SAR_REFERENCE: Final[int] = consts.OPTIONAL_PARAMS["sar_msg_ref_num"]
SAR_TOTAL: Final[int] = consts.OPTIONAL_PARAMS["sar_total_segments"]
SAR_SEGMENT: Final[int] = consts.OPTIONAL_PARAMS["sar_segment_seqnum"]

_HEAD: Final = Struct(">HH")

Options = dict[int, bytes]


def read_options(body: bytes, position: int) -> Options:
    """Return the values by tag, from `position` to the end of the body.

    Of a repeated tag the first value that is not empty counts. A truncated parameter ends the
    reading: what stands before it is good.
    """
    options: Options = {}
    end = len(body)
    while end - position >= 4:
        tag, length = _HEAD.unpack_from(body, position)
        position += 4
        if position + length > end:
            break
        if not options.get(tag):
            options[tag] = body[position : position + length]
        position += length
    return options


def text_of(options: Options, tag: int) -> str:
    """Return a string up to its NUL, if it has one; "" when absent."""
    return options.get(tag, b"").partition(b"\0")[0].decode("latin-1")


def number_of(options: Options, tag: int) -> int | None:
    """Return an integer of any width; None when absent or empty."""
    value = options.get(tag)
    return int.from_bytes(value, "big") if value else None
