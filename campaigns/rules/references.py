"""The references that segments carry.

`segment_reference` goes as user_message_reference (SMPP 3.4, 5.3.2.17): where an SMSC gives it back
in the receipt, it tells which of our segments to one subscriber is meant although the answer with
the SMSC's own id was lost. The database computes the same. `joining_reference` is what a phone puts
the parts of a long message together by (3GPP TS 23.040, 9.2.3.24.1).
"""

from zlib import crc32

REFERENCES = 65_535
# Neighbours in a campaign, and the parts of a message, get references far apart.
CAMPAIGN_STEP = 10_007
POSITION_STEP = 131
# Odd: of 256 campaigns in a row each has another product in its lowest octet.
JOINING_STEP = 37


def segment_reference(campaign_id: int, position: int, part: int) -> int:
    """Return 1 to 65535: the same at every attempt of a part."""
    return 1 + (campaign_id * CAMPAIGN_STEP + position * POSITION_STEP + part) % REFERENCES


def joining_reference(campaign_id: int, position: int, number: str, *, is_pushed: bool) -> int:
    """Return 0 to 65535, of which a header has the lowest octet: the same at every attempt.

    A phone mixes up two messages with the same one that reach it at the same time. To one number
    it is another in each of 256 campaigns in a row, which write to it once; and in each of 256
    messages in a row that are pushed into one campaign.
    """
    place = position if is_pushed else 0
    return (campaign_id * JOINING_STEP + crc32(number.encode()) + place) & 0xFFFF
