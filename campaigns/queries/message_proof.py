"""The evidence of one message as one file: its sealed lines and their way to the checkpoint."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from audit.queries.way import Way, Ways
from audit.rules.hashes import commitment
from audit.rules.segments import NUMBER, TEXT, text_value
from campaigns.models import Campaign, Message, Recipient
from campaigns.queries.sealed import SealedLine
from campaigns.rules.text import compile_text


def proof_file(lines: Sequence[SealedLine], ways: Ways, disclosed: Mapping[str, str]) -> bytes:
    """Return message.json (docs/FORMAT.md): canonical JSON and a line feed.

    `disclosed` holds the number (+digits) and the text, as far as they are known; a line shows
    those that it commits to.
    """
    eids = list(dict.fromkeys(line.segment.eid for line in lines))
    value = {
        "checkpoint": ways.checkpoint,
        "install": str(ways.install),
        "lines": [_line(line, eids, disclosed) for line in lines],
        "origin": ways.origin,
        "seals": [_seal(ways.ways[eid]) for eid in eids],
        "slot": ways.slot,
        "v": 1,
        "workspace": str(ways.workspace),
    }
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode() + b"\n"


def _line(line: SealedLine, eids: Sequence[UUID], disclosed: Mapping[str, str]) -> dict[str, Any]:
    return {
        "disclosed": {name: value for name, value in disclosed.items() if fits(line, name, value)},
        "line": line.data.decode(),
        "path": list(line.path),
        "salt": line.salt.hex(),
        "seal": eids.index(line.segment.eid),
    }


def fits(line: SealedLine, field: str, value: str) -> bool:
    """Say whether a line commits to this number or this text."""
    committed = text_value(value) if field == TEXT else value
    return bool(line.says.get(field) == commitment(line.salt, field, committed))


def _seal(way: Way) -> dict[str, Any]:
    return {
        "at": way.at,
        "epoch": way.epoch,
        "event": way.event,
        "head": {
            "epoch": way.head.epoch,
            "hash": way.head.hash,
            "nonce": way.head.nonce,
            "proof": list(way.head.proof),
            "seq": way.head.seq,
        },
        "links": [list(link) for link in way.links],
        "path": list(way.path),
        "prev": way.prev,
        "seq": way.seq,
    }


def disclosed_of(campaign: Campaign, position: int, number: str) -> dict[str, str]:
    """Return what can be said in the clear: the number that was presented (+digits), and the text
    while what it was made of is still there.
    """
    return {NUMBER: number, **_text_of(campaign, position)}


def _text_of(campaign: Campaign, position: int) -> dict[str, str]:
    template = compile_text(campaign.text)
    if not template.is_personal:
        return {TEXT: template.render({})}
    # A campaign of which something is sealed was frozen.
    messages = Message.objects.filter(campaign=campaign, frozen_on=campaign.frozen_on or date.min)
    message = messages.filter(position=position).first()
    recipient = Recipient.objects.filter(pk=message.recipient_id).first() if message else None
    if recipient is None or recipient.number_sealed is None:
        return {}
    return {TEXT: template.render(recipient.values)}
