"""Single messages of a trigger campaign, pushed through the API.

One transaction holds the message and the answer to the call: after it, the sender finds the message
by itself, and the same idempotency key gets the same answer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from math import ceil
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext as _
from psycopg.errors import LockNotAvailable
from psycopg.types.json import Jsonb

from campaigns.actions.moves import campaign_obj
from campaigns.models import Campaign, Mode
from campaigns.queries.plans import open_of
from campaigns.rules.api_answers import MESSAGES, PUSH_ROUTE, accepted
from campaigns.rules.api_refusals import MOST_FAULTS, ApiRefused, InputFault, More, pointer
from campaigns.rules.faults import FAULTS, Fault
from campaigns.rules.numbers import Number, normalise
from campaigns.rules.text import Slot, compile_text, slot_fault
from smpp_client.rules.segments import Alphabet, TextRefused, count
from workspaces.actions.noting import note
from workspaces.models import ApiKey, IdempotentRequest
from workspaces.queries.keys import keys
from workspaces.queries.me import Me

CREATED = 201
# A call waits so long for another one with its key or reference.
WAIT_FOR_TWIN = "3s"
LOCK = "SELECT set_config('lock_timeout', %s, true)"
TAKE = (
    "SELECT pg_advisory_xact_lock(hashtextextended(name, 0))"
    " FROM unnest(%s::text[]) WITH ORDINALITY AS wanted(name, place) WHERE name <> ''"
)
PUSH = (
    "SELECT refusal, existing, is_first FROM push_message("
    "%(campaign)s, %(now)s, %(day)s, %(fingerprint)s, %(number)s, %(values)s,"
    " %(segments)s::smallint, %(uuid)s, %(reference)s, %(key)s, %(request)s)"
)


@dataclass(frozen=True)
class PushRequest:
    """A message as the caller asks for it. `to` is still his spelling; `client_reference` may be
    empty; `body_hash` is that of the whole body.
    """

    campaign: int
    to: str
    values: Mapping[str, str]
    client_reference: str
    body_hash: str


@dataclass(frozen=True)
class Pushed:
    """The answer to a call, and whether an earlier call with this key got it first."""

    status: int
    answer: Mapping[str, Any]
    is_replay: bool


@dataclass(frozen=True)
class Wanted:
    """What is stored of a message: its number, values by slot, segments, public id."""

    number: Number
    values: Mapping[str, str]
    segments: int
    uuid: UUID


def push(*, by: Me, request: PushRequest, key: str, now: datetime) -> Pushed:
    """Take one message into a sending trigger campaign, or give the answer that this idempotency
    key got before.

    A number that has opted out is taken as well: the claim alone judges, and suppresses it. Raises
    ApiRefused; then nothing is stored, and the key may be used again.
    """
    with transaction.atomic(durable=True):
        _wait_for_twins(by, request, key)
        stored = _stored(by, key)
        if stored is not None:
            return _again(stored, request)
        campaign = _trigger(by, request)
        wanted = _wanted(campaign, request)
        answer = accepted(
            uuid=wanted.uuid,
            campaign=campaign.number,
            segments=wanted.segments,
            client_reference=request.client_reference,
            created_at=now,
        )
        _remember(by, request, key, answer, now)
        if _insert(campaign, wanted, by, request, now):
            note(
                by,
                "message.push",
                campaign_obj(campaign.pk),
                now=now,
                why="the key's first of the day",
            )
    return Pushed(CREATED, answer, is_replay=False)


def _key_of(by: Me) -> ApiKey:
    if by.key is None:
        raise RuntimeError("Only a key pushes messages.")
    return by.key


def _wait_for_twins(by: Me, request: PushRequest, key: str) -> None:
    """Let calls with one idempotency key, or one client reference, pass one after the other."""
    own = f"idempotency:{_key_of(by).pk}:{PUSH_ROUTE}:{key}"
    reference = request.client_reference and f"reference:{by.here.pk}:{request.client_reference}"
    try:
        with connection.cursor() as cursor:
            cursor.execute(LOCK, [WAIT_FOR_TWIN])
            cursor.execute(TAKE, [[own, reference]])
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise ApiRefused(
                "idempotency_in_progress",
                _("Another call with this key is under way. Send it again in a second."),
                More(retry_after=1),
            ) from error
        raise


def _stored(by: Me, key: str) -> IdempotentRequest | None:
    return IdempotentRequest.objects.filter(
        workspace=by.here, api_key=_key_of(by), route=PUSH_ROUTE, key=key
    ).first()


def _again(stored: IdempotentRequest, request: PushRequest) -> Pushed:
    # Without our key where an earlier release stored it, at most REQUEST_DAYS ago.
    if stored.body_hash not in {_keyed(request.body_hash), request.body_hash}:
        raise ApiRefused(
            "idempotency_key_reused",
            _("This key was used for another message. Give each message a key of its own."),
        )
    return Pushed(stored.status, stored.answer, is_replay=True)


def _keyed(body_hash: str) -> str:
    """Return what is stored of a body: nobody without our key finds its number by trying all."""
    return keys().sign(bytes.fromhex(body_hash), "idempotent_request").hex()


def _remember(
    by: Me, request: PushRequest, key: str, answer: Mapping[str, Any], now: datetime
) -> None:
    IdempotentRequest.objects.create(
        workspace=by.here,
        api_key=_key_of(by),
        route=PUSH_ROUTE,
        key=key,
        body_hash=_keyed(request.body_hash),
        status=CREATED,
        answer=dict(answer),
        created_at=now,
    )


def _trigger(by: Me, request: PushRequest) -> Campaign:
    campaign = Campaign.objects.filter(
        workspace=by.here, number=request.campaign, deleted_at=None
    ).first()
    if campaign is None:
        sentence = _("There is no such campaign.")
        fault = InputFault(pointer("campaign"), "not_found", sentence)
        raise ApiRefused("not_found", sentence, More([fault]))
    if campaign.mode != Mode.TRIGGER:
        raise ApiRefused(
            "not_a_trigger",
            _("%(campaign)s has its own recipients. Only a trigger campaign takes messages.")
            % {"campaign": campaign},
        )
    return campaign


def _wanted(campaign: Campaign, request: PushRequest) -> Wanted:
    """Return the message as it is stored. Raises ApiRefused with everything that is wrong."""
    number = normalise(request.to, "")
    faults = [*_number_faults(number), *_slot_faults(campaign, request.values)]
    if isinstance(number, Fault) or faults:
        raise _invalid(faults)
    text = compile_text(campaign.text).render(request.values)
    try:
        segments = count(text, alphabet=Alphabet(campaign.alphabet)).segments
    except TextRefused as refused:
        raise _invalid([InputFault(pointer("values"), "text_refused", str(refused))]) from refused
    return Wanted(number, request.values, max(1, segments), uuid4())


def _invalid(faults: list[InputFault]) -> ApiRefused:
    return ApiRefused("invalid", _("Some values cannot be used."), More(faults[:MOST_FAULTS]))


def _number_faults(number: Number | Fault) -> Iterator[InputFault]:
    if isinstance(number, Fault):
        yield InputFault(pointer("to"), number.value, _(FAULTS[number]))


def _slot_faults(campaign: Campaign, values: Mapping[str, str]) -> Iterator[InputFault]:
    slots = {row["name"]: Slot(**row) for row in campaign.slots}
    for name in values:
        if name not in slots:
            yield InputFault(
                pointer("values", name), "unknown_slot", _("The campaign has no such slot.")
            )
    for name, slot in slots.items():
        code = slot_fault(slot, values[name]) if name in values else "missing"
        if code:
            yield InputFault(pointer("values", name), code, _slot_sentence(code, slot))


def _slot_sentence(code: str, slot: Slot) -> str:
    sentences = {
        "missing": _("Give a value for this slot."),
        "not_text": _("A value is text, also where it is a number."),
        "too_long": _("At most %(longest)s characters.") % {"longest": slot.max_length},
        "wrong_type": _("This is no value of the type %(type)s.") % {"type": slot.type},
        "has_link": _("A value may not hold a link."),
    }
    return sentences[code]


def _insert(
    campaign: Campaign, wanted: Wanted, by: Me, request: PushRequest, now: datetime
) -> bool:
    """Store the message; return whether it is the key's first of the day in this campaign."""
    zone = ZoneInfo(campaign.zone)
    today = now.astimezone(zone).date()
    values: dict[str, Any] = {
        "campaign": campaign.pk,
        "now": now,
        "day": datetime.combine(today, time(), zone),
        "fingerprint": keys().fingerprint(wanted.number),
        "number": keys().seal_number(wanted.number, by.here.pk),
        "values": Jsonb(dict(wanted.values)),
        "segments": wanted.segments,
        "uuid": wanted.uuid,
        "reference": request.client_reference,
        "key": _key_of(by).pk,
        "request": by.request_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(PUSH, values)
        refusal, existing, is_first = cursor.fetchone()
    if refusal == "reference":
        raise _taken(existing)
    if refusal == "quota":
        midnight = datetime.combine(today + timedelta(days=1), time(), zone)
        raise _quota(campaign, _seconds(midnight, now))
    if refusal:
        raise _closed(campaign, refusal, now)
    return bool(is_first)


def _taken(existing: UUID) -> ApiRefused:
    return ApiRefused(
        "client_reference_taken",
        _("A message with this client reference was taken before."),
        More(
            [
                InputFault(
                    pointer("client_reference"), "taken", _("Give each message its own reference.")
                )
            ],
            members={"existing": {"id": str(existing), "links": _links(existing)}},
        ),
    )


def _links(uuid: UUID) -> dict[str, str]:
    return {"self": f"{MESSAGES}/{uuid}"}


def _quota(campaign: Campaign, seconds: int) -> ApiRefused:
    return ApiRefused(
        "quota_exhausted",
        _("%(campaign)s has taken all %(cap)s messages of today.")
        % {"campaign": campaign, "cap": campaign.daily_cap},
        More(retry_after=seconds),
    )


def _closed(campaign: Campaign, refusal: str, now: datetime) -> ApiRefused:
    """Return why a campaign takes nothing now, from what the claim itself would say."""
    campaign.refresh_from_db(fields=["state"])
    name = {"campaign": campaign}
    more = More(members={"campaign_state": campaign.state})
    if refusal == "closed_hours":
        return _closed_hours(campaign, now)
    if refusal == "window_over":
        return ApiRefused("campaign_over", _("%(campaign)s has ended.") % name, more)
    if refusal in {"state", "not_yet", "suspended"}:
        sentence = _("%(campaign)s is not sending, so it takes no messages now.") % name
        return ApiRefused("campaign_not_sending", sentence, more)
    sentence = _("%(campaign)s is not what was approved, or may not send any more.") % name
    return ApiRefused("approval_void", sentence, more)


def _closed_hours(campaign: Campaign, now: datetime) -> ApiRefused:
    hours = open_of(campaign)
    opens_at = hours.instant(hours.until(now))
    return ApiRefused(
        "closed_hours",
        _("%(campaign)s sends between %(opens)s and %(closes)s (%(zone)s).")
        % {
            "campaign": campaign,
            "opens": f"{campaign.daily_from:%H:%M}",
            "closes": f"{campaign.daily_until:%H:%M}",
            "zone": campaign.zone,
        },
        More(retry_after=_seconds(opens_at, now)),
    )


def _seconds(until: datetime, now: datetime) -> int:
    return max(1, ceil((until - now).total_seconds()))
