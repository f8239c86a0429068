"""Questions about what subscribers wrote: parts put together, numbers masked."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from campaigns.models import InboundMessage, OptOut
from campaigns.rules.faults import Fault
from campaigns.rules.number_plans import is_country
from campaigns.rules.numbers import mask, normalise
from campaigns.rules.stop_words import fold
from campaigns.rules.subscribers import content_context
from smpp_client.rules.codings import Coding, decode_parts
from workspaces.models import Workspace
from workspaces.queries.keys import keys
from workspaces.rules.sealing import SealBroken

PAGE = 50
# Texts are sealed, so words are looked for in the newest messages only, one after the other.
MOST_LOOKED_AT = 5_000
MOST_FOUND = 200
# In place of an account: those that nobody looks after.
NOBODY = 0

Write = Callable[[str], str]


@dataclass(frozen=True)
class ShownReply:
    """A subscriber's message as pages and the API tell it.

    `holder` is the name of who looks after it, empty where nobody does, with the account's id and
    e-mail address.
    `number` is masked unless asked for in full; `text` is what has come of it so far, with
    `missing_count` parts still to come. An erased one has neither.
    """

    id: int
    uuid: UUID
    received_at: datetime
    number: str
    text: str
    destination: str
    wish: str
    part_count: int
    missing_count: int
    is_binary: bool
    is_erased: bool
    is_number: bool
    opt_out_id: int | None = None
    holder_id: int | None = None
    holder: str = ""
    holder_email: str = ""

    @property
    def is_opted_out(self) -> bool:
        """Whether its number is opted out in the workspace now."""
        return self.opt_out_id is not None


@dataclass(frozen=True)
class ReplyPage:
    """Messages, newest first, and what the next, older page lies before (0: there is none)."""

    rows: Sequence[ShownReply]
    before: int


@dataclass(frozen=True)
class ReplyCounts:
    """How many messages there are, how many an account looks after, and how many nobody."""

    total: int
    mine: int
    nobodys: int


@dataclass(frozen=True)
class FoundReplies:
    """What a search found, newest first; `is_cut` says that it did not look at everything."""

    rows: Sequence[ShownReply]
    is_cut: bool


def in_full(number: str) -> str:
    """Write a number in full, for those whose reason is on record."""
    return f"+{number}" if number.isdigit() else number


def _heads(place: Workspace | None) -> QuerySet[InboundMessage]:
    """Whole messages of a workspace, newest first; None is those of nobody."""
    rows = InboundMessage.objects.filter(workspace=place, head=None)
    return rows.select_related("holder__person").order_by("-pk")


def page_of_replies(
    place: Workspace | None,
    *,
    wish: str = "",
    holder: int | None = None,
    before: int = 0,
    size: int = PAGE,
    write: Write = mask,
) -> ReplyPage:
    """Return a page of those with a smaller id than `before`; `wish` keeps those that ask for it,
    `holder` those that this account, or NOBODY, looks after.

    `place` None are the messages that are for no workspace alone.
    """
    rows = _heads(place)
    if wish:
        rows = rows.filter(wish=wish)
    if holder is not None:
        rows = rows.filter(holder_id=holder or None)
    if before:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: size + 1])
    following = found[size - 1].pk if len(found) > size else 0
    return ReplyPage(_shown(place, found[:size], write), following)


def reply_counts(place: Workspace, account: int) -> ReplyCounts:
    """Return how many messages a workspace has, and who looks after how many of them."""
    rows = InboundMessage.objects.filter(workspace=place, head=None)
    # Each answered from an index; most messages are nobody's.
    total, held = rows.count(), rows.exclude(holder=None)
    found = held.aggregate(all=Count("pk"), mine=Count("pk", filter=Q(holder_id=account)))
    return ReplyCounts(total, found["mine"], total - found["all"])


def reply_of(place: Workspace | None, reply_id: int, write: Write = mask) -> ShownReply | None:
    """Return a message, or None."""
    return next(iter(_shown(place, list(_heads(place).filter(pk=reply_id)), write)), None)


def reply_by_uuid(place: Workspace, uuid: UUID) -> ShownReply | None:
    """Return a message, or None."""
    return next(iter(_shown(place, list(_heads(place).filter(uuid=uuid)), mask)), None)


def conversation(place: Workspace, reply_id: int) -> list[ShownReply]:
    """Return what the number of a message wrote to this workspace, newest first."""
    rows = InboundMessage.objects.filter(workspace=place, pk=reply_id)
    fingerprint = rows.values_list("fingerprint", flat=True).first()
    if fingerprint is None:
        return []
    return _shown(place, list(_heads(place).filter(fingerprint=fingerprint)[:PAGE]), mask)


def fingerprint_of(place: Workspace, reply_id: int) -> bytes | None:
    """Return whose message it is; None once that is erased."""
    rows = InboundMessage.objects.filter(workspace=place, pk=reply_id)
    found = rows.values_list("fingerprint", flat=True).first()
    return None if found is None else bytes(found)


def replies_of(place: Workspace, text: str, country: str) -> FoundReplies | Fault:
    """Return what a typed number wrote, newest first, or what is wrong with the number."""
    number = normalise(text, country if is_country(country) else "")
    if isinstance(number, Fault):
        return number
    rows = list(_heads(place).filter(fingerprint=keys().fingerprint(number))[: MOST_FOUND + 1])
    return FoundReplies(_shown(place, rows[:MOST_FOUND], mask), len(rows) > MOST_FOUND)


def replies_with(place: Workspace, words: str) -> FoundReplies:
    """Return the newest messages that hold these words, however they are spelled."""
    wanted = fold(words)
    rows = list(_heads(place).exclude(content_sealed=None)[: MOST_LOOKED_AT + 1])
    found = [row for row in _shown(place, rows[:MOST_LOOKED_AT], mask) if wanted in fold(row.text)]
    is_cut = len(rows) > MOST_LOOKED_AT or len(found) > MOST_FOUND
    return FoundReplies(found[:MOST_FOUND], is_cut)


def number_of(place: Workspace, reply_id: int) -> str | None:
    """Return the digits of who wrote a message; None where it is erased or is no number."""
    row = _heads(place).filter(pk=reply_id).first()
    number = None if row is None else _open_number(row)
    return number if number and number.isdigit() else None


def _shown(
    place: Workspace | None, rows: Sequence[InboundMessage], write: Write
) -> list[ShownReply]:
    parts: dict[int, list[InboundMessage]] = defaultdict(list)
    heads = [row.pk for row in rows if row.part_count > 1]
    for one in InboundMessage.objects.filter(head__in=heads).order_by("pk"):
        parts[one.head_id or 0].append(one)
    opt_outs = _opt_outs(place, rows)
    return [_reply(row, [row, *parts[row.pk]], opt_outs, write) for row in rows]


def _opt_outs(place: Workspace | None, rows: Sequence[InboundMessage]) -> Mapping[bytes, int]:
    if place is None:
        return {}
    wanted = [row.fingerprint for row in rows if row.fingerprint is not None]
    found = OptOut.objects.filter(workspace=place, fingerprint__in=wanted, lifted_at=None)
    return {bytes(fingerprint): pk for fingerprint, pk in found.values_list("fingerprint", "pk")}


def _reply(
    row: InboundMessage,
    parts: Sequence[InboundMessage],
    opt_outs: Mapping[bytes, int],
    write: Write,
) -> ShownReply:
    number = _open_number(row)
    return ShownReply(
        id=row.pk,
        uuid=row.uuid,
        received_at=row.received_at,
        number=_("erased") if number is None else write(number),
        text=_text(parts),
        destination=row.destination,
        wish=row.wish,
        part_count=row.part_count,
        missing_count=row.part_count - len(parts),
        is_binary=all(part.coding == Coding.BINARY for part in parts),
        is_erased=row.content_sealed is None,
        is_number=bool(number and number.isdigit()),
        opt_out_id=opt_outs.get(bytes(row.fingerprint or b"")),
        holder_id=row.holder_id,
        holder="" if row.holder is None else row.holder.name,
        holder_email="" if row.holder is None else row.holder.email,
    )


def _open_number(row: InboundMessage) -> str | None:
    if row.number_sealed is None:
        return None
    try:
        return keys().open_number(bytes(row.number_sealed), row.workspace_id or 0)
    except SealBroken:
        return None


def _text(parts: Sequence[InboundMessage]) -> str:
    """Put the parts together in their order; what does not open, or is erased, has no text."""
    inner: list[tuple[bytes, Coding]] = []
    for part in sorted(parts, key=lambda one: one.part):
        if part.content_sealed is None:
            continue
        context = content_context(part.workspace_id or 0)
        try:
            octets = keys().open(bytes(part.content_sealed), context).encode("latin-1")
        except SealBroken:
            continue
        inner.append((octets, Coding(part.coding)))
    return decode_parts(inner)
