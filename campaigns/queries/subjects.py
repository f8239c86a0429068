"""What the approvals of the audit log are about, in the reader's scope: names and texts.

A campaign's approval is bound to a digest. The same expression without its hash gives the exact
bytes, so that whoever holds an evidence bundle can compute the digest himself.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import sha256

from django.db import connection

from audit.queries.subjects import Subject, Version, register
from campaigns.models import Campaign, Sender, SenderRevision

_NUMBERED = re.compile(r"(cmp|snd|rev)_([0-9]{1,18})")
_SOURCE = "SELECT prosrc FROM pg_proc WHERE oid = 'campaign_digest(campaign)'::regprocedure"
_HASHED = re.compile(r"sha256\(convert_to\((.*)::text, 'UTF8'\)\)", re.DOTALL)
_NEW_PER_QUERY = 500


def register_subjects() -> None:
    """Lend what approvals are about to the audit log; called once, when the app is ready."""
    register(subjects)


def subjects(ids: Sequence[str]) -> Iterator[Subject]:
    """Yield the sender names and campaigns among the log's ids, senders first."""
    numbers: dict[str, list[int]] = {"cmp": [], "snd": [], "rev": []}
    for one in ids:
        if match := _NUMBERED.fullmatch(one):
            numbers[match[1]].append(int(match[2]))
    yield from _senders(numbers["snd"], numbers["rev"])
    campaigns = numbers["cmp"]
    for start in range(0, len(campaigns), _NEW_PER_QUERY):
        yield from _campaigns(campaigns[start : start + _NEW_PER_QUERY])


def _senders(ids: Sequence[int], revision_ids: Sequence[int]) -> Iterator[Subject]:
    of_revisions = SenderRevision.objects.filter(pk__in=revision_ids).values("sender_id")
    rows = Sender.objects.filter(pk__in=ids) | Sender.objects.filter(pk__in=of_revisions)
    for sender in rows.order_by("value").prefetch_related("revisions"):
        revisions = sorted(sender.revisions.all(), key=lambda one: one.number)
        yield Subject(
            kind="sender",
            id=f"snd_{sender.pk}",
            title=sender.value,
            ids=(f"snd_{sender.pk}", *(f"rev_{one.pk}" for one in revisions)),
            versions=tuple(map(_revision, revisions)),
        )


def _revision(revision: SenderRevision) -> Version:
    facts = {
        "The name, exactly": revision.value,
        "Type of number, numbering plan": f"{revision.ton}, {revision.npi}",
        "For": revision.category,
        "Legal entity": revision.legal_entity,
        "Purpose": revision.purpose,
        "Sample": revision.sample_text,
        "Looks like": revision.resembles,
        "Approvals needed": str(revision.needed_approvals),
        "State now": revision.state,
    }
    shown = tuple((name, value) for name, value in facts.items() if value)
    return Version(title=f"Revision {revision.number} (rev_{revision.pk})", facts=shown)


def _campaigns(ids: Sequence[int]) -> Iterator[Subject]:
    rows = Campaign.objects.filter(pk__in=ids).order_by("number")
    exact = _exact(ids)
    for campaign in rows.select_related("sender_revision", "recipient_list", "route"):
        yield Subject(
            kind="campaign",
            id=f"cmp_{campaign.pk}",
            title=f"{campaign} {campaign.name}".strip(),
            ids=(f"cmp_{campaign.pk}",),
            versions=(_version(campaign, exact.get(campaign.pk, "")),),
        )


def _version(campaign: Campaign, exact: str) -> Version:
    facts = {
        "The text, exactly": campaign.text,
        "Sender name": campaign.sender_revision.value if campaign.sender_revision else "",
        "Audience": _audience(campaign),
        "Audience, digest": bytes(campaign.audience_digest or b"").hex(),
        "Window": _window(campaign),
        "Rate at most": f"{campaign.rate_ceiling} parts a second" if campaign.rate_ceiling else "",
        "Route": campaign.route.name if campaign.route else "",
        "Priority": campaign.priority,
        "Mode": campaign.mode,
    }
    return Version(
        title="As it is now",
        facts=tuple((name, value) for name, value in facts.items() if value),
        digest=sha256(exact.encode()).hexdigest() if exact else "",
        exact=exact,
    )


def _audience(campaign: Campaign) -> str:
    if campaign.recipient_list is None:
        return f"at most {campaign.daily_cap:,} a day" if campaign.daily_cap else ""
    counted = f"{campaign.total:,} people, {campaign.segment_total:,} parts"
    return f"{counted}, from the list {campaign.recipient_list.name}"


def _window(campaign: Campaign) -> str:
    times = (campaign.starts_at, campaign.ends_at)
    return " to ".join(f"{at:%Y-%m-%d %H:%M:%S} UTC" for at in times if at)


def _exact(ids: Iterable[int]) -> dict[int, str]:
    """Return the bytes that the database hashes for the digest of each campaign, as text."""
    expression = _expression()
    if not expression:
        return {}
    query = (
        f"SELECT c.id, ({expression})::text FROM campaign c LEFT JOIN sender_revision r"  # noqa: S608
        " ON r.id = c.sender_revision_id WHERE c.id = ANY (%s)"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [list(ids)])
        return dict(cursor.fetchall())


@lru_cache(maxsize=1)
def _expression() -> str:
    """Return what `campaign_digest` hashes, out of its own source: there is one definition only."""
    with connection.cursor() as cursor:
        cursor.execute(_SOURCE)
        (source,) = cursor.fetchone()
    match = _HASHED.search(source)
    return match[1].replace("%", "%%") if match else ""
