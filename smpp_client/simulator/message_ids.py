"""The forms in which SMSCs write one message id; responses and receipts often disagree."""

from uuid import UUID


def written(number: int, form: str) -> bytes:
    """Write a message's number as `decimal`, `hex`, `upper` (hex), `padded` (to 20) or `uuid`."""
    match form:
        case "hex":
            return b"%x" % number
        case "upper":
            return b"%X" % number
        case "padded":
            return b"%020d" % number
        case "uuid":
            return str(UUID(int=number)).encode()
        case _:
            return b"%d" % number
