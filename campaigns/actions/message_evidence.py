"""From a number and a day to the evidence of one message: each step has a person and a reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from audit.queries.way import NotSignedYet, NoWay, Ways, ways
from audit.rules.events import Obj
from campaigns.actions.moves import campaign_obj
from campaigns.models import Campaign, Message
from campaigns.queries.day_of_number import sent_on
from campaigns.queries.finding import Hit
from campaigns.queries.message_proof import disclosed_of, proof_file
from campaigns.queries.sealed import KeyDoesNotOpen, SealedLine, sealed_lines
from campaigns.queries.segment_files import SegmentDamaged
from campaigns.rules.faults import FAULTS, Fault
from campaigns.rules.number_plans import is_country
from campaigns.rules.numbers import mask, normalise
from workspaces.actions.noting import note
from workspaces.queries.keys import keys
from workspaces.queries.me import Me
from workspaces.rules.refusal import Refusal

FIND = "messages.find"
TAKE = "messages.evidence"


class EvidenceRefused(Refusal):
    """The base of what is refused here."""


class NotANumber(EvidenceRefused):
    """What was typed is no phone number."""

    code = "not_a_number"


class ReasonMissing(EvidenceRefused):
    """Evidence is taken for a reason, or not at all."""

    code = "reason_missing"


class NoSuchMessage(EvidenceRefused):
    """The workspace has no such message to that number."""

    code = "not_found"


class NotSealed(EvidenceRefused):
    """Nothing of the message is sealed, or no signed checkpoint covers it, yet."""

    code = "not_sealed"


class NoEvidence(EvidenceRefused):
    """What was sealed cannot be proved here any more: a person of the platform must look."""

    code = "no_evidence"


@dataclass(frozen=True)
class Sent:
    """Messages to one number on one day; `number` is masked."""

    number: str
    hits: Sequence[Hit]


@dataclass(frozen=True)
class Taken:
    """The evidence of one message: the proof as a file, and what it shows, for people."""

    campaign: Campaign
    position: int
    number: str
    text: str
    lines: Sequence[SealedLine]
    ways: Ways
    proof: bytes


def find_messages(
    *, number: str, country: str, day: date, zone: str, by: Me, why: str, now: datetime
) -> Sent:
    """Return what was sent to a typed number on a day in a zone, and record who asked and why.

    Raises NotANumber, ReasonMissing.
    """
    clear = _number(number, country)
    reason = _reason(why)
    hits = sent_on(by.here, keys().fingerprint(clear), day, zone)
    with transaction.atomic(durable=True):
        note(
            by,
            FIND,
            Obj("workspace", f"wsp_{by.here.pk}"),
            now=now,
            diff={"day": (None, day), "zone": (None, zone), "found": (None, len(hits))},
            personal={"number": f"+{clear}"},
            why=reason,
        )
    return Sent(mask(clear), hits)


def take_evidence(
    *, campaign: int, position: int, number: str, country: str, by: Me, why: str, now: datetime
) -> Taken:
    """Return the evidence of one message to this number, and record who took it and why.

    Raises NotANumber, ReasonMissing, NoSuchMessage, NotSealed, NoEvidence.
    """
    clear = _number(number, country)
    reason = _reason(why)
    found = _message(by, campaign, position, clear)
    lines = _lines(by, found, position)
    way = _ways(by, lines)
    disclosed = disclosed_of(found, position, f"+{clear}")
    proof = proof_file(lines, way, disclosed)
    with transaction.atomic(durable=True):
        note(
            by,
            TAKE,
            campaign_obj(found.pk),
            now=now,
            diff={
                "position": (None, position),
                "segments": (None, sorted({line.segment.number for line in lines})),
            },
            personal={"number": f"+{clear}"},
            why=reason,
        )
    return Taken(found, position, f"+{clear}", disclosed.get("text", ""), lines, way, proof)


def _number(typed: str, country: str) -> str:
    number = normalise(typed, country if is_country(country) else "")
    if isinstance(number, Fault):
        raise NotANumber(_(FAULTS[number]), field="number")
    return number


def _reason(why: str) -> str:
    if not why.strip():
        raise ReasonMissing(_("Say why you need it. The audit log keeps it."), field="why")
    return why.strip()


def _message(by: Me, number: int, position: int, clear: str) -> Campaign:
    rows = Campaign.objects.select_related("workspace", "sender_revision")
    # A deleted campaign was sent all the same.
    campaign = rows.filter(workspace=by.here, number=number).first()
    fingerprint = keys().fingerprint(clear)
    if campaign is None or campaign.frozen_on is None:
        raise _no_message()
    messages = Message.objects.filter(campaign=campaign, frozen_on=campaign.frozen_on)
    if not messages.filter(position=position, fingerprint=fingerprint).exists():
        raise _no_message()
    return campaign


def _no_message() -> NoSuchMessage:
    return NoSuchMessage(_("This workspace has no such message to this number."))


def _lines(by: Me, campaign: Campaign, position: int) -> list[SealedLine]:
    try:
        lines = sealed_lines(by.here, campaign, position)
    except (SegmentDamaged, KeyDoesNotOpen) as damage:
        raise NoEvidence(
            _("What was sealed cannot be read: %(why)s Tell the platform team; a backup has it.")
            % {"why": damage}
        ) from damage
    if not lines:
        raise NotSealed(
            _(
                "Nothing of this message is sealed yet. What became of messages is sealed soon"
                " after each full hour; come back then."
            )
        )
    return lines


def _ways(by: Me, lines: Sequence[SealedLine]) -> Ways:
    eids = [line.segment.eid for line in lines]
    try:
        return ways(by.here.uuid, eids, secret=_secret())
    except NotSignedYet as early:
        raise NotSealed(
            _(
                "It is sealed, and its checkpoint is not signed yet. That takes seconds; if it"
                " stays so for minutes, the audit log's signer does not run."
            )
        ) from early
    except NoWay as broken:
        raise NoEvidence(
            _("The audit log does not lead to what was sealed: %(why)s Tell the platform team.")
            % {"why": broken}
        ) from broken


def _secret() -> bytes:
    """Return the site's secret of the audit log; the same file as the sequencer's."""
    try:
        return Path(settings.AUDIT_NONCE_FILE).read_bytes().strip()
    except OSError as absent:
        raise NoEvidence(
            _(
                "This server cannot read the audit log's site secret (AUDIT_NONCE_FILE), which"
                " leads from the workspace to the signed checkpoint. Tell the platform team."
            )
        ) from absent
