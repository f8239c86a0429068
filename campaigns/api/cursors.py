"""Where a page begins: signed, so that a cursor is only ever one of ours, for the same question."""

from urllib.parse import urlencode

from django.core.signing import BadSignature, Signer
from django.utils.translation import gettext as _

from campaigns.rules.api_refusals import ApiRefused, InputFault, More


def cursor_text(question: str, after: int) -> str:
    """Return the cursor of a page that lies behind `after`."""
    return _signer(question).sign_object(after)


def read_cursor(question: str, text: str) -> int:
    """Return what a page lies behind; 0 without a cursor. Raises ApiRefused."""
    if not text:
        return 0
    try:
        return int(_signer(question).unsign_object(text))
    except BadSignature:
        sentence = _("Take the cursor from `next`, with the same filters.")
        fault = InputFault("cursor", "bad_cursor", sentence, "parameter")
        raise ApiRefused("bad_cursor", sentence, More([fault])) from None


def next_link(path: str, question: str, after: int, **query: object) -> str | None:
    """Return the address of the next page, or None behind the last one."""
    if not after:
        return None
    kept = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(kept | {'cursor': cursor_text(question, after)})}"


def _signer(question: str) -> Signer:
    return Signer(salt=f"campaigns.api.cursor:{question}")
