"""How the message ids of receipts relate to those of submit_sm_resp: one rule per connection.

Both sides are brought to one form and compared for equality; there is no guessing across rules. An
id that its rule cannot read stays as it came.
"""

from enum import StrEnum


class IdRule(StrEnum):
    """What the peer writes in its responses and in its receipts."""

    AS_IS = "as_is"
    HEX_TO_DECIMAL = "hex_to_decimal"  # response hexadecimal, receipt decimal
    DECIMAL_TO_HEX = "decimal_to_hex"  # response decimal, receipt hexadecimal
    HEX = "hex"  # both hexadecimal; case and leading zeros differ
    UNPADDED = "unpadded"  # leading zeros differ


def normalise_response_id(smsc_id: str, rule: IdRule) -> str:
    """Bring the id of a submit_sm_resp to the form that is stored and compared."""
    match rule:
        case IdRule.HEX_TO_DECIMAL:
            return _decimal_of_hex(smsc_id)
        case IdRule.HEX:
            return _lower_hex(smsc_id)
        case IdRule.UNPADDED | IdRule.DECIMAL_TO_HEX:
            return _unpadded(smsc_id)
        case IdRule.AS_IS:
            return smsc_id


def normalise_receipt_id(smsc_id: str, rule: IdRule) -> str:
    """Bring the id of a receipt to the same form."""
    match rule:
        case IdRule.DECIMAL_TO_HEX:
            return _decimal_of_hex(smsc_id)
        case IdRule.HEX:
            return _lower_hex(smsc_id)
        case IdRule.UNPADDED | IdRule.HEX_TO_DECIMAL:
            return _unpadded(smsc_id)
        case IdRule.AS_IS:
            return smsc_id


def _unpadded(smsc_id: str) -> str:
    return smsc_id.lstrip("0") or smsc_id[-1:]


def _decimal_of_hex(smsc_id: str) -> str:
    value = _hex_value(smsc_id)
    return smsc_id if value is None else str(value)


def _lower_hex(smsc_id: str) -> str:
    value = _hex_value(smsc_id)
    return smsc_id if value is None else f"{value:x}"


def _hex_value(smsc_id: str) -> int | None:
    # int() alone would take signs, underscores and 0x; ids are digits. 32 digits hold any UUID.
    if not smsc_id or len(smsc_id) > 32 or not set(smsc_id) <= set("0123456789abcdefABCDEF"):
        return None
    return int(smsc_id, 16)
