"""The reference that a segment carries as user_message_reference (SMPP 3.4, 5.3.2.17).

Where an SMSC gives it back in the receipt, it tells which of our segments to one subscriber is
meant although the answer with the SMSC's own id was lost. The database computes the same as
`segment_reference`.
"""

REFERENCES = 65_535
# Neighbours in a campaign, and the parts of a message, get references far apart.
CAMPAIGN_STEP = 10_007
POSITION_STEP = 131


def segment_reference(campaign_id: int, position: int, part: int) -> int:
    """Return 1 to 65535: the same at every attempt of a part."""
    return 1 + (campaign_id * CAMPAIGN_STEP + position * POSITION_STEP + part) % REFERENCES
