"""Names behind the audit log's ids of campaigns, lists and senders, in the reader's scope."""

from collections.abc import Iterable, Sequence

from django.db.models import Q

from audit.queries.names import register
from campaigns.models import Campaign, RecipientList, Sender, SenderRevision
from workspaces.queries.names import resolver

MOST = 200


def register_names() -> None:
    """Lend our names to the audit log; called once, when the app is ready."""
    register("campaign", resolver("cmp", _campaigns), _find_campaigns)
    register("list", resolver("lst", _lists))
    register("sender", resolver("snd", _senders), _find_senders)
    register("sender_revision", resolver("rev", _revisions))


def _campaigns(ids: list[int]) -> Iterable[tuple[int, str]]:
    rows = Campaign.objects.filter(pk__in=ids).values_list("pk", "number", "name")
    return [(pk, f"C-{number} {name}".strip()) for pk, number, name in rows]


def _lists(ids: list[int]) -> Iterable[tuple[int, str]]:
    return RecipientList.objects.filter(pk__in=ids).values_list("pk", "name")


def _senders(ids: list[int]) -> Iterable[tuple[int, str]]:
    return Sender.objects.filter(pk__in=ids).values_list("pk", "value")


def _revisions(ids: list[int]) -> Iterable[tuple[int, str]]:
    rows = SenderRevision.objects.filter(pk__in=ids).values_list("pk", "value", "number")
    return [(pk, f"{value}, revision {number}") for pk, value, number in rows]


def _find_campaigns(text: str) -> Sequence[str]:
    number = text.upper().removeprefix("C-")
    wanted = Q(name__icontains=text)
    if number.isdecimal() and len(number) < 10:
        wanted |= Q(number=int(number))
    rows = Campaign.objects.filter(wanted).order_by("pk").values_list("pk", flat=True)
    return [f"cmp_{pk}" for pk in rows[:MOST]]


def _find_senders(text: str) -> Sequence[str]:
    """Return the senders of this name, or of this id, each with all its revisions."""
    number = text.removeprefix("snd_")
    wanted = Q(value__icontains=text)
    if text.startswith("snd_") and number.isdecimal() and len(number) < 10:
        wanted = Q(pk=int(number))
    senders = Sender.objects.filter(wanted).order_by("pk").values_list("pk", flat=True)[:MOST]
    revisions = SenderRevision.objects.filter(sender__in=list(senders)).order_by("pk")
    ids = revisions.values_list("pk", flat=True)[:MOST]
    return [*(f"snd_{pk}" for pk in senders), *(f"rev_{pk}" for pk in ids)]
