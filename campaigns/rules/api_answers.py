"""Shapes that the API promises and that more than one kind of code has to know."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

CAMPAIGN = r"C-[1-9][0-9]{0,8}"
LONGEST_REFERENCE = 100
MESSAGES = "/api/v1/messages"
INBOUND = "/api/v1/inbound"
# Stored with an answer: the same idempotency key may be used for another route.
PUSH_ROUTE = f"POST {MESSAGES}"
IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def campaign_number(text: str) -> int:
    """Return 12 for C-12, and 0 (which no campaign has) for what is no campaign's name."""
    return int(text[2:]) if re.fullmatch(CAMPAIGN, text) else 0


def instant(at: datetime) -> str:
    """Return a time as all answers write it: RFC 3339, in UTC, with Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def body_hash(body: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) of a body whose members may stand in any order."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def accepted(
    *, uuid: UUID, campaign: int, segments: int, client_reference: str, created_at: datetime
) -> dict[str, Any]:
    """Return the answer to a message that was taken; it is stored and given again as it is."""
    return {
        "id": str(uuid),
        "campaign": f"C-{campaign}",
        "state": "queued",
        "segments": segments,
        "client_reference": client_reference or None,
        "created_at": instant(created_at),
        "links": {"self": f"{MESSAGES}/{uuid}"},
    }
