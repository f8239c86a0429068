"""Servers that no sender may bind to, each for its own reason."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from message_center.stack.certificates import (
    Authority,
    Issued,
    issue_by_stranger,
    issue_expired,
    issue_not_yet_valid,
    issue_self_signed,
    issue_wrong_name,
)

Issue = Callable[[Path, Authority, datetime], Issued]
# A name, the certificate that the server has, and words of what the sender says of it.
WRONG_SERVERS: tuple[tuple[str, Issue, str], ...] = (
    (
        "wrong-authority",
        lambda folder, _authority, now: issue_by_stranger(folder, client=False, now=now),
        "signed by an authority that the CA file does not hold",
    ),
    (
        "wrong-name",
        lambda folder, authority, now: issue_wrong_name(folder, authority, now=now),
        "for another name than localhost",
    ),
    (
        "expired",
        lambda folder, authority, now: issue_expired(folder, authority, client=False, now=now),
        "has expired",
    ),
    (
        "not-yet-valid",
        lambda folder, authority, now: issue_not_yet_valid(
            folder, authority, client=False, now=now
        ),
        "is not valid yet",
    ),
    (
        "self-signed",
        lambda folder, _authority, now: issue_self_signed(folder, client=False, now=now),
        "signed by itself",
    ),
)
